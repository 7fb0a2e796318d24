"""Ip: an address of the account's own for a host that is there, and given back again.

An address that the stack file declares is given to its host by `up`; one that is had by this verb bears the name of its
host, and goes with that.
"""

from __future__ import annotations

from dataclasses import dataclass

from infratest.errors import ProviderError, UserError, unknown
from infratest.lifecycle import components
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.removal import HOST
from infratest.lifecycle.up import ask, making
from infratest.providers._component import Address, ComponentSpec
from infratest.providers.base import Request, Resource
from infratest.stack.selection import chosen

ADDRESS = "address"


@dataclass(frozen=True, kw_only=True)
class Had:
    """An address that a stack has: its name, itself, and the host that it is for, empty where none is named."""

    name: str
    address: str
    host: str


def addresses(life: Lifecycle) -> list[Had]:
    """Return the addresses of the stack that exist, by their names; asks the provider, changes nothing."""
    components.made_by_provider(life, ADDRESS)
    hosts = {spec.name for spec in life.stack.hosts}
    declared = {one.name: one.hosts[0] for one in components.declared(life) if isinstance(one.wish, Address)}
    found = [one for one in life.mine(life.limit(OTHER)) if one.kind == ADDRESS]
    return [
        Had(name=one.name, address=one.outputs.get("address", ""),
            host=declared.get(one.name, one.name if one.name in hosts else ""))
        for one in sorted(found, key=lambda one: one.name)
    ]  # fmt: skip


def give(life: Lifecycle, host: str, pool: str = "") -> str:
    """Have a host be at an address of its own, and return that one; where it has one already, nothing is changed.

    Args:
        pool: where it is taken from, empty for the provider's choice.
    Raises:
        UserError: no such host, or the provider has no such addresses. ProviderError: the host is not there, or none
        could be had; the message says what was undone.
    """
    (spec,) = chosen(life.stack.hosts, [host])
    provider = components.made_by_provider(life, ADDRESS)
    beside = components.declared(life)
    wanted = next((one for one in beside if isinstance(one.wish, Address) and host in one.hosts), None)
    if wanted is None:
        wanted = ComponentSpec(name=host, kind=ADDRESS, hosts=(host,), wish=Address(pool=pool), where=spec.where)
        beside = (*beside, wanted)
    provider.declare([one for one in beside if one.kind in provider.makes()], life.stack.hosts)
    with making(life, "ip", OTHER) as (operation, deadline):
        hosts = [one for one in life.mine(deadline) if one.kind == HOST]
        if host not in {one.name for one in hosts}:
            raise ProviderError(f"{host} is not there; `infratest up` makes it")
        request = Request(kind=ADDRESS, name=wanted.name, lease=life.lease(), component=wanted)
        ask(life, components.carriers(life, [request]), operation, deadline)
        ask(life, [request], operation, deadline)
        (made,) = [one for one in life.mine(deadline) if (one.kind, one.name) == (ADDRESS, wanted.name)]
        provider.fit(wanted, made, hosts, deadline)
    return made.outputs.get("address", "")


def release(life: Lifecycle, name: str) -> Resource | None:
    """Give an address back, by its own name or its host's; return what it was, None where there is none.

    Raises:
        UserError: the stack file declares it, so that the next `up` would have another one; or nothing has that name.
    """
    components.made_by_provider(life, ADDRESS)
    for one in components.declared(life):
        if isinstance(one.wish, Address) and name in (one.name, *one.hosts):
            words = f"{one.where} declares it: take it out there first, or the next `up` has another one made"
            raise UserError(f"address {one.name} is not given back: {words}")
    with life.operation("ip", OTHER) as (operation, deadline):
        there = [one for one in life.mine(deadline) if one.kind == ADDRESS]
        found = next((one for one in there if one.name == name), None)
        hosts = [spec.name for spec in life.stack.hosts]
        if found is None and name not in hosts:
            raise UserError(unknown("address or host", name, sorted({*hosts, *(one.name for one in there)})))
        life.all_well(life.remove([found] if found else [], operation, deadline, life.stop))
    return found
