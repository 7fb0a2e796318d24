"""What every provider must do, asked of all of them: files, this machine, hosts behind a real sshd, real containers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from infratest import outsiders as registry
from infratest.deadline import Deadline
from infratest.diagnosis import Doctor
from infratest.errors import ProviderError, TransportError, UserError
from infratest.hosts import GONE, RUNNING, STOPPED, Host
from infratest.providers.base import Context, Halts, HostSpec, Lease, Provider, Resource
from infratest.stack.declared import StackFile
from infratest.stack.open import open_provider, open_transport
from infratest.store.directory import StateDir
from tests.worlds.sshd import running_sshd, wait_until

MAKING, FINDING = ["fake", "container"], ["local", "existing"]
LONG = 120.0


@dataclass
class Case:
    """A provider with two hosts, in a folder of its own."""

    provider: Provider
    specs: tuple[HostSpec, ...]
    state: StateDir
    lease: Lease
    made: list[Resource]

    def hosts(self) -> list[Host]:
        return self.provider.hosts(self.specs, Deadline(LONG))

    def mine(self) -> list[Resource]:
        found = self.provider.existing(Deadline(LONG))
        return [one for one in found if one.labels.get("infratest.state") == self.lease.state_id]

    def make(self) -> None:
        for together in self.provider.requests(self.specs, self.lease):
            with ThreadPoolExecutor(4) as pool:
                self.made += pool.map(lambda request: self.provider.create(request, Deadline(LONG)), together)

    def remove(self) -> None:
        for kinds in (("host",), ("network",)):
            for one in self.mine():
                if one.kind in kinds:
                    self.provider.destroy(one, Deadline(LONG))


def case_of(name: str, folder: Path, options: dict, **fields: object) -> Case:
    specs = tuple(HostSpec(name=each, groups=("web",), labels={"role": "web"}, **fields) for each in ("one", "two"))
    stack = StackFile(
        name="contract", path=folder / "stack.yaml", folder=folder, provider=name, provider_options=options, hosts=specs
    )
    state = StateDir(folder / "state")
    lease = Lease(
        owner="tester", state_id=state.id, stack="contract", env="", expires=4102444800, directory=str(state.path)
    )
    return Case(open_provider(stack, state), specs, state, lease, [])


@pytest.fixture(scope="module", params=[*MAKING, *FINDING])
def any_case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "existing":
        with running_sshd(folder / "sshd") as server:
            reach = {"address": server.address, "port": server.port, "user": server.user, "key": str(server.key)}
            options = {"known-hosts": str(server.known_hosts), "config": "none", "agent": False}
            yield case_of("existing", folder, options, **reach)
    else:
        case = case_of(request.param, folder, {})
        try:
            case.make()
            yield case
        finally:
            case.remove()


@pytest.fixture(scope="module", params=MAKING)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    case = case_of(request.param, tmp_path_factory.mktemp(request.param), {})
    try:
        case.make()
        yield case
    finally:
        case.remove()


def answers(host: Host) -> bool:
    transport = open_transport(host)
    try:
        transport.open(Deadline(10))
        return transport.run(["true"], Deadline(10)).exit == 0
    except TransportError:
        return False
    finally:
        transport.close()


def test_hosts_come_as_declared_running_and_with_a_way_in(any_case: Case) -> None:
    hosts = any_case.hosts()
    assert [(host.name, host.groups, dict(host.labels)) for host in hosts] == [
        ("one", ("web",), {"role": "web"}),
        ("two", ("web",), {"role": "web"}),
    ]
    for host in hosts:
        assert host.state == RUNNING
        assert host.address
        wait_until(lambda host=host: answers(host), 30)


def test_hosts_are_looked_up_without_writing(any_case: Case) -> None:
    before = sorted(path.name for path in any_case.state.path.iterdir())
    assert any_case.hosts() == any_case.hosts()
    assert sorted(path.name for path in any_case.state.path.iterdir()) == before


def test_what_was_made_is_what_exists_with_its_lease(any_case: Case) -> None:
    by_id = {one.id: one for one in any_case.mine()}
    assert set(by_id) == {one.id for one in any_case.made}
    for one in any_case.made:
        found = by_id[one.id]
        assert (found.kind, found.name) == (one.kind, one.name)
        assert found.labels["infratest.owner"] == "tester"
        assert found.labels["infratest.stack"] == "contract"
        assert found.labels.get("infratest.env", "") == ""
        assert found.labels["infratest.expires"] == "4102444800"
        assert found.labels["infratest.directory"] == str(any_case.state.path)


@pytest.mark.parametrize("name", FINDING)
def test_providers_that_only_find_make_and_remove_nothing(name: str, tmp_path: Path) -> None:
    case = case_of(name, tmp_path, {})
    assert case.provider.requests(case.specs, case.lease) == []
    with pytest.raises(ProviderError, match="removes nothing"):
        case.provider.destroy(Resource(kind="host", id="one", name="one"), Deadline(LONG))
    assert not isinstance(case.provider, Halts)


def test_names_of_hosts_are_the_names_of_their_resources(case: Case) -> None:
    assert {one.name for one in case.made if one.kind == "host"} == {"one", "two"}


def test_halted_and_started_it_is_the_same_host(case: Case) -> None:
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


@pytest.mark.parametrize("name", MAKING)
def test_removed_twice_it_is_gone_and_others_stay(name: str, tmp_path: Path) -> None:
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
        assert len(other.mine()) == 3
        assert [host.state for host in other.hosts()] == [RUNNING, RUNNING]
    finally:
        case.remove()
        other.remove()


@pytest.mark.parametrize("name", [*MAKING, *FINDING])
def test_unknown_option(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"stack.yaml: provider .*unknown key 'nonsense'"):
        case_of(name, tmp_path, {"nonsense": 1})


@pytest.mark.parametrize("name", [*MAKING, *FINDING])
def test_nothing_was_ever_made_here(name: str, tmp_path: Path) -> None:
    """Looking makes no state directory, and finds nothing of ours."""
    context = Context(folder=tmp_path, state=tmp_path / "none", stack="contract", env="")
    kind = registry.get("provider", name)
    provider = kind(case_of(name, tmp_path / "other", {}).provider.options, context)
    states = [host.state for host in provider.hosts([HostSpec(name="one", address="192.0.2.1")], Deadline(LONG))]
    assert states == [GONE if name in MAKING else RUNNING]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", MAKING + FINDING)
def test_doctor_says_what_was_found(name: str) -> None:
    kind = registry.get("provider", name)
    assert issubclass(kind, Doctor)
    findings = kind.doctor()
    assert findings
    assert all(finding.name and finding.found for finding in findings)
    assert all(finding.advice for finding in findings if not finding.usable)
