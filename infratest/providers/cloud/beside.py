"""The components of a stack at a cloud: firewalls as security groups, and addresses that are moved from host to host.

A host that is behind firewalls of its stack file is in these groups alone, and not in the one that lets hosts of a
stack reach each other: what is not allowed does not come in. Each of them lets in SSH, since a host may have only one.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.providers._component import ANYWHERE, Address, ComponentSpec, Firewall, Opening
from infratest.providers.base import HostSpec, Request, Resource
from infratest.providers.cloud import options
from infratest.providers.cloud.account import Account
from infratest.providers.cloud.drivers import base
from infratest.providers.cloud.drivers.base import Rule, Server
from infratest.providers.cloud.fleet import Fleet

FIREWALL, ADDRESS = "firewall", "address"


class Beside:
    """What one stack has beside its hosts in an account. Its methods are called from several threads at once."""

    def __init__(self, account: Account, fleet: Fleet) -> None:
        self._account, self._driver, self._fleet = account, account.driver, fleet
        self._lock = threading.Lock()
        self._made_behind: dict[str, Collection[str]] = {}  # the cloud's id of a server made here -> its groups

    def create(
        self, request: Request, component: ComponentSpec, name: str, labels: Mapping[str, str], network: str,
        deadline: Deadline,
    ) -> Resource:  # fmt: skip
        """Make a component; a firewall lets nothing in before it is fitted.

        Args:
            name: for people, at the cloud. network: the user's word for where the hosts are.
        """
        wish, driver = component.wish, self._driver

        def make(lib: object) -> tuple[str, Mapping[str, str]]:
            if isinstance(wish, Address):
                id, address = driver.create_address(lib, name, labels, wish.pool)
                return id, {"address": address}
            return driver.create_group(lib, name, labels, network), {}

        return self._fleet.make(request.kind, request.name, labels, make, deadline)

    def groups(
        self,
        components: Sequence[ComponentSpec],
        host: str,
        labels: Mapping[str, str],
        named: Callable[[str], str],
        deadline: Deadline,
    ) -> tuple[Resource, ...]:
        """Return the groups that a host is made in, by the cloud's own ids and names; none without a firewall.

        Args:
            labels: of the stack. named: returns the name of a component at the cloud.
        """
        mine = [one for one in components if one.kind == FIREWALL and host in one.hosts]
        found = [self._fleet.needed(FIREWALL, one.name, deadline, labels) for one in mine]
        return tuple(replace(there, name=named(there.name)) for there in found)

    def made_behind(self, server: str, groups: Sequence[Resource]) -> None:
        """Hear that a server was made in these groups, so that nobody needs to look."""
        with self._lock:
            self._made_behind[server] = {one.id for one in groups}

    def fit(
        self,
        component: ComponentSpec,
        made: Resource,
        hosts: Sequence[Resource],
        specs: Mapping[str, HostSpec],
        components: Sequence[ComponentSpec],
        deadline: Deadline,
    ) -> None:
        """Have the rules of a firewall, and who is behind it, as declared; have an address at its host."""
        mine = [one for one in hosts if one.name in component.hosts]
        if isinstance(component.wish, Address):
            for host in mine:
                self._give(made, host, options.ports_of(specs[host.name]), deadline)
        elif isinstance(component.wish, Firewall):
            self._open(component, component.wish, made, hosts, specs, deadline)
            for host in mine:
                self.put_behind(host, components, deadline)

    def _give(self, made: Resource, host: Resource, ports: Sequence[int], deadline: Deadline) -> None:
        region, server = self._fleet.parts(host.id)
        # An address is at a port of a server, which a cloud makes while the server is on its way.
        self._fleet.wait(host.name, host.id, lambda seen: seen.state in (base.RUNNING, base.STOPPED), deadline)
        id = self._fleet.parts(made.id)[1]
        what, changes = f"giving address {made.name} to server {host.name}", []

        def given(lib: object) -> bool:
            changes.append(self._driver.give_address(lib, id, server, ports))
            return changes[-1] is not None

        self._fleet.until_done(what, given, deadline, region)
        if changes != [False]:
            self._fleet.poller(region).touched()
            self._fleet.changed(region)

    def _open(
        self,
        component: ComponentSpec,
        wish: Firewall,
        made: Resource,
        hosts: Sequence[Resource],
        specs: Mapping[str, HostSpec],
        deadline: Deadline,
    ) -> None:
        _, id = self._fleet.parts(made.id)
        addresses: dict[str, tuple[str, ...]] = {}
        named = {name for one in wish.openings for name in one.hosts}
        for host in hosts:
            if host.name in named:  # who is on its way has no address yet by which it could be let in
                server = self._fleet.wait(host.name, host.id, lambda seen: bool(_inside(seen)), deadline)
                addresses[host.name] = _inside(server)
        ports = {options.of_host(specs[name]).ssh_port for name in component.hosts if name in specs}
        rules = {*_ssh(ports), *(rule for one in wish.openings for rule in rules_of(one, addresses))}
        what = f"setting the rules of firewall {made.name}"
        self._fleet.until_done(what, lambda lib: self._driver.set_rules(lib, id, rules), deadline)

    def regroup(self, host: Resource, components: Sequence[ComponentSpec], deadline: Deadline) -> None:
        """Put a host that is halted behind its firewalls, before it starts: some clouds do it then alone."""
        if self._driver.regroups_halted and components:
            region, _ = self._fleet.parts(host.id)
            self._fleet.others(region, deadline)
            settled = (base.RUNNING, base.STOPPED)
            server = self._fleet.wait(host.name, host.id, lambda seen: seen.state in settled, deadline)
            if server.state == base.STOPPED:
                self.put_behind(host, components, deadline)

    def put_behind(self, host: Resource, components: Sequence[ComponentSpec], deadline: Deadline) -> None:
        """Have a host be behind those firewalls of these that are for it, where there are some, and no others."""
        region, server = self._fleet.parts(host.id)
        names = [one.name for one in components if one.kind == FIREWALL and host.name in one.hosts]
        if not names:
            return
        groups = [self._fleet.needed(FIREWALL, name, deadline, host.labels).id for name in names]
        with self._lock:
            known = self._made_behind.get(server)
        if known is not None and {*known} == {*groups}:
            return
        what = f"putting server {host.name} behind {', '.join(names)}"
        self._account.call(what, lambda lib: self._driver.set_groups(lib, server, groups), deadline, region=region)
        with self._lock:
            self._made_behind[server] = {*groups}


def refuse(components: Sequence[ComponentSpec], specs: Sequence[HostSpec]) -> None:
    """Refuse hosts of one firewall that are not in one place. Raises UserError."""
    for one in components:
        networks = {options.of_host(spec).network for spec in specs if spec.name in one.hosts}
        if one.kind == FIREWALL and len(networks) > 1:
            words = f"its hosts are in several networks, {', '.join(sorted(networks))}; declare one for each"
            raise UserError(f"{one.where}: firewall {one.name}: {words}")


def rules_of(one: Opening, addresses: Mapping[str, Sequence[str]]) -> Iterator[Rule]:
    """Yield what an opening is to a cloud, a rule for each network.

    Args:
        addresses: of the stack's hosts, by name; who is not there yet is let in when it is.
    """
    found = [*one.networks, *(each for name in one.hosts for each in addresses.get(name, ()))]
    for text in found:
        network = ipaddress.ip_network(text)
        protocol = "icmpv6" if one.protocol == "icmp" and network.version == 6 else one.protocol
        ported = one.protocol in ("tcp", "udp")
        yield Rule(protocol, one.first if ported else 0, one.last if ported else 0, str(network))


def _ssh(ports: Collection[int]) -> Iterator[Rule]:
    for port in ports:
        yield from (Rule("tcp", port, port, network) for network in ANYWHERE)


def _inside(server: Server) -> tuple[str, ...]:
    """Return the addresses by which others of the stack see a server come."""
    return server.private or server.public


def address_of(made: Sequence[Resource], server: Server) -> str:
    """Return the address that a server was given, by what is listed; empty where it was given none."""
    inside = {*server.private, *server.public}
    return next((one.outputs["address"] for one in made
                 if one.kind == ADDRESS and one.outputs.get("inside") in inside), "")  # fmt: skip


def reached(spec: HostSpec, server: Server, given: str) -> str:
    """Return the address that a host is reached by, empty while it has none. `given`: its floating one."""
    wanted = options.reached_by(spec)
    floating = (given,) if given else ()
    found = {options.PUBLIC: server.public, options.PRIVATE: server.private, options.FLOATING: floating}
    if wanted.kind:
        return wanted.of(found[wanted.kind])
    return wanted.of(server.public) or wanted.of(server.private)
