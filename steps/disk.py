"""What can be said of the room in a file system."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import act, check
from infratest.record import derived
from infratest.units import human, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import ClassVar

    from infratest.acts.disk import FillAct
    from infratest.facts.base import FactValues
    from infratest.facts.disk import Space
    from infratest.facts.mount import Mount
    from infratest.facts.real_path import RealPath

#: Seconds that readings are kept (store/readings.py).
AGE = 31 * 86400.0

MOUNTS: Need[Mapping[str, Mount]] = Need("mount")


class _OfDisk(Check):
    """`mounted`: the path must itself be a mount point, so that a missing mount is never the disk below it."""

    spare = ("real-path",)

    path: str
    mounted: bool = True

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> Need[Space]:
        return Need("disk", (absolute(self.path),))

    @derived
    def real(self) -> Need[RealPath]:
        return Need("real-path", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked, MOUNTS, self.real) if self.mounted else (self.asked,)

    @property
    def subject(self) -> str:
        return f'the disk "{self.path}"' if self.mounted else f'the disk of "{self.path}"'

    def observe(self, facts: FactValues) -> Seen:
        space = facts[self.asked]
        if space.problem:
            raise FactError(f"{self.path}: {space.problem}")
        if not space.there:
            return Seen(holds=False, saw=f"{self.path} does not exist", absent=True)
        if self.mounted and not self._is_mounted(facts):
            return Seen(holds=False, saw=f"no file system is mounted on {self.path}", absent=True)
        return self.look(space)

    def _is_mounted(self, facts: FactValues) -> bool:
        from infratest.facts.mount import mounted_on

        return mounted_on(absolute(self.path), facts) is not None

    @abstractmethod
    def look(self, space: Space) -> Seen:
        """Return what is seen in a file system that is there."""


@check('the disk "{path}" is {bound:percent} full', example='the disk "/" is less than 90 % full, warning 80 %')
class DiskUsed(_OfDisk):
    """How full the file system mounted on this path is, as df counts."""

    def look(self, space: Space) -> Seen:
        percent = space.percent
        if percent is None:
            raise FactError(f"the file system of {self.path} does not count its space")
        free = f"{human(space.available, 'B')} of {human(space.size, 'B')} free"
        return Seen(holds=True, saw=f"{self.subject} is {share(percent)} % full ({free})", number=percent)

    def measure(self) -> Measure:
        return Measure(label=f"disk {self.path} used", unit="%", minimum=0, maximum=100)


@check('the disk of "{path}" is {bound:percent} full', example='the disk of "/var/log" is less than 90 % full')
def disk_of_used(path: str) -> DiskUsed:
    """How full the file system is that holds this path, wherever it is mounted."""
    return DiskUsed(path, mounted=False)


@check('the disk "{path}" has {bound:size} free', example='the disk "/" has at least 2 GiB free, warning 5 GiB')
class DiskFree(_OfDisk):
    """How much room the file system mounted on this path has for an unprivileged user."""

    def look(self, space: Space) -> Seen:
        words = f"{self.subject} has {human(space.available, 'B')} of {human(space.size, 'B')} free"
        return Seen(holds=True, saw=words, number=space.available)

    def measure(self) -> Measure:
        return Measure(label=f"disk {self.path} free", unit="B", minimum=0)


@check('the disk of "{path}" has {bound:size} free', example='the disk of "/var/log" has at least 2 GiB free')
def disk_of_free(path: str) -> DiskFree:
    """How much room the file system that holds this path has, wherever it is mounted."""
    return DiskFree(path, mounted=False)


@check('the disk "{path}" uses {bound:percent} of its inodes', example='the disk "/" uses less than 90 % of its inodes')
class DiskInodes(_OfDisk):
    """How many inodes of the file system mounted on this path are used."""

    def look(self, space: Space) -> Seen:
        percent = space.inode_percent
        if percent is None:
            raise FactError(f"the file system of {self.path} does not count its inodes")
        return Seen(holds=True, saw=f"{self.subject} uses {share(percent)} % of its inodes", number=percent)

    def measure(self) -> Measure:
        return Measure(label=f"disk {self.path} inodes", unit="%", minimum=0, maximum=100)


class _OfTrend(_OfDisk):
    """When a file system is full, by the readings of this run and of those before."""

    window: str = ""
    before: tuple[tuple[float, float], ...] = ()
    now: float = 0.0
    problem: str = "nothing was read before"
    #: What is used up, in words, its unit, and what the disk is then.
    what: ClassVar[tuple[str, str, str]]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 3600 <= self.seconds <= AGE:
            raise UserError(f"over the last {self.window}: readings are kept for 31 days; write 1 h to 31 days")

    @derived
    def seconds(self) -> float:
        from infratest.units import duration

        return duration(self.window, "the window") if self.window else AGE

    @property
    def trend(self) -> str:
        return f"disk {self.path} {self.what[0]}"

    def kept(self) -> Measure:
        return Measure(label=self.trend, unit=self.what[1], minimum=0)

    def reading(self, facts: FactValues) -> float | None:
        space = facts[self.asked]
        gone = space.problem or not space.there or not self._is_mounted(facts)
        return None if gone else self.used(space)[0]

    def read_before(self, readings: tuple[tuple[float, float], ...], now: float, problem: str) -> Check:
        return self.changed(before=readings, now=now, problem=problem)

    @abstractmethod
    def used(self, space: Space) -> tuple[float | None, float]:
        """Return how much is used, None where that is not counted, and how much is left."""

    def look(self, space: Space) -> Seen:
        from infratest.store.trend import FAR, known, seconds_until, slope

        used, left = self.used(space)
        if used is None:
            raise FactError(f"the file system of {self.path} does not count its {self.what[0]}")
        if self.problem:
            raise FactError(f"{self.subject}: {self.problem}")
        points = known((*self.before, (self.now, used)), self.now, self.seconds)
        growth = slope(points)
        until = seconds_until(left, growth)
        by = f"by {len(points)} readings over {human(points[-1][0] - points[0][0], 's')}"
        day = f"{'+' if growth > 0 else ''}{human(growth * 86400, self.what[1])} a day"
        when = "in ten years or more, or never" if until >= FAR else f"in {human(until, 's')}"
        return Seen(
            holds=True, saw=f"{self.subject} is {self.what[2]} {when} ({self.what[0]} {day}, {by})", number=until
        )

    def measure(self) -> Measure:
        return Measure(label=f"disk {self.path} {self.what[2]} in", unit="s", minimum=0)


@check(
    'the disk "{path}"[ over the last {window:time}] is full in {bound:time}',
    example='the disk "/" is full in more than 7 days, warning 14 days',
)
class DiskFull(_OfTrend):
    """When it is full, if it fills as over the last 31 days or the window: by the readings that runs have kept."""

    what = ("used bytes", "B", "full")

    def used(self, space: Space) -> tuple[float | None, float]:
        return (space.used if space.used + space.available else None), space.available


@check(
    'the disk "{path}"[ over the last {window:time}] is out of inodes in {bound:time}',
    example='the disk "/" over the last 7 days is out of inodes in more than 30 days',
)
class DiskOutOfInodes(_OfTrend):
    """When all of its inodes are used, in the same way."""

    what = ("used inodes", "", "out of inodes")

    def used(self, space: Space) -> tuple[float | None, float]:
        return (space.inodes - space.inodes_free if space.inodes else None), space.inodes_free


@act(
    'the disk "{path}" is filled to {percent:number} %',
    example='the disk "/srv" is filled to 97 %',
    undo="the file that fills it is removed",
)
def disk_is_filled(path: str, percent: int) -> FillAct:
    """Fill the file system mounted on this path, as df counts; refused where its room is this machine's."""
    from infratest.acts.disk import FillAct  # a check does not act

    return FillAct(path, percent)
