"""Disks of machines under QEMU, by qemu-img: made over an image, and kept as they are under a name.

A name that is kept lives in the qcow2 file itself. Of a machine that runs QEMU keeps its memory beside it (`savevm`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.local_program import call
from infratest.providers.base import Snapshot
from infratest.providers.qemu.folder import Folder, Record

#: What stands before a user's name of a snapshot, so that it is never one of ours or a number.
PREFIX = "user-"

#: The memory of a machine that is suspended.
SUSPENDED = "suspended"


def make(one: Folder, record: Record, base: Path, form: str, deadline: Deadline) -> None:
    """Make a machine's disks: the first one over an image, which is never written to, the others empty.

    Args:
        form: of the image, as qemu-img calls it.
    """
    if not base.is_file():
        raise ProviderError(f"{record.name}: the image's disk {base} is gone; `infratest up` builds a recipe's anew")
    _img(["create", "-q", "-f", "qcow2", "-b", str(base), "-F", form, str(one.disk)], record.name, deadline)
    for number, size in enumerate(record.disks, 1):
        _img(["create", "-q", "-f", "qcow2", str(one.extra_disk(number)), str(size)], record.name, deadline)


def kept(one: Folder, record: Record, deadline: Deadline) -> list[Snapshot]:
    """Return what a user has kept of a machine, the oldest first, whether it runs or not."""
    found = []
    for each in _held(one, record, deadline):
        tag = str(each["name"])
        if tag.startswith(PREFIX):
            taken = float(each["date-sec"]) + float(each.get("date-nsec", 0)) / 1e9
            running = int(each.get("vm-state-size", 0)) > 0
            found.append(Snapshot(name=tag.removeprefix(PREFIX), taken=taken, running=running))
    return sorted(found, key=lambda each: each.taken)


def take(one: Folder, record: Record, tag: str, deadline: Deadline) -> None:
    """Keep the disks of a machine that does not run."""
    for disk in one.disks(record):
        _img(["snapshot", "-c", tag, str(disk)], record.name, deadline)


def apply(one: Folder, record: Record, tag: str, deadline: Deadline) -> None:
    """Bring the disks of a machine that does not run back."""
    for disk in one.disks(record):
        _img(["snapshot", "-a", tag, str(disk)], record.name, deadline)


def forget(one: Folder, record: Record, tag: str, deadline: Deadline) -> None:
    """Delete what is kept under a name, of a machine that does not run; fine where a disk has it not."""
    if any(each["name"] == tag for each in _held(one, record, deadline)):
        for disk in one.disks(record):
            _img(["snapshot", "-d", tag, str(disk)], record.name, deadline)


def _held(one: Folder, record: Record, deadline: Deadline) -> list[dict[str, Any]]:
    told = json.loads(_img(["info", "--output=json", "--force-share", str(one.disk)], record.name, deadline))
    held: list[dict[str, Any]] = told.get("snapshots", [])
    return held


def _img(words: list[str], name: str, deadline: Deadline) -> str:
    status, out, err = call(["qemu-img", *words], deadline)
    if status != 0:
        said = clean((err or out).strip().removeprefix("qemu-img: "), 300)
        full = "; the disk of this machine is full" if "No space left" in said else ""
        raise ProviderError(f"{name}: qemu-img could not do {words[0]}: {said}{full}")
    return out
