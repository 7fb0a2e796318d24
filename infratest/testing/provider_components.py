"""What every provider that makes components must do with them: once each, with a lease, at their hosts, after them.

Beside `providers.MakingContract`, which is about hosts. All goes by the lifecycle, as a user's call does; where a
component really is, the case's own look says (`at`), not the provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infratest import outsiders
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.lifecycle import components
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.halt import halt
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.plugins import builtin
from infratest.providers._component import (
    ANYWHERE,
    Address,
    ComponentSpec,
    Firewall,
    KeyPair,
    MakesComponents,
    Opening,
)
from infratest.providers.base import HostSpec, Resource
from infratest.stack.declared import StackFile
from infratest.stack.open import component_values
from infratest.store.directory import StateDir
from infratest.testing.providers import LONG

ONE, TWO = "one", "two"
#: A key of nobody's: 32 zeros.
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA nobody"

#: One of each type that there is, in a stack of the hosts `one` and `two`.
COMPONENTS = {
    "firewall": ComponentSpec(
        name="wall",
        kind="firewall",
        hosts=(ONE, TWO),
        wish=Firewall(
            openings=(
                Opening(first=80, last=80, networks=ANYWHERE),
                Opening(first=8000, last=8010, hosts=(ONE,)),
            )
        ),
    ),
    "address": ComponentSpec(name="front", kind="address", hosts=(ONE,), wish=Address()),
    "keypair": ComponentSpec(name="key", kind="keypair", hosts=(ONE, TWO), wish=KeyPair(public=PUBLIC)),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A provider that makes components.

    Args:
        name: the provider's. options: its own. host_options: of both hosts. at: returns the names of the hosts that
        each component is at, by its name, of the stack with this state directory's id: those behind a firewall, the
        one that an address leads to. It asks whoever knows, and not the provider. more: components of an outsider's.
        only_halted: a host that runs is not put behind a firewall, and `up` says that it is to be halted first.
    """

    name: str
    at: Callable[[str], Mapping[str, set[str]]]
    options: Mapping[str, Any] = field(default_factory=dict)
    host_options: Mapping[str, Any] = field(default_factory=dict)
    more: tuple[ComponentSpec, ...] = ()
    only_halted: bool = False


class Stack:
    """A stack of the hosts `one` and `two`, in a folder of its own."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.folder = case, folder
        self.state = StateDir(folder / ".infratest")
        self.components: tuple[ComponentSpec, ...] = ()
        kind = outsiders.options_of(builtin("provider", case.name), "HostOptions")
        own = kind(**case.host_options) if kind is not None else None
        self.specs = tuple(HostSpec(name=name, options=own) for name in (ONE, TWO))

    def life(self) -> Lifecycle:
        """Return what a new call of a verb begins with."""
        stack = StackFile(
            name="contract", path=self.folder / "stack.yaml", folder=self.folder, provider=self.case.name,
            provider_options=self.case.options, hosts=self.specs, components=self.components,
        )  # fmt: skip
        return Lifecycle(stack, self.state, deadline=Deadline(LONG))

    def up(self, *components: ComponentSpec) -> Mapping[str, Resource]:
        """Bring it up with these components declared, and return them as they are then, by their names."""
        self.components = components
        if self.case.only_halted and self._is_to_be_halted():
            with pytest.raises(ProviderError, match="run `infratest halt`"):
                up(self.life())
            halt(self.life())
        up(self.life())
        return self.beside()

    def _is_to_be_halted(self) -> bool:
        there, at = {one.name for one in self.mine() if one.kind == "host"}, self.at()
        return any((hosts & there) - at.get(name, set()) for name, hosts in self.declared().items())

    def declared(self) -> dict[str, set[str]]:
        return {one.name: {*one.hosts} for one in self.components}

    def at(self) -> dict[str, set[str]]:
        names = {one.name for one in self.components}
        return {name: hosts for name, hosts in self.case.at(self.state.id).items() if name in names}

    def mine(self) -> list[Resource]:
        life = self.life()
        found = life.listing.settled(life.limit(LONG))
        return [one for one in found if one.labels.get("infratest.state") == self.state.id]

    def hosts(self) -> set[str]:
        """Return the ids of its hosts."""
        return {one.id for one in self.mine() if one.kind == "host"}

    def beside(self) -> dict[str, Resource]:
        """Return what exists of the types that the provider makes, by the components' names."""
        names = {one.name for one in self.components}
        return {one.name: one for one in self.mine() if one.kind != "host" and one.name in names}

    def made(self, *declared: ComponentSpec) -> dict[str, Resource]:
        """Make components and nothing else, and die before their being made is written down."""
        self.components = declared
        life = self.life()
        made: dict[str, Resource] = {}
        components.foresee(life)
        with life.state.lock(purpose="a test"):
            operation = life.journal.begin("up", "contract", "")
            beside = components.requests(life, life.stack.hosts)
            for request in [*components.carriers(life, beside), *beside]:
                operation.asked(request.kind, request.name)
                resource = life.provider.create(request, life.limit(LONG))
                made |= {request.name: resource} if request.component else {}
        return made

    def remove(self) -> None:
        destroy(self.life())
        reap(self.life())


class ComponentsContract:
    """One fixture is asked for: `case`, a Case of a provider; it has the scope of a module."""

    @pytest.fixture
    def every(self, case: Case, tmp_path: Path) -> tuple[ComponentSpec, ...]:
        """One component of each type that the provider makes."""
        provider = Stack(case, tmp_path).life().provider
        assert isinstance(provider, MakesComponents)
        kinds = provider.makes()
        assert kinds
        assert {*kinds} <= {*provider.COMPONENTS}
        return (*(one for kind, one in COMPONENTS.items() if kind in kinds), *case.more)

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls, case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
        """A stack whose hosts have run before any component was declared."""
        stack = Stack(case, tmp_path_factory.mktemp("running"))
        try:
            stack.up()
            yield stack
        finally:
            stack.remove()
        assert stack.mine() == []

    def test_it_carries_the_lease_from_the_first_and_what_a_dead_run_made_is_reaped(
        self, case: Case, every: tuple[ComponentSpec, ...], tmp_path: Path
    ) -> None:
        ours, others = Stack(case, tmp_path / "ours"), Stack(case, tmp_path / "others")
        for stack in (ours, others):
            stack.folder.mkdir()
        try:
            made, foreign = ours.made(*every), others.made(*every)
            labels = ours.life().lease().labels()
            del labels["infratest.expires"]  # it is begun anew by each call
            for seen in (made, ours.beside()):
                assert _ids(seen) == _ids(made)
                for one in every:
                    assert (seen[one.name].kind, _given(seen[one.name])) == (one.kind, _given(made[one.name]))
                    assert int(seen[one.name].labels["infratest.expires"]) > ours.life().clock.time()
                    assert {key: seen[one.name].labels.get(key, "") for key in labels} == labels
            # What they stand in, where a cloud has them stand in something, goes too.
            kinds = {one.kind for one in every}
            assert {one.resource.name for one in reap(ours.life()).removed if one.resource.kind in kinds} == {*made}
            life = ours.life()
            for one in every:  # a second time is fine
                life.provider.destroy(made[one.name], life.limit(LONG))
            assert ours.mine() == []
            assert _ids(others.beside()) == _ids(foreign)
        finally:
            ours.remove()
            others.remove()

    def test_hosts_that_run_have_what_is_declared_later_and_it_is_made_once(
        self, running: Stack, every: tuple[ComponentSpec, ...]
    ) -> None:
        before = running.hosts()
        first = running.up(*every)
        assert running.at() == running.declared()
        assert running.hosts() == before
        held = running.life().journal.live().values()
        assert {(one.kind, one.name) for one in held} >= {(one.kind, one.name) for one in every}
        values = component_values(running.life().stack, running.state)
        assert {one.name: dict(values.get((one.kind, one.name), {})) for one in every} == {
            name: _given(one) for name, one in first.items()
        }
        again = running.up(*every)
        assert running.at() == running.declared()
        assert _ids(again) == _ids(first)
        assert {name: _given(one) for name, one in again.items()} == {name: _given(one) for name, one in first.items()}

    def test_it_outlives_its_hosts_and_those_that_are_made_anew_have_it(
        self, running: Stack, every: tuple[ComponentSpec, ...]
    ) -> None:
        first = running.up(*every)
        destroy(running.life(), [ONE])
        assert _ids(running.beside()) == _ids(first)
        assert {name: hosts - {ONE} for name, hosts in running.at().items()} == running.at()
        again = running.up(*every)
        assert _ids(again) == _ids(first)
        assert running.at() == running.declared()

    def test_all_of_a_stack_goes_with_it_and_one_in_use_waits_for_its_hosts(
        self, running: Stack, every: tuple[ComponentSpec, ...]
    ) -> None:
        made, life = running.up(*every), running.life()
        with ThreadPoolExecutor(len(made)) as pool:
            early = [pool.submit(life.provider.destroy, one, life.limit(LONG)) for one in made.values()]
            gone = destroy(running.life())
            for each in early:
                each.result(LONG)
        assert {one.name for one in gone} >= {ONE, TWO}
        assert running.mine() == []
        assert running.life().journal.records() == []


def _ids(there: Mapping[str, Resource]) -> dict[str, str]:
    return {name: one.id for name, one in there.items()}


def _given(one: Resource) -> dict[str, str]:
    """Return what a component gives to others: the values that may stand in braces."""
    attributes = outsiders.get("component", one.kind).attributes
    return {key: one.outputs[key] for key in attributes}
