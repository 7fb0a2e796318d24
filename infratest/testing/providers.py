"""What every provider must do: hosts as declared, leases on all that it makes, removal of that and of nothing else.

Two suites, for the two kinds of providers there are: those that make hosts and those that only find them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from infratest.deadline import Deadline
from infratest.diagnosis import Doctor
from infratest.errors import ProviderError, TransportError, UserError
from infratest.hosts import GONE, PAUSED, RUNNING, STOPPED, Host
from infratest.outsiders import options_of
from infratest.plugins import builtin
from infratest.providers._aside import SetsAside, aside_name
from infratest.providers.base import (
    Consoles,
    Context,
    Halts,
    HostSpec,
    Lease,
    Provider,
    Rebuilds,
    Resource,
    Snapshots,
    Suspends,
)
from infratest.stack.declared import StackFile
from infratest.stack.open import open_provider, open_transport
from infratest.store.directory import StateDir
from infratest.testing.waiting import wait_until

T = TypeVar("T")

#: Seconds that nothing a healthy provider does may take, also where machines boot on a machine with much else to do.
LONG = 600.0
#: 2100-01-01, as the labels of a lease have it.
FAR = 4102444800


@dataclass
class Case:
    """A provider in a folder of its own, with two hosts, `one` and `two`, in group `web`."""

    provider: Provider
    specs: tuple[HostSpec, ...]
    state: StateDir
    lease: Lease
    made: list[Resource] = field(default_factory=list)
    options: Mapping[str, Any] = field(default_factory=dict)
    host_options: Mapping[str, Any] = field(default_factory=dict)

    def another(self, folder: Path) -> Case:
        """Return a case like this one in another folder, with nothing made: another stack by the same means."""
        return case_of(self.provider.__module__.rpartition(".")[2], folder, self.options, **self.host_options)

    def deadline(self) -> Deadline:
        return Deadline(LONG, self.provider.clock.monotonic)

    def hosts(self) -> list[Host]:
        return self.provider.hosts(self.specs, self.deadline())

    def mine(self) -> list[Resource]:
        """Return what exists under the lease of this case alone."""
        resources = self.provider.existing(self.deadline())
        return [each for each in resources if each.labels.get("infratest.state") == self.lease.state_id]

    def until(self, look: Callable[[], T], expected: T) -> None:
        """Have an answer be this as soon as it must: at once, or where listings lag after `Provider.settles`."""
        end = self.provider.clock.monotonic() + self.provider.settles
        while (answer := look()) != expected and self.provider.clock.monotonic() < end:
            self.provider.clock.sleep(0.1)
        assert answer == expected

    def states(self) -> list[str]:
        return [host.state for host in self.hosts()]

    def answer(self) -> None:
        """Wait until every host runs, by its provider's word, and answers."""
        clock = self.provider.clock
        for number in range(len(self.specs)):
            wait_until(partial(self._answers, number), LONG, clock)

    def _answers(self, number: int) -> bool:
        host = self.hosts()[number]
        return host.state == RUNNING and answers(host)

    def make(self) -> None:
        """Make what the hosts need, and the hosts; they are then starting."""
        for together in self.provider.requests(self.specs, self.lease):
            with ThreadPoolExecutor(4) as pool:
                self.made += pool.map(lambda request: self.provider.create(request, self.deadline()), together)

    def remove(self) -> None:
        """Remove all that was made: hosts first, then what they stand on."""
        for hosts in (True, False):
            for each in {one.id: one for one in [*self.made, *self.mine()]}.values():
                if (each.kind == "host") == hosts:
                    self.provider.destroy(each, self.deadline())


def case_of(name: str, folder: Path, options: Mapping[str, Any], **host_options: Any) -> Case:
    """Return a case of a provider.

    Args:
        name: the provider's. folder: an empty one. options: the provider's. host_options: of both hosts.
    """
    kind = options_of(builtin("provider", name), "HostOptions")
    own = kind(**host_options) if kind is not None else None
    hosts = ("one", "two")
    specs = tuple(HostSpec(name=each, groups=("web",), labels={"role": "web"}, options=own) for each in hosts)
    stack = StackFile(
        name="contract", path=folder / "stack.yaml", folder=folder, provider=name, provider_options=options, hosts=specs
    )
    state = StateDir(folder / "state")
    lease = Lease(owner="tester", state_id=state.id, stack="contract", env="", expires=FAR, directory=str(state.path))
    return Case(open_provider(stack, state), specs, state, lease, options=options, host_options=host_options)


def answers(host: Host) -> bool:
    """Return whether a host can be logged in to and runs a command."""
    transport = open_transport(host)
    try:
        transport.open(Deadline(10))
        return transport.run(["true"], Deadline(10)).exit == 0
    except TransportError:
        return False
    finally:
        transport.close()


class ProviderContract:
    """What holds for both kinds.

    Two fixtures are asked for. `name`: the provider's. `case`: a Case of it, with its hosts made if it makes any.
    """

    def test_hosts_come_as_declared_running_and_with_a_way_in(self, case: Case) -> None:
        case.answer()
        hosts = case.hosts()
        assert [(host.name, host.groups, dict(host.labels)) for host in hosts] == [
            ("one", ("web",), {"role": "web"}),
            ("two", ("web",), {"role": "web"}),
        ]
        for host in hosts:
            assert host.state == RUNNING
            assert host.address
            assert not host.reason

    def test_hosts_are_looked_up_without_writing(self, case: Case) -> None:
        case.answer()
        before = sorted(path.name for path in case.state.path.iterdir())
        assert case.hosts() == case.hosts()
        assert sorted(path.name for path in case.state.path.iterdir()) == before

    def test_what_was_made_is_what_exists_with_its_lease(self, case: Case) -> None:
        by_id: dict[str, Resource] = {}

        def ids() -> set[str]:
            by_id.update({each.id: each for each in case.mine()})
            return set(by_id)

        case.until(ids, {each.id for each in case.made})
        for each in case.made:
            resource = by_id[each.id]
            assert (resource.kind, resource.name) == (each.kind, each.name)
            assert resource.labels["infratest.owner"] == "tester"
            assert resource.labels["infratest.stack"] == "contract"
            assert resource.labels.get("infratest.env", "") == ""
            assert resource.labels["infratest.expires"] == str(FAR)
            assert resource.labels["infratest.directory"] == str(case.state.path)

    def test_an_unknown_option_is_refused(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"stack.yaml: provider .*unknown key 'nonsense'"):
            case_of(name, tmp_path, {"nonsense": 1})

    def test_the_doctor_says_what_is_there_and_what_to_do(self, name: str) -> None:
        kind = builtin("provider", name)
        assert issubclass(kind, Doctor)
        findings = kind.doctor()
        assert findings
        assert all(finding.name and finding.found for finding in findings)
        assert all(finding.advice for finding in findings if not finding.usable)

    def states_of_nothing(self, case: Case, folder: Path) -> list[str]:
        """Return the states of a host that was never made, looked at where no state directory is; none is made."""
        context = Context(folder=folder, state=folder / "none", stack="contract", env="")
        provider = type(case.provider)(case.provider.options, context)
        hosts = provider.hosts([HostSpec(name="one")], Deadline(LONG, provider.clock.monotonic))
        assert not (folder / "none").exists()
        return [host.state for host in hosts]


class MakingContract(ProviderContract):
    """A provider that makes and removes hosts."""

    def test_names_of_hosts_are_the_names_of_their_resources(self, case: Case) -> None:
        assert {each.name for each in case.made if each.kind == "host"} == {"one", "two"}

    def test_what_was_never_made_is_gone(self, case: Case, tmp_path: Path) -> None:
        assert self.states_of_nothing(case, tmp_path) == [GONE]

    def test_halted_and_started_it_is_the_same_host(self, case: Case) -> None:
        assert isinstance(case.provider, Halts)
        case.answer()
        one = next(each for each in case.made if each.name == "one")
        address = case.hosts()[0].address
        case.provider.halt(one, case.deadline())
        case.until(case.states, [STOPPED, RUNNING])
        assert not answers(case.hosts()[0]) or case.hosts()[0].transport == "fake"
        case.provider.start(one, case.deadline())
        case.until(case.states, [RUNNING, RUNNING])
        assert case.hosts()[0].address == address
        case.answer()

    def test_suspended_it_goes_on_where_it_was(self, case: Case) -> None:
        """Where its provider offers it."""
        if isinstance(case.provider, Suspends) and isinstance(case.provider, Halts):
            case.answer()
            one = next(each for each in case.made if each.name == "one")
            case.provider.suspend(one, case.deadline())
            case.until(case.states, [PAUSED, RUNNING])
            case.provider.start(one, case.deadline())
            case.until(case.states, [RUNNING, RUNNING])
            case.answer()

    def test_rebuilt_in_place_it_is_the_same_host(self, case: Case) -> None:
        """Where its provider offers it; one that says no to it has done nothing."""
        if isinstance(case.provider, Rebuilds):
            case.answer()
            one = next(each for each in case.made if each.name == "one")
            before = {each.id for each in case.mine()}, case.hosts()[0]
            case.provider.rebuild(one, case.specs[0], case.deadline())
            case.answer()
            assert ({each.id for each in case.mine()}, case.hosts()[0]) == before

    def test_a_stopped_host_stands_aside_for_another_one_of_its_name(self, case: Case) -> None:
        """Where its provider offers it."""
        provider = case.provider
        if not isinstance(provider, SetsAside) or not isinstance(provider, Halts) or provider.why_not_aside():
            return
        case.answer()
        one = next(each for each in case.made if each.name == "one")
        provider.halt(one, case.deadline())
        for _ in range(2):
            provider.rename(one, aside_name("one"), case.deadline())
        case.until(case.states, [GONE, RUNNING])
        request = next(each for each in case.provider.requests(case.specs, case.lease)[-1] if each.name == "one")
        another = case.provider.create(request, case.deadline())
        case.made.append(another)
        case.answer()

        def places() -> set[tuple[str, str]]:
            return {(each.id, each.name) for each in case.mine() if each.kind == "host" and each.name != "two"}

        case.until(places, {(one.id, "one~old"), (another.id, "one")})
        provider.destroy(another, case.deadline())
        provider.rename(one, "one", case.deadline())
        case.until(case.states, [STOPPED, RUNNING])
        provider.start(one, case.deadline())
        case.answer()
        case.made.remove(another)

    def test_what_is_kept_can_be_brought_back(self, case: Case) -> None:
        """Where its provider offers it."""
        provider = case.provider
        if not isinstance(provider, Snapshots):
            return
        case.answer()
        one = next(each for each in case.made if each.name == "one")
        provider.take_snapshot(one, "first", case.deadline())
        with pytest.raises(ProviderError, match="first"):
            provider.take_snapshot(one, "first", case.deadline())
        provider.take_snapshot(one, "second", case.deadline())
        assert [each.name for each in provider.snapshots(one, case.deadline())] == ["first", "second"]
        provider.restore_snapshot(one, "first", case.deadline())
        if isinstance(provider, Halts):  # where its disk alone was kept, it is stopped now
            provider.start(one, case.deadline())
        case.answer()
        provider.delete_snapshot(one, "first", case.deadline())
        assert [each.name for each in provider.snapshots(one, case.deadline())] == ["second"]
        for verb in (provider.restore_snapshot, provider.delete_snapshot):
            with pytest.raises(ProviderError, match="first"):
                verb(one, "first", case.deadline())
        provider.delete_snapshot(one, "second", case.deadline())
        assert provider.snapshots(one, case.deadline()) == []

    def test_a_console_is_text(self, case: Case) -> None:
        """Where its provider offers it; one for many clouds refuses, in words, where this one has none."""
        if isinstance(case.provider, Consoles):
            one = next(each for each in case.made if each.name == "one")
            try:
                text = case.provider.console(one, case.deadline()).text
            except UserError as refused:
                text = str(refused)
                if "has no console log" not in text:
                    raise
            assert isinstance(text, str)

    def test_removed_twice_it_is_gone_and_others_stay(self, case: Case, tmp_path: Path) -> None:
        case, other = case.another(tmp_path / "a"), case.another(tmp_path / "b")
        try:
            case.make()
            other.make()
            case.answer()
            other.answer()
            one = next(each for each in case.made if each.name == "one")
            case.provider.destroy(one, case.deadline())
            case.provider.destroy(one, case.deadline())
            case.until(case.states, [GONE, RUNNING])
            case.remove()
            case.until(lambda: len(case.mine()), 0)
            case.until(case.states, [GONE, GONE])
            other.until(lambda: len(other.mine()), len(other.made))
            other.until(other.states, [RUNNING, RUNNING])
        finally:
            case.remove()
            other.remove()


class FindingContract(ProviderContract):
    """A provider of hosts that are there already: it makes and removes nothing."""

    def test_it_makes_and_removes_nothing(self, name: str, tmp_path: Path) -> None:
        case = case_of(name, tmp_path, {})
        assert case.provider.requests(case.specs, case.lease) == []
        with pytest.raises(ProviderError, match="removes nothing"):
            case.provider.destroy(Resource(kind="host", id="one", name="one"), Deadline(LONG))
        assert not isinstance(case.provider, Halts)

    def test_what_is_declared_is_there(self, case: Case, tmp_path: Path) -> None:
        assert self.states_of_nothing(case, tmp_path) == [RUNNING]
