"""Isolated networks of CloudStack that are a stack's own, and the public addresses in them.

A public address is taken by a request that has no room for labels; tags can be given afterwards. But it is taken for a
network, and a network's display text is part of the request that makes it: so what an address belongs to is known by
its network from the first moment, and what has no tag yet is of a run that was killed. It goes with its network at the
latest. Names of commands and fields are those of the API reference.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from infratest.errors import ProviderError, UserError
from infratest.providers.base import Resource
from infratest.providers.cloud.drivers._cloudstack_jobs import Changes
from infratest.providers.cloud.drivers._described import PREFIX, described, labels_of
from infratest.providers.cloud.drivers.base import NAME_LABEL, NETWORK

ADDRESS = "address"
#: What a network's offering must have: hosts that get an address and user data, a way out, and addresses of their own.
SERVICES = "Dhcp,UserData,SourceNat,StaticNat,Firewall"
EVERYWHERE = "0.0.0.0/0"
#: By which labels a network is of a stack.
PLACE = tuple(f"{PREFIX}{key}" for key in ("state", "stack", "env"))


class Networks:
    """The own networks of an account's stacks. Its methods are called from several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes = Changes()
        self._taken: set[str] = set()  # ids of addresses that were named from here: the tag comes by a job
        self._leaving: set[str] = set()

    def listed(self, lib: Any) -> list[Resource]:
        """Return all of ours, whoever's lease it has; an address without a name yet is called what it is."""
        own = self._own(lib)
        networks = [Resource(kind=NETWORK, id=id, name=of[NAME_LABEL], labels=of) for id, of in own.items()]
        return [*networks, *(_address(one, own) for one in self._addresses(lib, own))]

    def create(self, lib: Any, name: str, labels: Mapping[str, str], zone: str) -> str:
        """Return the network of that name, made where there is none, from which its servers reach everything."""
        for id, of in self._own(lib).items():
            if _same(of, labels) and of[NAME_LABEL] == labels[NAME_LABEL]:
                return id
        offering = self._offering(lib, zone)
        given = {"name": name, "displaytext": described(labels), "zoneid": zone, "networkofferingid": offering["id"]}
        id = str(lib.ask("createNetwork", **given)["network"]["id"])
        if not offering.get("egressdefaultpolicy"):
            answer = lib.ask("createEgressFirewallRule", networkid=id, protocol="all", cidrlist=EVERYWHERE)
            self._changes.asked(id, answer, f"letting out what is in network {name}")
        return id

    def judge(self, lib: Any, id: str) -> bool:
        """Return whether all that was asked for is done. Raises ProviderError: a job of it failed, and why."""
        return self._changes.judge(lib, id)

    def take(self, lib: Any, labels: Mapping[str, str]) -> tuple[str, str]:
        """Have a public address in a stack's network, and return its id and itself."""
        name = labels[NAME_LABEL]
        own = [id for id, of in self._own(lib).items() if _same(of, labels)]
        if not own:
            raise ProviderError(f"address {name}: its stack's network is not there: run `infratest up` once more")
        with self._lock:
            # One without a name is of a call whose answer was lost.
            there = [str(one["id"]) for one in self._addresses(lib, own) if not _name(one)]
            id = next((one for one in there if one not in self._taken), "")
            if not id:
                answer = lib.ask("associateIpAddress", networkid=own[0])
                id = str(answer["id"])
                self._changes.asked(id, answer, f"taking address {name}")
            self._taken.add(id)
        tag = {"tags[0].key": NAME_LABEL, "tags[0].value": name}
        answer = lib.ask("createTags", resourcetype="PublicIpAddress", resourceids=id, **tag)
        self._changes.asked(id, answer, f"naming address {name}")
        return id, str(self._one(lib, id)["ipaddress"])

    def give(self, lib: Any, id: str, server: Mapping[str, Any], ports: Collection[int]) -> bool | None:
        """Have an address lead to a server as a static NAT, and let in these ports of TCP.

        Args:
            server: as it is listed. Returns: whether that was a change, None while it is under way.
        """
        if not self._changes.judge(lib, id):
            return None
        there, own = self._one(lib, id), str(server["id"])
        at, network = str(there.get("virtualmachineid") or ""), there.get("associatednetworkid")
        if network not in [nic.get("networkid") for nic in server.get("nic", [])]:
            raise ProviderError(
                f"driver cloudstack: server {own} is not in the stack's network, where its address is: it was made "
                "before `own-network` was said; `destroy` of this stack with --host and its name, then `up`"
            )
        if at and at != own:
            answer = lib.ask("disableStaticNat", ipaddressid=id)
            self._changes.asked(id, answer, f"taking address {there['ipaddress']} from server {at}")
            return None
        if not at:
            lib.ask("enableStaticNat", ipaddressid=id, virtualmachineid=own)
        opened = self._open(lib, id, ports)
        return (opened or not at) if self._changes.judge(lib, id) else None

    def _open(self, lib: Any, id: str, ports: Collection[int]) -> bool:
        """Have an address let in exactly these ports; return whether that was a change."""
        listed = lib.pages("listFirewallRules", "firewallrule", ipaddressid=id)
        there = {_rule(one): str(one["id"]) for one in listed}
        wanted = {("tcp", port, port, EVERYWHERE) for port in ports}
        for protocol, first, last, network in sorted(wanted - {*there}):
            given = {"protocol": protocol, "startport": first, "endport": last, "cidrlist": network}
            answer = lib.ask("createFirewallRule", ipaddressid=id, **given)
            self._changes.asked(id, answer, f"letting in port {first} at address {id}")
        for rule, own in there.items():
            if rule not in wanted:
                answer = lib.ask("deleteFirewallRule", id=own)
                self._changes.asked(id, answer, f"taking a rule out of address {id}")
        return wanted != {*there}

    def remove(self, lib: Any, kind: str, id: str) -> bool:
        """Have an address given back, or a network removed with all that is in it; return whether it is gone."""
        leaving = f"{kind} {id}"
        with self._lock:
            begun = leaving in self._leaving
            self._leaving.add(leaving)
        if not begun:
            try:
                asked = {"network": "deleteNetwork", "address": "disassociateIpAddress"}[kind]
                self._changes.asked(leaving, lib.ask(asked, id=id), f"removing {leaving}")
            except BaseException:
                self._leaving.discard(leaving)
                raise
        try:
            gone = self._changes.judge(lib, leaving)
        except ProviderError:
            self._leaving.discard(leaving)
            raise
        return gone

    def _own(self, lib: Any) -> dict[str, dict[str, str]]:
        """Return the networks of ours by their ids, and their labels."""
        found = lib.pages("listNetworks", "network", type="Isolated")
        labels = {str(one["id"]): labels_of(str(one.get("displaytext") or "")) for one in found}
        return {id: of for id, of in labels.items() if NAME_LABEL in of}

    def _addresses(self, lib: Any, networks: Collection[str]) -> Iterator[dict[str, Any]]:
        """Yield the addresses in networks, without those that the networks themselves go out by."""
        if networks:
            for one in lib.pages("listPublicIpAddresses", "publicipaddress"):
                if one.get("associatednetworkid") in networks and not one.get("issourcenat"):
                    yield one

    def _one(self, lib: Any, id: str) -> dict[str, Any]:
        for one in lib.pages("listPublicIpAddresses", "publicipaddress", id=id):
            return dict(one)
        raise ProviderError(f"driver cloudstack: address {id} is gone: somebody else gave it back")

    def _offering(self, lib: Any, zone: str) -> Mapping[str, Any]:
        given = {"guestiptype": "Isolated", "state": "Enabled", "supportedservices": SERVICES, "forvpc": "false"}
        found = lib.pages("listNetworkOfferings", "networkoffering", zoneid=zone, **given)
        fit = [one for one in found if not one.get("specifyvlan")]
        if not fit:
            words = f"the zone offers no isolated network with {SERVICES.replace(',', ', ')} that an account can make"
            raise UserError(f"provider cloud, driver cloudstack: own-network: {words}; remove it, or take another zone")
        return min(fit, key=lambda one: (one.get("availability") != "Required", str(one["name"])))


def _address(one: Mapping[str, Any], networks: Mapping[str, Mapping[str, str]]) -> Resource:
    name = _name(one) or str(one["ipaddress"])
    inside = {"inside": str(one["vmipaddress"])} if one.get("vmipaddress") else {}
    return Resource(
        kind=ADDRESS,
        id=str(one["id"]),
        name=name,
        labels={**networks[str(one["associatednetworkid"])], NAME_LABEL: name},
        outputs={"address": str(one["ipaddress"])} | inside,
    )


def _name(one: Mapping[str, Any]) -> str:
    tags = {str(tag["key"]): str(tag.get("value") or "") for tag in one.get("tags") or ()}
    return tags.get(NAME_LABEL, "")


def _rule(one: Mapping[str, Any]) -> tuple[str, int, int, str]:
    first, last = (int(one.get(key) or 0) for key in ("startport", "endport"))
    return str(one.get("protocol", "")).lower(), first, last, str(one.get("cidrlist") or EVERYWHERE)


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(one.get(key, "") == other.get(key, "") for key in PLACE)
