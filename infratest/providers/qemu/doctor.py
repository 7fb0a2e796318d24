"""What `infratest doctor` says about machines under QEMU on this machine. Called by the provider."""

from __future__ import annotations

from infratest.deadline import Deadline
from infratest.diagnosis import Finding, unusable
from infratest.errors import ProviderError
from infratest.images import disk as images
from infratest.providers._accelerator import TCG
from infratest.providers.qemu import process

SECONDS = 30.0


def findings() -> list[Finding]:
    """Return what was looked at, the program first."""
    try:
        qemu = process.find(Deadline(SECONDS))
    except ProviderError as error:
        return [unusable("provider qemu", error, "your system's package of QEMU")]
    return [
        Finding(name="provider qemu", usable=True, found=f"QEMU {qemu.version} ({qemu.program})"),
        _speed(qemu),
        _image(),
    ]


def _speed(qemu: process.Qemu) -> Finding:
    if qemu.accelerator != TCG:
        return Finding(name="speed of machines", usable=True, found=f"by {qemu.accelerator}: as fast as this machine")
    found = f"every instruction is computed, which is slow ({qemu.refusal})"
    advice = "switch virtualisation on in the firmware, and let your user read and write /dev/kvm (group kvm)"
    return Finding(name="speed of machines", usable=True, found=found, advice=advice)


def _image() -> Finding:
    kept = sorted(each.id for each in images.kept(["qemu"]))
    missing = images.building_missing()
    if kept:
        return Finding(name="disk images", usable=True, found=f"{', '.join(kept)} built")
    if missing:
        advice = f"{missing}; or name a cloud image's file, as `image: disk.qcow2`"
        return Finding(name="disk images", usable=False, found="none is built, and none can be built", advice=advice)
    return Finding(name="disk images", usable=True, found="none is built; a recipe's will be at first use")
