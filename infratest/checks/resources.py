"""Questions about what a host runs out of: room in file systems, memory, swap, processors."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.found import Load, Memory, Mount, Space
from infratest.names import absolute
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MOUNTS = Need("mount")
MEMORY = Need("memory")
LOAD = Need("load")


class _OfDisk(Check):
    """`mounted`: the path must itself be a mount point, so that a missing mount is never the disk below it."""

    path: str
    mounted: bool = True

    def __post_init__(self) -> None:
        absolute(self.path)

    def needs(self) -> tuple[Need, ...]:
        space = Need("disk", (absolute(self.path),))
        return (space, MOUNTS) if self.mounted else (space,)

    @property
    def subject(self) -> str:
        return f'the disk "{self.path}"' if self.mounted else f'the disk of "{self.path}"'

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        space: Space = facts[self.needed[0]]
        if space.problem:
            raise FactError(f"could not look at {self.path}: {space.problem}")
        if not space.there:
            return Seen(holds=False, saw=f"{self.path} does not exist", absent=True)
        mounts: Mapping[str, Mount] = facts[MOUNTS] if self.mounted else {}
        if self.mounted and absolute(self.path) not in mounts:
            return Seen(holds=False, saw=f"no file system is mounted on {self.path}", absent=True)
        return self.look(space)

    @abstractmethod
    def look(self, space: Space) -> Seen:
        """Return what is seen in a file system that is there."""


class DiskUsed(_OfDisk):
    """How full the file system is, as df counts."""

    def look(self, space: Space) -> Seen:
        percent = space.percent
        if percent is None:
            raise FactError(f"the file system of {self.path} does not count its space")
        free = f"{human(space.available, 'B')} of {human(space.size, 'B')} free"
        return Seen(holds=True, saw=f"{self.subject} is {_shown(percent)} % full ({free})", number=percent)

    def measure(self) -> Measure:
        return Measure(label=f"disk {self.path} used", unit="%", minimum=0, maximum=100)


class DiskFree(_OfDisk):
    """How much room the file system has for an unprivileged user."""

    def look(self, space: Space) -> Seen:
        words = f"{self.subject} has {human(space.available, 'B')} of {human(space.size, 'B')} free"
        return Seen(holds=True, saw=words, number=space.available)

    def measure(self) -> Measure:
        return Measure(label=f"disk {self.path} free", unit="B", minimum=0)


class DiskInodes(_OfDisk):
    """How many of the file system's inodes are used."""

    def look(self, space: Space) -> Seen:
        percent = space.inode_percent
        if percent is None:
            raise FactError(f"the file system of {self.path} does not count its inodes")
        return Seen(holds=True, saw=f"{self.subject} uses {_shown(percent)} % of its inodes", number=percent)

    def measure(self) -> Measure:
        return Measure(label=f"disk {self.path} inodes", unit="%", minimum=0, maximum=100)


class MemoryUsed(Check):
    """How much of the memory is used: what is not available to a new program without swapping."""

    def needs(self) -> tuple[Need, ...]:
        return (MEMORY,)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        memory: Memory = facts[MEMORY]
        if not memory.total:
            raise FactError("the host says that it has no memory at all")
        used = 100 * (memory.total - memory.available) / memory.total
        return Seen(holds=True, saw=f"the memory is {_shown(used)} % used ({_available(memory)})", number=used)

    def measure(self) -> Measure:
        return Measure(label="memory used", unit="%", minimum=0, maximum=100)


class MemoryAvailable(Check):
    """How much memory a new program can have without swapping."""

    def needs(self) -> tuple[Need, ...]:
        return (MEMORY,)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        memory: Memory = facts[MEMORY]
        return Seen(holds=True, saw=f"the memory has {_available(memory)}", number=memory.available)

    def measure(self) -> Measure:
        return Measure(label="memory available", unit="B", minimum=0)


class SwapUsed(Check):
    """How much of the swap is used; a host without swap uses none."""

    def needs(self) -> tuple[Need, ...]:
        return (MEMORY,)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        memory: Memory = facts[MEMORY]
        if not memory.swap_total:
            why = "; the limit of its control group allows none" if memory.swap_limited else ""
            return Seen(holds=True, saw=f"there is no swap, so none is used{why}", number=0)
        used = 100 * (memory.swap_total - memory.swap_free) / memory.swap_total
        size = f"{human(memory.swap_total, 'B')}, {_whose(memory.swap_limited)}"
        return Seen(holds=True, saw=f"the swap is {_shown(used)} % used of {size}", number=used)

    def measure(self) -> Measure:
        return Measure(label="swap used", unit="%", minimum=0, maximum=100)


class LoadAverage(Check):
    """The load average over 1, 5 or 15 minutes; `shared`: divided by the number of processors."""

    minutes: int = 1
    shared: bool = False

    def __post_init__(self) -> None:
        if self.minutes not in (1, 5, 15):
            raise UserError(f"the load over {self.minutes} minutes: the kernel keeps it over 1, 5 and 15 minutes")

    def needs(self) -> tuple[Need, ...]:
        return (LOAD,)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        load: Load = facts[LOAD]
        average = load.averages[(1, 5, 15).index(self.minutes)]
        number = average / load.processors if self.shared else average
        each = " per processor" if self.shared else ""
        words = f"the load over {self.minutes} min is {number:g}{each} ({load.processors} processors)"
        return Seen(holds=True, saw=words, number=number)

    def measure(self) -> Measure:
        return Measure(label=f"load{self.minutes}{' per processor' if self.shared else ''}", minimum=0)


def _available(memory: Memory) -> str:
    return f"{human(memory.available, 'B')} of {human(memory.total, 'B')} available, {_whose(memory.limited)}"


def _whose(limited: bool) -> str:
    return "the limit of its control group" if limited else "the machine's"


def _shown(percent: float) -> str:
    """Return a share as people read it: with few digits, but never as a whole number that it only comes near to."""
    for digits in (4, 6, 9, 12):
        text = f"{percent:.{digits}g}"
        if float(text) != int(float(text)) or float(text) == percent:
            return text
    return repr(percent)
