"""Block devices of this machine, held against /sys by their names, and an fstab of which some entries are mounted."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, Question, both, bounds, quoted

DEVICES = Path("/sys/class/block")


def objects(place: Path) -> Path:
    """Make files for the machine's devices (its own /dev is not this world's), and mount what the fstab says."""
    for device in DEVICES.iterdir():
        major, minor = map(int, (device / "dev").read_text().split(":"))
        os.mknod(place / device.name, 0o644 | stat.S_IFBLK, os.makedev(major, minor))
    (place / "link").symlink_to(sorted(DEVICES.iterdir())[0].name)
    for name in ("mounted", "lacking", "other", "away"):
        (place / name).mkdir()
    Path("/etc/fstab").write_text(
        f"# of the oracle\n\nours {place}/mounted tmpfs noexec,nosuid,size=64k 0 0\n"
        f"ours {place}/lacking tmpfs noexec,nodev\n"
        f"ours {place}/other ramfs\nLABEL=away\t{place}/away/ ext4 defaults,x=1 0 2\n"
    )
    for name, options in (("mounted", "noexec,nosuid"), ("lacking", "noexec"), ("other", "rw")):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "ours", place / name], check=True)
    return place


def questions(place: Path) -> Iterator[Question]:
    """Ask all sentences of block devices and of the fstab."""
    for device in DEVICES.iterdir():
        yield from _of_device(place / device.name, device)
    yield from _of_device(place / "link", sorted(DEVICES.iterdir())[0])
    for path in (place / "nosuch", Path("/dev/null"), place):
        yield from _of_device(path, None)
    yield from _of_fstab(place)


def _of_device(path: Path, device: Path | None) -> Iterator[Question]:
    subject, about = f"the block device {quoted(str(path))}", f"{path}: {device}"
    yield from both(f"{subject} exists", f"{subject} does not exist", device is not None, about)
    size = int((device / "size").read_text()) * 512 if device else ABSENT
    yield from bounds(f"{subject} is {{}} in size", size, about, " B")
    read_only = bool(int((device / "ro").read_text())) if device else ABSENT
    yield from both(f"{subject} is read-only", f"{subject} is not read-only", read_only, about)
    turning = bool(int((device / "queue/rotational").read_text())) if device else ABSENT
    yield from both(f"{subject} is rotational", f"{subject} is not rotational", turning, about)
    kind = "loop" if device and device.name.startswith("loop") else "disk"
    for each in ("loop", "disk", "part"):
        forms = (f"{subject} is of type {quoted(each)}", f"{subject} is not of type {quoted(each)}")
        yield from both(*forms, each == kind if device else ABSENT, about)
    forms = (f'{subject} is part of "md7"', f'{subject} is not part of "md7"')
    yield from both(*forms, False if device else ABSENT, about)


#: Name -> type, device and options of its entry, and whether it is mounted as that says; None where it has no entry.
ENTRIES: dict[str, tuple[str, str, tuple[str, ...], bool] | None] = {
    "mounted": ("tmpfs", "ours", ("noexec", "nosuid", "size=64k"), True),
    "lacking": ("tmpfs", "ours", ("noexec", "nodev"), False),
    "other": ("ramfs", "ours", ("defaults",), False),
    "away": ("ext4", "LABEL=away", ("defaults", "x=1"), False),
    "nosuch": None,
}


def _of_fstab(place: Path) -> Iterator[Question]:
    for name, entry in ENTRIES.items():
        subject, about = f"the fstab entry {quoted(str(place / name))}", f"{name}: {entry}"
        yield from both(f"{subject} exists", f"{subject} does not exist", entry is not None, about)
        kind, device, options, mounted = entry or ("", "", (), False)
        yield from both(f"{subject} is mounted", f"{subject} is not mounted", mounted if entry else ABSENT, about)
        for each in ("tmpfs", "ramfs", "ext4"):
            forms = (f"{subject} is of type {quoted(each)}", f"{subject} is not of type {quoted(each)}")
            yield from both(*forms, each == kind if entry else ABSENT, about)
        for each in ("ours", "LABEL=away", "away"):
            forms = (f"{subject} comes from {quoted(each)}", f"{subject} does not come from {quoted(each)}")
            yield from both(*forms, each == device if entry else ABSENT, about)
        for each in ("noexec", "nosuid", "defaults", "size", "x=1"):
            forms = (f"{subject} has the option {quoted(each)}", f"{subject} does not have the option {quoted(each)}")
            yield from both(*forms, each in options if entry else ABSENT, about)
