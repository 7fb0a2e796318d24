"""What can be said of all of a host's file systems at once: of the fullest, and of those that may not be written.

Shares of other machines and images that are never written (squashfs, iso9660) are left out.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.cleaning import clean
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.units import human, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from infratest.facts._space import Space
    from infratest.facts.base import FactValues
    from infratest.facts.file_system import FileSystems
    from infratest.facts.fstab import Fstab
    from infratest.facts.mount import Mount

FSTAB: Need[Fstab] = Need("fstab")
MOUNTS: Need[Mapping[str, Mount]] = Need("mount")
SYSTEMS: Need[FileSystems] = Need("file-system")
#: Characters of a list in a reason.
SHOWN = 300
#: What has a device of the host's own, but is never written, or is another's file.
IMAGES = ("squashfs", "iso9660", "udf", "erofs", "cramfs")


class _Fullest(Check):
    def needs(self) -> tuple[Need, ...]:
        return (SYSTEMS,)

    def observe(self, facts: FactValues) -> Seen:
        systems = facts[SYSTEMS]
        counted = [(self.percent(one), one) for one in systems]
        known = [(percent, one) for percent, one in counted if percent is not None]
        if not known:
            raise FactError(f"no file system of the host counts its {self.what}")
        percent, fullest = max(known, key=lambda pair: pair[0])
        words = f"the fullest of {len(known)} file systems is {clean(fullest.path, SHOWN)} ({fullest.type})"
        return Seen(holds=True, saw=f"{words}: {self.words(percent, fullest)}", number=percent)

    what = "space"

    @abstractmethod
    def percent(self, space: Space) -> float | None:
        """Return how much of it is used, None where that is not counted."""

    @abstractmethod
    def words(self, percent: float, space: Space) -> str:
        """Return how full it is, in words."""


@check(
    "the fullest file system is {bound:percent} full",
    example="the fullest file system is less than 90 % full, warning 80 %",
)
class FullestUsed(_Fullest):
    """How full that one of the host's own file systems is which has the least room, as df counts, tmpfs among them."""

    def percent(self, space: Space) -> float | None:
        return space.percent

    def words(self, percent: float, space: Space) -> str:
        return f"{share(percent)} % full ({human(space.available, 'B')} of {human(space.size, 'B')} free)"

    def measure(self) -> Measure:
        return Measure(label="fullest file system used", unit="%", minimum=0, maximum=100)


@check(
    "the fullest file system uses {bound:percent} of its inodes",
    example="the fullest file system uses less than 90 % of its inodes",
)
class FullestInodes(_Fullest):
    """How many of its inodes that one of the host's own file systems uses which uses most of them."""

    what = "inodes"

    def percent(self, space: Space) -> float | None:
        return space.inode_percent

    def words(self, percent: float, space: Space) -> str:
        return f"it uses {share(percent)} % of its inodes ({space.inodes_free} of {space.inodes} free)"

    def measure(self) -> Measure:
        return Measure(label="fullest file system inodes", unit="%", minimum=0, maximum=100)


@check(
    "a disk is mounted read-only",
    negation="no disk is mounted read-only",
    example="no disk is mounted read-only",
)
class DiskReadOnly(Check):
    """What comes from a device of the host's may not be written: so the kernel leaves one that it found broken.

    One that /etc/fstab has mounted so is meant to be, and so is one of an image.
    """

    def needs(self) -> tuple[Need, ...]:
        return (MOUNTS, FSTAB)

    def observe(self, facts: FactValues) -> Seen:
        meant = {entry.path for entry in facts[FSTAB] if "ro" in entry.options}
        mounts = [one for one in facts[MOUNTS].values() if one.device.startswith("/dev/") and one.type not in IMAGES]
        bad = [one for one in mounts if "ro" in one.options and one.path not in meant]
        if not bad:
            return Seen(False, f"of {len(mounts)} mounts of devices none is read-only")
        words = ", ".join(f"{one.path} ({one.type} of {one.device})" for one in bad)
        return Seen(True, f"{len(bad)} of {len(mounts)} mounts of devices may only be read: {clean(words, SHOWN)}")
