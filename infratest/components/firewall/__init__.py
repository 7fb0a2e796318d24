"""`type: firewall`: what comes in to hosts: what is allowed here, their SSH port, answers, and nothing else.

A security group where the provider has such things, rules of nftables on the hosts elsewhere (`nftables`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from infratest.components.base import Component, ForHosts, chosen
from infratest.components.firewall import nftables
from infratest.deadline import Deadline
from infratest.errors import UserError, unknown
from infratest.providers._component import ANYWHERE, FIRST_PORT, LAST_PORT, PROTOCOLS, ComponentSpec, Opening
from infratest.providers._component import Firewall as Wish
from infratest.providers.base import HostSpec
from infratest.transports.base import Transport

KEYS = ("port", "protocol", "from")
ANY = "any"
#: The protocols that have ports.
PORTED = ("tcp", "udp")


@dataclass(frozen=True, kw_only=True)
class Options(ForHosts):
    """What is let in to hosts."""

    allow: tuple[Any, ...] = field(
        default=(),
        metadata={
            "title": "a list of maps of port, protocol and from",
            "description": "Of a firewall: what is let in. port: 80, or 8000-8010; all without. protocol: tcp "
            "(default), udp, icmp or any. from: any (default), a network as 192.0.2.0/24, {group: NAME} or {host: "
            "NAME}. The SSH port always is let in.",
        },
    )
    on: Literal["provider", "hosts"] = field(
        default="provider",
        metadata={
            "description": "Of a firewall: hosts has it as rules of nftables there, also where the provider has such "
            "things of its own.",
        },
    )


class Firewall(Component):
    """What comes in to hosts: what is allowed, SSH, and the answers to what they asked for themselves."""

    options: Options
    on_hosts = "rules of nftables"

    def wish(self, hosts: Sequence[HostSpec]) -> Wish:
        found = [_opening(one, hosts, f"{self.where}.allow[{n}]") for n, one in enumerate(self.options.allow)]
        return Wish(openings=tuple(found))

    @classmethod
    def words(cls, spec: ComponentSpec) -> str:
        openings = spec.wish.openings if isinstance(spec.wish, Wish) else ()
        return f"lets in SSH{''.join(f', {_words(one)}' for one in openings)}, and nothing else"

    @classmethod
    def place(
        cls,
        components: Sequence[ComponentSpec],
        transport: Transport,
        addresses: Mapping[str, Sequence[str]],
        stack: str,
        deadline: Deadline,
    ) -> None:
        """Load the rules into the host's kernel, and have them loaded at each boot; see `nftables`."""
        wishes = [one.wish for one in components if isinstance(one.wish, Wish)]
        rules = nftables.rules([each for wish in wishes for each in wish.openings], addresses) if wishes else None
        nftables.load(transport, nftables.table(stack), rules, deadline)


def _opening(given: Any, hosts: Sequence[HostSpec], where: str) -> Opening:
    if not isinstance(given, Mapping):
        raise UserError(f"{where}: found {given!r}; write a map, such as {{port: 80, from: any}}")
    for key in given:
        if key not in KEYS:
            raise UserError(f"{where}: {unknown('key', str(key), KEYS)}")
    protocol = given.get("protocol", PORTED[0])
    if protocol not in PROTOCOLS:
        raise UserError(f"{where}.protocol: {unknown('protocol', str(protocol), PROTOCOLS)}")
    if "port" in given and protocol not in PORTED:
        raise UserError(f"{where}.port: {protocol} has no ports; leave it out, or say protocol: tcp")
    first, last = _ports(given["port"], f"{where}.port") if "port" in given else (FIRST_PORT, LAST_PORT)
    networks, names = _sources(given.get("from", ANY), hosts, f"{where}.from")
    return Opening(protocol=protocol, first=first, last=last, networks=networks, hosts=names)


def _ports(given: Any, where: str) -> tuple[int, int]:
    first, dash, last = str(given).partition("-")
    try:
        low, high = int(first), int(last if dash else first)
    except ValueError:
        low, high = 0, 0
    if isinstance(given, bool) or not FIRST_PORT <= low <= high <= LAST_PORT:
        raise UserError(f"{where}: found {given!r}; write a port from 1 to 65535, or two with a hyphen: 8000-8010")
    return low, high


def _sources(given: Any, hosts: Sequence[HostSpec], where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the networks and the names of hosts that may come in."""
    if given == ANY:
        return ANYWHERE, ()
    if isinstance(given, Mapping):
        if not given:
            raise UserError(f"{where}: found an empty map; write {{group: NAME}} or {{host: NAME}}, or any")
        return (), chosen(given, hosts, where)
    try:
        return (str(ipaddress.ip_network(str(given), strict=True)),), ()
    except ValueError as error:
        words = "write any, a network such as 192.0.2.0/24, {group: NAME} or {host: NAME}"
        raise UserError(f"{where}: found {given!r} ({error}); {words}") from None


def _words(one: Opening) -> str:
    every = one.protocol not in PORTED or (one.first, one.last) == (FIRST_PORT, LAST_PORT)
    ports = "" if every else f" {one.first}" if one.first == one.last else f" {one.first}-{one.last}"
    source = "any" if one.networks == ANYWHERE else ", ".join([*one.networks, *one.hosts])
    return f"{'all' if one.protocol == ANY else one.protocol}{ports} from {source}"
