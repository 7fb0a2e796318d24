"""Disks, memory, swap and load, of just the numbers that stand here: small file systems, and files over the kernel's.

The control group's limit is half of what there is, so that it is what counts.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, bounds, quoted

MIB = 2**20
PAGE = 4096
MEMINFO = """\
MemTotal:        1024000 kB
MemFree:          100000 kB
MemAvailable:     800000 kB
Buffers:           10000 kB
Cached:           200000 kB
SwapTotal:       1000000 kB
SwapFree:         900000 kB
"""
GROUP = {
    "memory.max": f"{500 * MIB}\n", "memory.current": f"{300 * MIB}\n",
    "memory.stat": f"anon 1\nfile 2\ninactive_file {50 * MIB}\nactive_file 3\n",
    "memory.swap.max": f"{200 * MIB}\n", "memory.swap.current": f"{50 * MIB}\n",
    "memory.events": "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n",
}  # fmt: skip
#: 500 MiB, of which 300 MiB less 50 MiB are in use; and of 200 MiB of swap a quarter.
MEMORY_USED, MEMORY_AVAILABLE, SWAP_USED = 50, 250, 25
#: What the control group has killed; the machine has killed more.
KILLED, VMSTAT = 2, "nr_free_pages 25000\noom_kill 7\nnr_unstable 0\n"
#: Resource -> share of the tasks that waited, some and all of them, over 10, 60 and 300 s.
PRESSURE = {"cpu": ((12, 5, 1), (0, 0, 0)), "memory": ((40, 30, 20), (9, 8, 7)), "io": ((0, 0, 99), (0, 0, 98))}
LOADS = {1: 6, 5: 4, 15: 2}
LOADAVG = "6.00 4.00 2.00 1/100 4711\n"
PROCESSORS = len(os.sched_getaffinity(0))


class Disk(NamedTuple):
    """A file system of so many pages and inodes, so many of them in use."""

    name: str
    pages: int
    used: int
    inodes: int
    files: int


DISKS = (
    Disk("tenth", 100, 10, 100, 20), Disk("half", 200, 100, 50, 25), Disk("empty", 100, 0, 100, 1),
    Disk("full", 50, 50, 20, 20), Disk("a third", 300, 100, 30, 10), Disk("nearly full", 2500, 2499, 3000, 2999),
)  # fmt: skip


def objects(place: Path) -> Path:
    """Make the file systems, and files with the numbers."""
    for disk in DISKS:
        folder = place / disk.name
        folder.mkdir()
        options = f"size={disk.pages * PAGE},nr_inodes={disk.inodes}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        for number in range(disk.files - 1):  # and its root
            (folder / f"file {number}").touch()
        if disk.used:
            (folder / "file 0").write_bytes(b"x" * disk.used * PAGE)
    (place / "link").symlink_to("half")
    pressures = {f"pressure/{name}": _pressure_lines(*shares) for name, shares in PRESSURE.items()}
    (place / "pressure").mkdir()
    for name, text in {"meminfo": MEMINFO, "loadavg": LOADAVG, "vmstat": VMSTAT, **pressures}.items():
        (place / name).write_text(text)
        subprocess.run(["mount", "--bind", place / name, f"/proc/{name}"], check=True)
    return place


def _pressure_lines(*kinds: tuple[int, int, int]) -> str:
    averages = [f"avg10={ten}.00 avg60={sixty}.00 avg300={most}.00 total=1" for ten, sixty, most in kinds]
    return "".join(f"{kind} {each}\n" for kind, each in zip(("some", "full"), averages, strict=True))


def covered() -> None:
    """Put the control group's numbers over the kernel's. Last of all: systemd needs its own to start anything."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", "/sys/fs/cgroup"], check=True)
    for name, text in GROUP.items():
        (Path("/sys/fs/cgroup") / name).write_text(text)


def questions(place: Path) -> Iterator[Question]:
    """Ask all sentences of disks, memory, swap and load."""
    for disk in DISKS:
        yield from _of_disk(place / disk.name, disk)
    yield from _shares(place)
    for path in (place / "nowhere", place / "link/no"):
        yield from _of_no_disk(f"the disk {quoted(str(path))}", ABSENT)
        yield from _of_no_disk(f"the disk of {quoted(str(path))}", ABSENT)
    yield from _of_no_disk(f"the disk {quoted(str(place / 'half/file 0'))}", ABSENT)
    yield from bounds('the disk "/proc" is {} full', UNKNOWN, "/proc counts no space", " %")
    yield from bounds('the disk "/proc" uses {} of its inodes', UNKNOWN, "/proc counts no inodes", " %")
    yield from bounds("the memory is {} used", MEMORY_USED, "memory", " %")
    yield from bounds("the memory has {} available", MEMORY_AVAILABLE, "memory", " MiB")
    yield from bounds("the swap is {} used", SWAP_USED, "swap", " %")
    yield from bounds("the OOM killer killed {} processes on this boot", KILLED, "killed")
    yield from _of_load()
    yield from _of_pressure()


def _of_disk(path: Path, disk: Disk) -> Iterator[Question]:
    status, about = os.statvfs(path), str(disk)
    left = status.f_bavail * status.f_frsize
    assert (left, status.f_files - status.f_ffree) == ((disk.pages - disk.used) * PAGE, disk.files), about
    whole, files = (100 * disk.used) % disk.pages == 0, (100 * disk.files) % disk.inodes == 0
    inside = f"the disk of {quoted(str(path / 'file 0') if disk.files > 1 else str(path))}"
    for subject in (f"the disk {quoted(str(path))}", f"the disk {quoted(str(path) + '/')}", inside):
        yield from bounds(f"{subject} has {{}} free", left, about, " B")
        if whole:
            yield from bounds(f"{subject} is {{}} full", 100 * disk.used // disk.pages, about, " %")
        if files and subject != inside:
            yield from bounds(f"{subject} uses {{}} of its inodes", 100 * disk.files // disk.inodes, about, " %")
    if disk.name == "half":
        for subject in ("the disk of", "the disk"):
            yield from bounds(f"{subject} {quoted(str(path.parent / 'link'))} is {{}} full", 50, about, " %")


def _shares(place: Path) -> Iterator[Question]:
    """Ask about shares that are no whole number: none is rounded before it is judged."""
    table = {
        "a third": {"less than 33.3 %": CRITICAL, "less than 33.33 %": CRITICAL, "less than 33.34 %": OK,
                    "more than 33.33 %": OK, "more than 33.34 %": CRITICAL, "at most 33 %": CRITICAL},
        "nearly full": {"less than 100 %": OK, "at least 100 %": CRITICAL, "less than 99.96 %": CRITICAL,
                        "at most 99.96 %": OK, "exactly 100 %": CRITICAL, "more than 99.9 %": OK},
    }  # fmt: skip
    for name, answers in table.items():
        for bound, right in answers.items():
            yield Question(f"the disk {quoted(str(place / name))} is {bound} full", right, name)


def _of_no_disk(subject: str, right: str) -> Iterator[Question]:
    yield from bounds(f"{subject} is {{}} full", right, "no disk", " %")
    yield from bounds(f"{subject} has {{}} free", right, "no disk", " B")
    if not subject.startswith("the disk of"):
        yield from bounds(f"{subject} uses {{}} of its inodes", right, "no disk", " %")


def _of_load() -> Iterator[Question]:
    for minutes, load in LOADS.items():
        yield from bounds(f"the load over {minutes} min is {{}}", load, "load")
        if load % PROCESSORS == 0:
            text = f"the load per processor over {minutes} min is {{}}"
            yield from bounds(text, load // PROCESSORS, f"{PROCESSORS} processors")
        for bound, right in (("less than 0.001", CRITICAL), ("more than 0.001", OK), ("less than 7", OK)):
            yield Question(f"the load per processor over {minutes} min is {bound}", right, "load")
            yield Question(f"the load over {minutes} min is {bound}", right, "load")
    yield from bounds("the load is {}", LOADS[1], "load")
    for bound, right in (("less than 0.001", CRITICAL), ("more than 0.001", OK), ("less than 7", OK)):
        yield Question(f"the load per processor is {bound}", right, "load")


def _of_pressure() -> Iterator[Question]:
    for name, kinds in PRESSURE.items():
        for kind, shares in zip(("", "full "), kinds, strict=True):
            yield from bounds(f"the {kind}pressure on {name} is {{}}", shares[0], name, " %")
            for seconds, share in zip((10, 60, 300), shares, strict=True):
                yield from bounds(f"the {kind}pressure on {name} over {seconds} s is {{}}", share, name, " %")
