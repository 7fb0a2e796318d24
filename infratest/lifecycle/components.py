"""What a stack has beside its hosts: made by its provider where that can, else had on the hosts. Called by `up`.

Before the hosts come those that a provider makes, so that hosts are made with what is for them; when hosts are there,
each is made to fit them. Last comes what is had on the hosts, which must answer for that. A component is removed as any
resource is: by `destroy` with the last host, by the undo of an `up` that failed, by `reap`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infratest import outsiders
from infratest.components.base import Component, OnHosts
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.hosts import ABSENT, RUNNING, Host
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.removal import HOST
from infratest.providers._component import Address, CarriesComponents, ComponentSpec, MakesComponents
from infratest.providers.base import HostSpec, Request, Resource
from infratest.stack.open import opened
from infratest.store.beside import placed

#: Which of its addresses a host is reached by, where that is one that has to be had first.
FLOATING = "floating"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A component for people: what it is, for which hosts, and how it is had (`provider`, or a component's words)."""

    name: str
    kind: str
    words: str
    hosts: tuple[str, ...]
    way: str


def declared(life: Lifecycle) -> tuple[ComponentSpec, ...]:
    """Return the components of the stack: those of its file, and an address for each host that is reached by one."""
    written = life.stack.components
    addressed = {name for one in written if isinstance(one.wish, Address) for name in one.hosts}
    return (
        *written,
        *(
            ComponentSpec(name=spec.name, kind="address", hosts=(spec.name,), wish=Address(), where=spec.where)
            for spec in life.stack.hosts
            if FLOATING in spec.address.split() and spec.name not in addressed
        ),
    )


def foresee(life: Lifecycle) -> None:
    """Refuse what can be had neither of the provider nor on its hosts. Raises UserError: file, line, who can."""
    found = declared(life)
    own = _makes(life)
    for one in found:
        if not _made(one, own):
            _refuse(life, one)
    if isinstance(life.provider, MakesComponents):
        life.provider.declare([one for one in found if _made(one, own)], life.stack.hosts)


def requests(life: Lifecycle, specs: Sequence[HostSpec]) -> list[Request]:
    """Return what the provider is asked for beside these hosts, before any of them."""
    names, wanted = {spec.name for spec in specs}, _of_provider(life)
    wanted = [one for one in wanted if not one.hosts or names & {*one.hosts}]
    lease = life.lease() if wanted else None
    return [Request(kind=one.kind, name=one.name, lease=lease, component=one) for one in wanted if lease]


def carriers(life: Lifecycle, beside: Sequence[Request]) -> list[Request]:
    """Return what the provider is asked for before these requests of components, which are made in it."""
    wanted = [one.component for one in beside if one.component is not None]
    if not wanted or not isinstance(life.provider, CarriesComponents):
        return []
    return life.provider.carriers(wanted, life.lease())


def fit(life: Lifecycle, deadline: Deadline) -> None:
    """Have those that exist be as they are declared, for the hosts that exist."""
    provider, wanted = life.provider, _of_provider(life)
    if not wanted or not isinstance(provider, MakesComponents):
        return
    mine = life.mine(deadline)
    hosts, there = [one for one in mine if one.kind == HOST], {(one.kind, one.name): one for one in mine}

    def work(one: ComponentSpec) -> None:
        made = there.get((one.kind, one.name))
        if made is not None:
            provider.fit(one, made, hosts, deadline)

    life.all_well(life.each(wanted, work, life.stop))


def place(life: Lifecycle, specs: Sequence[HostSpec], deadline: Deadline) -> None:
    """Have these hosts, which answer, be as the components want that are had on them; undo what is declared no more."""
    own = _makes(life)
    wanted = [one for one in life.stack.components if not _made(one, own)]
    before = placed(life.journal.records())
    if not wanted and not before:
        return
    ids = {one.name: one.id for one in life.made(deadline)}
    everyone = [host for host in life.now(life.stack.hosts, deadline) if host.state not in ABSENT]
    addresses = {host.name: _addresses(host) for host in everyone}
    names = {spec.name for spec in specs}

    def work(host: Host) -> None:
        mine = [one for one in wanted if host.name in one.hosts]
        kinds = list(dict.fromkeys(one.kind for one in mine))
        every = sorted({*kinds, *before.get(ids[host.name], ())})
        if not every:
            return
        life.progress(host.name, "fitting", ", ".join(every))
        life.journal.placed(ids[host.name], host.name, every)
        transport = opened(host, deadline)
        try:
            for kind in every:
                _on_hosts(kind).place([one for one in mine if one.kind == kind], transport, addresses,
                                      life.stack.name, deadline)  # fmt: skip
        finally:
            transport.close()
        life.journal.placed(ids[host.name], host.name, kinds)

    running = [one for one in everyone if one.state == RUNNING and one.name in names and one.name in ids]
    life.all_well(life.each(running, work, life.stop))


def shown(life: Lifecycle) -> list[Shown]:
    """Return the components for people; asks nobody."""
    own = _makes(life)
    return [
        Shown(
            name=one.name,
            kind=one.kind,
            words=_plugin(one.kind).words(one),
            hosts=one.hosts,
            way="" if _made(one, own) else str(getattr(_plugin(one.kind), "on_hosts", "")),
        )
        for one in declared(life)
    ]


def of_hosts(mine: Iterable[Resource], names: set[str]) -> list[Resource]:
    """Return the components that hosts have by themselves, which bear their names, as a floating address."""
    kinds = outsiders.names("component")
    return [one for one in mine if one.kind in kinds and one.name in names]


def made_by_provider(life: Lifecycle, kind: str) -> MakesComponents:
    """Return the stack's provider, which makes this type of component. Raises UserError: it does not, and who does."""
    provider = life.provider
    if isinstance(provider, MakesComponents) and kind in provider.makes():
        return provider
    others = _providers_of(kind)
    words = f"; {' and '.join(others)} can" if others else ""
    raise UserError(f"provider {life.stack.provider} makes no {kind}{words}")


def _of_provider(life: Lifecycle) -> list[ComponentSpec]:
    own = _makes(life)
    return [one for one in declared(life) if _made(one, own)] if own else []


def _makes(life: Lifecycle) -> frozenset[str]:
    return frozenset(life.provider.makes()) if isinstance(life.provider, MakesComponents) else frozenset()


def _made(one: ComponentSpec, own: frozenset[str]) -> bool:
    """Return whether a component is made by the provider, which makes these types."""
    return one.kind in own and not one.on_hosts


def _refuse(life: Lifecycle, one: ComponentSpec) -> None:
    provider, start = life.stack.provider, f"{one.where}: {one.kind} {one.name}: "
    if isinstance(life.provider, CarriesComponents) and (way := life.provider.way_to(one.kind)):
        raise UserError(f"{start}{way}")
    others = _providers_of(one.kind)
    able = f"; {' and '.join(others)} can" if others else ""
    if not isinstance(_plugin(one.kind), OnHosts):
        if provider in others:  # one for many clouds, of which this is not able to
            provider, able = f"{provider} at {life.provider.places()[0]}", "; at other clouds it does"
        raise UserError(f"{start}provider {provider} makes no such thing{able}; remove it, or take another provider")
    if life.provider.declared:
        raise UserError(f"{start}hosts of provider {provider} were not made from here, and are left as they are{able}")


def _providers_of(kind: str) -> list[str]:
    """Return the providers that make a type of component, those that can be loaded here."""
    found = []
    for name in outsiders.names("provider"):
        try:
            able = getattr(outsiders.get("provider", name), "COMPONENTS", ())
        except (UserError, ImportError):
            continue
        if kind in able:
            found.append(name)
    return found


def _plugin(kind: str) -> type[Component]:
    found: type[Component] = outsiders.get("component", kind)
    return found


def _on_hosts(kind: str) -> type[OnHosts]:
    found: type[OnHosts] = outsiders.get("component", kind)
    return found


def _addresses(host: Host) -> Sequence[str]:
    """Return a host's address where it is one, and not a name, by which no rule could go."""
    try:
        ipaddress.ip_address(host.address)
    except ValueError:
        return ()
    return (host.address,)
