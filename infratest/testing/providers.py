"""What every provider must do: hosts as declared, leases on all that it makes, removal of that and of nothing else.

Two suites, for the two kinds of providers there are: those that make hosts and those that only find them.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.diagnosis import Doctor
from infratest.errors import ProviderError, TransportError, UserError
from infratest.hosts import GONE, PAUSED, RUNNING, STOPPED, Host
from infratest.outsiders import options_of
from infratest.plugins import builtin
from infratest.providers.base import (
    Consoles,
    Context,
    Halts,
    HostSpec,
    Lease,
    Provider,
    Resource,
    Snapshots,
    Suspends,
)
from infratest.stack.declared import StackFile
from infratest.stack.open import open_provider, open_transport
from infratest.store.directory import StateDir
from infratest.testing.waiting import wait_until

#: Seconds that nothing a healthy provider does may take.
LONG = 120.0
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

    def hosts(self) -> list[Host]:
        return self.provider.hosts(self.specs, Deadline(LONG))

    def mine(self) -> list[Resource]:
        """Return what exists under the lease of this case alone."""
        resources = self.provider.existing(Deadline(LONG))
        return [each for each in resources if each.labels.get("infratest.state") == self.lease.state_id]

    def make(self) -> None:
        for together in self.provider.requests(self.specs, self.lease):
            with ThreadPoolExecutor(4) as pool:
                self.made += pool.map(lambda request: self.provider.create(request, Deadline(LONG)), together)

    def remove(self) -> None:
        """Remove all that was made: hosts first, then what they stand on."""
        for hosts in (True, False):
            for each in self.mine():
                if (each.kind == "host") == hosts:
                    self.provider.destroy(each, Deadline(LONG))


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
    return Case(open_provider(stack, state), specs, state, lease)


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
        hosts = case.hosts()
        assert [(host.name, host.groups, dict(host.labels)) for host in hosts] == [
            ("one", ("web",), {"role": "web"}),
            ("two", ("web",), {"role": "web"}),
        ]
        for host in hosts:
            assert host.state == RUNNING
            assert host.address
            wait_until(partial(answers, host), 30)

    def test_hosts_are_looked_up_without_writing(self, case: Case) -> None:
        before = sorted(path.name for path in case.state.path.iterdir())
        assert case.hosts() == case.hosts()
        assert sorted(path.name for path in case.state.path.iterdir()) == before

    def test_what_was_made_is_what_exists_with_its_lease(self, case: Case) -> None:
        by_id = {each.id: each for each in case.mine()}
        assert set(by_id) == {each.id for each in case.made}
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

    def states_of_nothing(self, name: str, folder: Path) -> list[str]:
        """Return the states of a host that was never made, looked at where no state directory is; none is made."""
        context = Context(folder=folder, state=folder / "none", stack="contract", env="")
        provider: Provider = builtin("provider", name)(case_of(name, folder / "other", {}).provider.options, context)
        hosts = provider.hosts([HostSpec(name="one")], Deadline(LONG))
        assert not (folder / "none").exists()
        return [host.state for host in hosts]


class MakingContract(ProviderContract):
    """A provider that makes and removes hosts."""

    def test_names_of_hosts_are_the_names_of_their_resources(self, case: Case) -> None:
        assert {each.name for each in case.made if each.kind == "host"} == {"one", "two"}

    def test_what_was_never_made_is_gone(self, name: str, tmp_path: Path) -> None:
        assert self.states_of_nothing(name, tmp_path) == [GONE]

    def test_halted_and_started_it_is_the_same_host(self, case: Case) -> None:
        assert isinstance(case.provider, Halts)
        one = next(each for each in case.mine() if each.name == "one")
        address = case.hosts()[0].address
        case.provider.halt(one, Deadline(LONG))
        assert [host.state for host in case.hosts()] == [STOPPED, RUNNING]
        assert not answers(case.hosts()[0]) or case.hosts()[0].transport == "fake"
        case.provider.start(one, Deadline(LONG))
        assert [host.state for host in case.hosts()] == [RUNNING, RUNNING]
        assert case.hosts()[0].address == address
        wait_until(lambda: answers(case.hosts()[0]), 30)

    def test_suspended_and_started_it_goes_on(self, case: Case) -> None:
        if not isinstance(case.provider, Suspends):
            pytest.skip("it suspends nothing")
        assert isinstance(case.provider, Halts)
        one = next(each for each in case.mine() if each.name == "one")
        case.provider.suspend(one, Deadline(LONG))
        assert [host.state for host in case.hosts()] == [PAUSED, RUNNING]
        case.provider.start(one, Deadline(LONG))
        assert [host.state for host in case.hosts()] == [RUNNING, RUNNING]
        wait_until(lambda: answers(case.hosts()[0]), 30)

    def test_what_is_kept_can_be_brought_back(self, case: Case) -> None:
        if not isinstance(case.provider, Snapshots):
            pytest.skip("it keeps no snapshots")
        one = next(each for each in case.mine() if each.name == "one")
        case.provider.take_snapshot(one, "first", Deadline(LONG))
        with pytest.raises(ProviderError, match="first"):
            case.provider.take_snapshot(one, "first", Deadline(LONG))
        case.provider.take_snapshot(one, "second", Deadline(LONG))
        assert [each.name for each in case.provider.snapshots(one, Deadline(LONG))] == ["first", "second"]
        case.provider.restore_snapshot(one, "first", Deadline(LONG))
        if case.hosts()[0].state == STOPPED:  # its disk alone was kept
            assert isinstance(case.provider, Halts)
            case.provider.start(one, Deadline(LONG))
        wait_until(lambda: answers(case.hosts()[0]), 60)
        case.provider.delete_snapshot(one, "first", Deadline(LONG))
        assert [each.name for each in case.provider.snapshots(one, Deadline(LONG))] == ["second"]
        with pytest.raises(ProviderError, match="first"):
            case.provider.restore_snapshot(one, "first", Deadline(LONG))
        case.provider.delete_snapshot(one, "second", Deadline(LONG))
        assert case.provider.snapshots(one, Deadline(LONG)) == []

    def test_a_console_is_text(self, case: Case) -> None:
        if not isinstance(case.provider, Consoles):
            pytest.skip("it shows no console")
        one = next(each for each in case.mine() if each.name == "one")
        assert isinstance(case.provider.console(one, Deadline(LONG)).text, str)

    def test_removed_twice_it_is_gone_and_others_stay(self, name: str, tmp_path: Path) -> None:
        case, other = case_of(name, tmp_path / "a", {}), case_of(name, tmp_path / "b", {})
        try:
            case.make()
            other.make()
            one = next(each for each in case.mine() if each.name == "one")
            case.provider.destroy(one, Deadline(LONG))
            case.provider.destroy(one, Deadline(LONG))
            assert [host.state for host in case.hosts()] == [GONE, RUNNING]
            case.remove()
            assert case.mine() == []
            assert [host.state for host in case.hosts()] == [GONE, GONE]
            assert len(other.mine()) == len(other.made)
            assert [host.state for host in other.hosts()] == [RUNNING, RUNNING]
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

    def test_what_is_declared_is_there(self, name: str, tmp_path: Path) -> None:
        assert self.states_of_nothing(name, tmp_path) == [RUNNING]
