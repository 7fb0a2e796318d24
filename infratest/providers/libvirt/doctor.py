"""What `infratest doctor` says about hosts under libvirt on this machine. Called by the provider."""

from __future__ import annotations

import platform
from typing import Any
from xml.etree import ElementTree as xml

from infratest.deadline import Deadline
from infratest.diagnosis import Finding, unusable
from infratest.errors import ProviderError
from infratest.providers._accelerator import working
from infratest.providers.libvirt import domain
from infratest.providers.libvirt.connection import SYSTEM, Daemon, module

SECONDS = 10.0


def slow(connection: Any, deadline: Deadline) -> str:
    """Return why hosts are slow here, empty where KVM runs them: libvirt says whether it is there, a trial whether it
    works."""
    libvirt = module()
    try:
        text = connection.getDomainCapabilities(None, platform.machine(), None, "kvm")
    except libvirt.libvirtError:
        return "no KVM here"
    root = xml.fromstring(text)  # noqa: S314 - libvirt's own answer
    machine = domain.MACHINES.get(platform.machine(), "virt")
    return working(root.findtext("path", "qemu-system-x86_64"), machine, deadline)[1]


def findings() -> list[Finding]:
    """Return what was looked at, the daemon first."""
    try:
        deadline = Deadline(SECONDS)
        version, reason = Daemon(SYSTEM).ask(
            "looking at this machine", lambda each: (each.getLibVersion(), slow(each, deadline)), deadline
        )
    except ProviderError as error:
        return [
            unusable(
                "provider libvirt", error, "pip install 'infratest[libvirt]'; apt-get install libvirt-daemon-system"
            )
        ]
    number = f"{version // 1000000}.{version // 1000 % 1000}.{version % 1000}"
    daemon = Finding(name="provider libvirt", usable=True, found=f"libvirt {number} at {SYSTEM}")
    if not reason:
        return [daemon, Finding(name="speed of domains", usable=True, found="by kvm: as fast as this machine")]
    advice = "switch virtualisation on in the firmware; see that /dev/kvm is there"
    found = f"every instruction is computed, which is slow ({reason})"
    return [daemon, Finding(name="speed of domains", usable=True, found=found, advice=advice)]
