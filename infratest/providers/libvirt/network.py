"""A stack's network: NAT, an address for each host by its network card, names by libvirt's dnsmasq.

The lease is a DNS text record of the network (https://libvirt.org/formatnetwork.html): of what libvirt keeps of a
network it is the one thing that is free text in every version.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

from infratest.errors import ProviderError
from infratest.json_text import loads
from infratest.providers.base import Resource
from infratest.providers.libvirt.connection import found, module, unless_gone

RECORD = "infratest-lease"

#: Where networks of stacks are made, where a stack file names none.
RANGE = ipaddress.IPv4Network("10.205.0.0/16")
ROUTES = Path("/proc/net/route")


def document(name: str, subnet: ipaddress.IPv4Network, labels: Mapping[str, str]) -> str:
    """Return the XML that defines a network."""
    network = xml.Element("network")
    xml.SubElement(network, "name").text = name
    xml.SubElement(network, "forward", mode="nat")
    # At most 15 bytes, and nobody else's: libvirt would count up names that a firewall could not be written for.
    xml.SubElement(network, "bridge", name=f"ift{hashlib.sha256(name.encode()).hexdigest()[:10]}", stp="off", delay="0")
    record = base64.b64encode(json.dumps(dict(labels)).encode()).decode()
    xml.SubElement(xml.SubElement(network, "dns"), "txt", name=RECORD, value=record)
    gateway, last = subnet.network_address + 1, subnet.broadcast_address - 1
    ip = xml.SubElement(network, "ip", address=str(gateway), netmask=str(subnet.netmask))
    xml.SubElement(xml.SubElement(ip, "dhcp"), "range", start=str(gateway + 1), end=str(last))
    return xml.tostring(network, encoding="unicode")


def resource(network: Any) -> Resource | None:
    """Return a network as a resource; None where it is not ours."""
    labels = lease(_parsed(network))
    if labels is None:
        return None
    return Resource(kind="network", id=network.UUIDString(), name=network.name(), labels=labels)


def lease(network: xml.Element) -> dict[str, str] | None:
    """Return the labels in a network's XML; None where it has none of ours."""
    record = network.find(f"./dns/txt[@name='{RECORD}']")
    if record is None:
        return None
    try:
        labels = loads(base64.b64decode(record.get("value", "")))
    except ValueError:
        return None
    return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else None


def destroy(connection: Any, identity: str) -> None:
    """Remove a network by its id; fine if it is gone."""
    network = found(connection.networkLookupByUUIDString, identity)
    if network is not None:
        if network.isActive():
            unless_gone(network.destroy)
        unless_gone(network.undefine)


def free_subnet(connection: Any) -> ipaddress.IPv4Network:
    """Return a range that no network of libvirt has and that nothing here routes. Raises ProviderError: none is."""
    taken = [*_routed(), *(subnet for each in connection.listAllNetworks() for subnet in _subnets(each))]
    for candidate in RANGE.subnets(new_prefix=24):
        if not any(candidate.overlaps(each) for each in taken):
            return candidate
    raise ProviderError(f"every range of {RANGE} is in use here; name another with `subnet:`")


def addresses(network: Any) -> dict[str, str]:
    """Return the addresses that cards have on a network: hardware address -> address."""
    found = _parsed(network).iterfind("./ip/dhcp/host")
    return {host.get("mac", "").lower(): host.get("ip", "") for host in found}


def add(network: Any, host: str, mac: str) -> str:
    """Give a card an address of its own on the network, and a name, and return the address."""
    known = addresses(network)
    if mac in known:
        return known[mac]
    for subnet in _subnets(network):
        taken = {str(subnet.network_address + 1), *known.values()}
        for candidate in subnet.hosts():
            if str(candidate) not in taken:
                entry = xml.Element("host", mac=mac, name=host, ip=str(candidate))
                _update(network, module().VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, entry)
                return str(candidate)
        raise ProviderError(f"network {network.name()}: every address of {subnet} is taken; name a larger `subnet:`")
    raise ProviderError(f"network {network.name()} has no range of IPv4 addresses")


def forget(network: Any, mac: str) -> None:
    """Take a card's address back; fine if it has none."""
    if mac in addresses(network):
        _update(network, module().VIR_NETWORK_UPDATE_COMMAND_DELETE, xml.Element("host", mac=mac))


def _update(network: Any, command: int, entry: xml.Element) -> None:
    libvirt = module()
    flags = libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG
    if network.isActive():
        flags |= libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE
    network.update(
        command, libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, xml.tostring(entry, encoding="unicode"), flags
    )


def _parsed(network: Any) -> xml.Element:
    return xml.fromstring(network.XMLDesc(module().VIR_NETWORK_XML_INACTIVE))  # noqa: S314 - libvirt's own answer


def _subnets(network: Any) -> Iterator[ipaddress.IPv4Network]:
    for ip in _parsed(network).iterfind("./ip"):
        if ip.get("family", "ipv4") == "ipv4" and ip.get("address"):
            mask = ip.get("netmask") or ip.get("prefix") or "32"
            yield ipaddress.IPv4Network(f"{ip.get('address')}/{mask}", strict=False)


def _routed() -> Iterator[ipaddress.IPv4Network]:
    """Yield what this machine routes, but for its default route (proc(5): little-endian hexadecimal)."""
    try:
        lines = ROUTES.read_text("ascii").splitlines()[1:]
    except OSError:
        return
    for line in lines:
        words = line.split()
        to, mask = (int.from_bytes(bytes.fromhex(words[at]), "little") for at in (1, 7))
        if mask:
            yield ipaddress.IPv4Network((to, mask.bit_count()))
