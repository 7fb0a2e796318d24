"""A host as libvirt's domain: its XML (https://libvirt.org/formatdomain.html), and our lease in its metadata.

The lease is in the XML that defines the domain, so that there is no moment in which a domain of ours exists without it.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as xml

from infratest.deadline import Deadline
from infratest.hosts import PAUSED, RUNNING, STOPPED
from infratest.json_text import loads
from infratest.providers.base import Resource
from infratest.providers.libvirt.connection import absent, module

#: The XML namespace of the lease, and its prefix in a domain's metadata.
NAMESPACE, PREFIX = "https://libvirt.infratest/lease/1", "infratest"
HOST_LABEL = "infratest.host"

#: The machine that QEMU plays, by the architecture of this one; `virt` on others.
MACHINES = {"x86_64": "q35"}

#: Where libvirt's own log daemon writes consoles; its user may write there.
LOGS = "/var/log/libvirt/qemu"

LOOK = 0.05  # seconds between two looks at what the daemon is at


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A disk of a domain: a file, its format, whether it is only read (the seed, which no snapshot keeps)."""

    path: str
    form: str = "qcow2"
    readonly: bool = False


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a domain is defined as.

    Args:
        labels: the lease, and HOST_LABEL. memory: bytes. kernel, initrd, command_line: empty where the disk boots by
        itself. kvm: False for QEMU's own, slow, translation.
    """

    name: str
    uuid: str
    labels: Mapping[str, str]
    memory: int
    cpus: int
    mac: str
    network: str
    disks: Sequence[Disk]
    kvm: bool
    kernel: str = ""
    initrd: str = ""
    command_line: str = ""


def document(one: Definition) -> str:
    """Return the XML that defines a domain."""
    domain = xml.Element("domain", type="kvm" if one.kvm else "qemu")
    _text(domain, "name", one.name)
    _text(domain, "uuid", one.uuid)
    xml.register_namespace(PREFIX, NAMESPACE)
    lease = xml.SubElement(xml.SubElement(domain, "metadata"), f"{{{NAMESPACE}}}lease")
    lease.text = json.dumps(dict(one.labels))
    _text(domain, "memory", str(one.memory), unit="bytes")
    _text(domain, "vcpu", str(one.cpus))
    system = xml.SubElement(domain, "os")
    machine = MACHINES.get(platform.machine(), "virt")
    _text(system, "type", "hvm", arch=platform.machine(), machine=machine)
    for tag, value in (("kernel", one.kernel), ("initrd", one.initrd), ("cmdline", one.command_line)):
        if value:
            _text(system, tag, value)
    if not one.kernel:
        xml.SubElement(system, "boot", dev="hd")
    xml.SubElement(xml.SubElement(domain, "features"), "acpi")
    xml.SubElement(domain, "cpu", mode="host-passthrough" if one.kvm else "maximum")
    _text(domain, "on_crash", "destroy")
    _devices(xml.SubElement(domain, "devices"), one)
    return xml.tostring(domain, encoding="unicode")


def _devices(devices: xml.Element, one: Definition) -> None:
    for disk, letter in zip(one.disks, "abcdefghijklmnop", strict=False):
        element = xml.SubElement(devices, "disk", type="file", device="disk")
        # Fast, as a host that loses its power is thrown away.
        xml.SubElement(element, "driver", name="qemu", type=disk.form, cache="unsafe")
        xml.SubElement(element, "source", file=disk.path)
        xml.SubElement(element, "target", dev=f"vd{letter}", bus="virtio")
        if disk.readonly:
            element.set("snapshot", "no")
            xml.SubElement(element, "readonly")
    card = xml.SubElement(devices, "interface", type="network")
    xml.SubElement(card, "mac", address=one.mac)
    xml.SubElement(card, "source", network=one.network)
    xml.SubElement(card, "model", type="virtio")
    serial = xml.SubElement(devices, "serial", type="pty")
    xml.SubElement(serial, "log", file=console_log(one.name), append="off")
    xml.SubElement(devices, "console", type="pty")
    _text(xml.SubElement(devices, "rng", model="virtio"), "backend", "/dev/urandom", model="random")
    xml.SubElement(devices, "memballoon", model="none")


def console_log(name: str) -> str:
    """Return the file that a domain's console is written to."""
    return f"{LOGS}/{name}-console.log"


def labels(domain: Any) -> dict[str, str] | None:
    """Return a domain's lease; None where it has none and so is not ours."""
    libvirt = module()
    try:
        text = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NAMESPACE, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    except libvirt.libvirtError as error:
        if absent(error):
            return None
        raise
    try:
        held = loads(xml.fromstring(text).text or "")  # noqa: S314 - libvirt's own answer, from its own parser
    except (xml.ParseError, ValueError):
        return None
    return {str(key): str(value) for key, value in held.items()} if isinstance(held, dict) else None


def resource(domain: Any) -> Resource | None:
    """Return a domain as a resource; None where it is not ours."""
    found = labels(domain)
    if not found or HOST_LABEL not in found:
        return None
    return Resource(kind="host", id=domain.UUIDString(), name=found[HOST_LABEL], labels=found)


def state(domain: Any) -> str:
    """Return the state of a host; one whose memory is kept in a file is paused, as is one that is frozen."""
    libvirt = module()
    number = domain.state()[0]
    if number in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_BLOCKED, libvirt.VIR_DOMAIN_SHUTDOWN):
        return RUNNING
    if number in (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PMSUSPENDED):
        return PAUSED
    return PAUSED if domain.hasManagedSaveImage() else STOPPED


def settle(domain: Any, deadline: Deadline) -> None:
    """Wait until the daemon is done with an earlier change of a domain, which it ends also for a client that is gone.

    Its state in between says nothing: while its memory is kept it is paused, and then it is off.
    """
    libvirt = module()
    while not deadline.passed:
        try:
            if domain.jobInfo()[0] == libvirt.VIR_DOMAIN_JOB_NONE:
                return
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
                return  # it does not run
            raise
        time.sleep(LOOK)


def card(domain: Any) -> tuple[str, str]:
    """Return a domain's hardware address and the name of its network, as it is defined."""
    libvirt = module()
    root = xml.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))  # noqa: S314 - libvirt's own answer
    mac, source = root.find("./devices/interface/mac"), root.find("./devices/interface/source")
    return (
        mac.get("address", "") if mac is not None else "",
        source.get("network", "") if source is not None else "",
    )


def _text(parent: xml.Element, tag: str, text: str, **attributes: str) -> None:
    xml.SubElement(parent, tag, attributes).text = text
