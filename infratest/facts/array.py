"""The fact `array`: the software RAID arrays of the kernel (md). It has no argument.

/proc/mdstat has them: md(4). Behind the blocks of an array stand how many disks it is made of and how many of them
work, `[2/1] [U_]`; levels without a spare copy (raid0, linear) tell neither.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines, number
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

HEAD, END = "Personalities :", "unused devices:"
FAILED, SPARE = "(F)", "(S)"
#: What an array does, as its progress is named.
PROGRESS = ("recovery", "resync", "reshape", "check")


class Array(Record):
    """One array.

    Args:
        active: whether it works at all. level: raid1, raid5 ...; empty of one that is not active.
        room, working: how many disks it is made of, and how many of them work; None of levels that do not tell.
        failed: disks that were marked as faulty. spare: those that wait for one of the others to fail. doing:
        `recovery = 12.6%` and the like, empty where it rests.
    """

    name: str
    active: bool
    level: str = ""
    room: int | None = None
    working: int | None = None
    failed: tuple[str, ...] = ()
    doing: str = ""
    spare: tuple[str, ...] = ()

    def in_words(self) -> str:
        if not self.active:
            return f"{self.name} is not active"
        disks = "" if self.room is None else f", {self.working} of {self.room} disks work"
        failed = f", failed: {', '.join(self.failed)}" if self.failed else ""
        spare = f", spare: {', '.join(self.spare)}" if self.spare else ""
        return f"{self.name} ({self.level}){disks}{failed}{spare}{f', {self.doing}' if self.doing else ''}"


class Arrays(tuple[Array, ...]):
    """All of them."""

    __slots__ = ()

    def in_words(self) -> str:
        return "; ".join(array.in_words() for array in self) or "no array"


SNIPPET = f"""
[ -r /proc/mdstat ] || {{ echo '/proc/mdstat is not there: the kernel has no md driver loaded' >&2; exit {NO_TOOL}; }}
while IFS= read -r line; do
  printf '%s\\n' "$line"
done </proc/mdstat
echo done
"""


class ArrayFact(Fact):
    """Software RAID."""

    unseen = "software RAID, written after md(4)"

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) < 3 or rows[-1] != "done" or not rows[0].startswith(HEAD) or not rows[-2].startswith(END):
            raise FactError(f"/proc/mdstat is not understood: {cited(answer.out, 80)}")
        blocks: list[list[str]] = []
        for row in rows[1:-2]:
            if " : " in row and not row.startswith(" "):
                blocks.append([row])
            elif row.strip() and blocks:
                blocks[-1].append(row)
        return dict.fromkeys(arguments, Arrays(_array(first, rest) for first, *rest in blocks))


def _array(first: str, rest: Sequence[str]) -> Array:
    name, _, text = first.partition(" : ")
    words = text.split()
    if words[:1] not in (["active"], ["inactive"]):
        raise FactError(f"/proc/mdstat has an array that is not understood: {cited(first, 80)}")
    active = words[0] == "active"
    plain = [word for word in words[1:] if not word.startswith("(")]  # but for (read-only), (auto-read-only)
    disks = [word for word in plain if "[" in word]
    failed, spare = (tuple(disk.partition("[")[0] for disk in disks if mark in disk) for mark in (FAILED, SPARE))
    level = next((word for word in plain if "[" not in word), "")
    if active and not level:
        raise FactError(f"/proc/mdstat has an array without a level: {cited(first, 80)}")
    room, working = _disks(rest)
    if active and room is None and level not in ("raid0", "linear"):
        raise FactError(f"/proc/mdstat does not tell how many disks of {name} work")
    doing = next((" ".join(row[row.index(word) :].split()[:3]) for row in rest for word in PROGRESS if word in row), "")
    return Array(name, active, level if active else "", room, working, failed, doing, spare)


def _disks(rest: Sequence[str]) -> tuple[int | None, int | None]:
    """Return how many disks an array is made of and how many work: the `[2/1]` of its second line."""
    for word in (rest[0] if rest else "").split():
        room, slash, working = word.removeprefix("[").removesuffix("]").partition("/")
        if word.startswith("[") and slash:
            return number(room, "a count of disks"), number(working, "a count of disks")
    return None, None
