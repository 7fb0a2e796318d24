"""What can be said of /etc/fstab: what is to be mounted at boot, and whether it is."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen, in_quotes
from infratest.cleaning import clean
from infratest.facts.base import Need, absolute, single
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.fstab import Fstab, FstabEntry
    from infratest.facts.mount import Mount

FSTAB: Need[Fstab] = Need("fstab")
MOUNTS: Need[Mapping[str, Mount]] = Need("mount")

#: Options that the kernel shows of a mount as they are written; others are mount's own, or a file system's.
SHOWN = ("ro", "noexec", "nosuid", "nodev", "noatime", "nodiratime", "sync")

#: Options of what is not mounted at boot: fstab(5), systemd.mount(5).
LATER = frozenset({"noauto", "x-systemd.automount"})
#: Characters of a list in a reason.
SEEN = 300


class _OfEntry(Check):
    #: True in the classes that look at a property of the entry.
    of_property: ClassVar[bool] = True

    path: str

    def __post_init__(self) -> None:
        if self.path not in ("none", "swap"):
            absolute(self.path)

    def needs(self) -> tuple[Need, ...]:
        return (FSTAB,)

    @property
    def subject(self) -> str:
        return f"the fstab entry {in_quotes(self.path)}"

    def observe(self, facts: FactValues) -> Seen:
        entry = facts[FSTAB].of(self.path.rstrip("/") or "/")
        if entry is None:
            return Seen(holds=False, saw=f"{self.subject} does not exist", absent=self.of_property)
        return self.look(entry, facts)

    @abstractmethod
    def look(self, entry: FstabEntry, facts: FactValues) -> Seen:
        """Return what is seen of an entry that is there."""


@check(
    'the fstab entry "{path}" exists',
    negation='the fstab entry "{path}" does not exist',
    example='the fstab entry "/data" exists',
)
class FstabExists(_OfEntry):
    """/etc/fstab has an entry for this path."""

    of_property = False

    def look(self, entry: FstabEntry, facts: FactValues) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists ({entry.in_words()})")


@check(
    'the fstab entry "{path}" is of type "{type}"',
    negation='the fstab entry "{path}" is not of type "{type}"',
    example='the fstab entry "/data" is of type "ext4"',
)
class FstabType(_OfEntry):
    """The type of file system that /etc/fstab has for this path."""

    type: str

    def __post_init__(self) -> None:
        super().__post_init__()
        single(self.type, "type of a file system")

    def look(self, entry: FstabEntry, facts: FactValues) -> Seen:
        return Seen(holds=entry.type == self.type, saw=f"{self.subject} is of type {in_quotes(entry.type)}")


@check(
    'the fstab entry "{path}" comes from "{device}"',
    negation='the fstab entry "{path}" does not come from "{device}"',
    example='the fstab entry "/data" comes from "/dev/sdb1"',
)
class FstabDevice(_OfEntry):
    """What /etc/fstab mounts on this path, as it is written there: a device, `UUID=...`, a network share."""

    device: str

    def look(self, entry: FstabEntry, facts: FactValues) -> Seen:
        return Seen(holds=entry.device == self.device, saw=f"{self.subject} is from {in_quotes(entry.device)}")


@check(
    'the fstab entry "{path}" has the option "{option}"',
    negation='the fstab entry "{path}" does not have the option "{option}"',
    example='the fstab entry "/data" has the option "noexec"',
)
class FstabOption(_OfEntry):
    """An option that /etc/fstab has for this path, as it is written there."""

    option: str

    def __post_init__(self) -> None:
        super().__post_init__()
        single(self.option, "option of a mount")

    def look(self, entry: FstabEntry, facts: FactValues) -> Seen:
        saw = f"{self.subject} has the options {','.join(entry.options)}"
        return Seen(holds=self.option in entry.options, saw=saw)


@check(
    'the fstab entry "{path}" is mounted',
    negation='the fstab entry "{path}" is not mounted',
    example='the fstab entry "/data" is mounted',
)
class FstabMounted(_OfEntry):
    """A file system of this type is mounted there now, with those of its options that the kernel shows alike."""

    def __post_init__(self) -> None:
        absolute(self.path)

    def needs(self) -> tuple[Need, ...]:
        return (FSTAB, MOUNTS)

    def look(self, entry: FstabEntry, facts: FactValues) -> Seen:
        mount = facts[MOUNTS].get(entry.path)
        if mount is None:
            return Seen(holds=False, saw=f"{self.subject} is not mounted")
        lacking = [option for option in entry.options if option in SHOWN and option not in mount.options]
        bound = {"bind", "rbind"} & set(entry.options)
        alike = entry.type in (mount.type, "auto") or bool(bound)
        saw = f"{self.subject} is {entry.in_words()}; mounted is {mount.in_words()}"
        return Seen(holds=alike and not lacking, saw=saw)


@check(
    "every fstab entry is mounted",
    negation="not every fstab entry is mounted",
    example="every fstab entry is mounted",
)
class EveryFstabMounted(Check):
    """All that /etc/fstab mounts at boot is mounted, as `the fstab entry ... is mounted` has it; no swap, no noauto.

    Where it mounts nothing at boot, that is neither so nor not so.
    """

    def needs(self) -> tuple[Need, ...]:
        return (FSTAB, MOUNTS)

    def observe(self, facts: FactValues) -> Seen:
        entries = [entry for entry in facts[FSTAB] if entry.path.startswith("/") and not LATER & set(entry.options)]
        paths = list(dict.fromkeys(entry.path for entry in entries))
        if not paths:
            return Seen(holds=False, saw="/etc/fstab has no entry that is mounted at boot", absent=True)
        seen = [FstabMounted(path).observe(facts) for path in paths]
        bad = [one.saw for one in seen if not one.holds]
        words = f"{len(paths) - len(bad)} of {len(paths)} entries of /etc/fstab are mounted"
        return Seen(not bad, f"{words}{': ' if bad else ''}{clean('; '.join(bad), SEEN)}")
