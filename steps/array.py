"""What can be said of software RAID: the arrays of the kernel's md driver."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.array import Array, Arrays
    from infratest.facts.base import FactValues

ARRAYS: Need[Arrays] = Need("array")


def _degraded(array: Array) -> bool:
    """Whether an array works with fewer disks than it is made of, or not at all."""
    return not array.active or bool(array.failed) or array.working != array.room


@check("an array is degraded", negation="no array is degraded", example="no array is degraded")
class AnyArrayDegraded(Check):
    """An array works with fewer disks than it is made of, has a failed one, or does not work; unknown of no array."""

    def needs(self) -> tuple[Need, ...]:
        return (ARRAYS,)

    def observe(self, facts: FactValues) -> Seen:
        arrays = facts[ARRAYS]
        if not arrays:
            raise FactError("the host has no array (software RAID), so none could be degraded")
        bad = [array.in_words() for array in arrays if _degraded(array)]
        return Seen(holds=bool(bad), saw="; ".join(bad) or f"no array is degraded: {arrays.in_words()}")


class _OfArray(Check):
    """One array, by the kernel's name for it: `md0`, or `/dev/md0`."""

    name: str

    def __post_init__(self) -> None:
        if not self.name.removeprefix("/dev/") or "/" in self.name.removeprefix("/dev/"):
            raise UserError(f'the array "{self.name}": expected the kernel\'s name for it, as "md0" or "/dev/md0"')

    def needs(self) -> tuple[Need, ...]:
        return (ARRAYS,)

    def observe(self, facts: FactValues) -> Seen:
        for array in facts[ARRAYS]:
            if array.name == self.name.removeprefix("/dev/"):
                return self.look(array)
        words = f"there is no array {in_quotes(self.name)} ({facts[ARRAYS].in_words()})"
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, array: Array) -> Seen:
        """Return what is seen of an array that is there."""


@check(
    'the array "{name}" is degraded',
    negation='the array "{name}" is not degraded',
    example='the array "md0" is not degraded',
)
class ArrayDegraded(_OfArray):
    """It works with fewer disks than it is made of, has a failed one, or does not work at all."""

    def look(self, array: Array) -> Seen:
        return Seen(holds=_degraded(array), saw=f"the array {array.in_words()}")


@check('the array "{name}" has {bound:count} working disks', example='the array "md0" has at least 2 working disks')
class ArrayDisks(_OfArray):
    """How many of its disks work; of raid0 and linear the kernel does not tell."""

    def look(self, array: Array) -> Seen:
        if array.active and array.working is None:
            raise FactError(f"the kernel does not tell how many disks of {array.name} ({array.level}) work")
        return Seen(holds=True, saw=f"the array {array.in_words()}", number=array.working or 0)

    def measure(self) -> Measure:
        return Measure(label=f"array {self.name.removeprefix('/dev/')} working disks", minimum=0)


@check(
    'the array "{name}" has {bound:count} spare disk[s]',
    example='the array "md0" has at least 1 spare disk',
)
class ArraySpares(_OfArray):
    """How many disks wait to take the place of one that fails; one that is rebuilt into the array is none any more."""

    def look(self, array: Array) -> Seen:
        return self.counted(array, len(array.spare))

    def counted(self, array: Array, number: int) -> Seen:
        """Return what is seen of an array and its disks of a sort. Raises FactError: of one at rest nothing is told."""
        if not array.active:
            raise FactError(f"the kernel does not tell which disks of {array.name} are what while it is not active")
        return Seen(holds=True, saw=f"the array {array.in_words()}", number=number)

    def measure(self) -> Measure:
        return Measure(label=f"array {self.name.removeprefix('/dev/')} spare disks", minimum=0)


@check(
    'the array "{name}" has {bound:count} faulty disk[s]',
    example='the array "md0" has exactly 0 faulty disks',
)
class ArrayFaulty(ArraySpares):
    """How many of its disks were marked as faulty, and are still in it."""

    def look(self, array: Array) -> Seen:
        return self.counted(array, len(array.failed))

    def measure(self) -> Measure:
        return Measure(label=f"array {self.name.removeprefix('/dev/')} faulty disks", minimum=0)
