"""What can be said of the files and devices that a host swaps to. How much of it is used, memory.py has."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.real_path import RealPath
    from infratest.facts.swap import Swap, Swaps

SWAPS: Need[Swaps] = Need("swap")


@check("swap is active", negation="no swap is active", example="no swap is active")
class SwapActive(Check):
    """The kernel swaps to a file or a device; in a container, its machine's kernel."""

    def needs(self) -> tuple[Need, ...]:
        return (SWAPS,)

    def observe(self, facts: FactValues) -> Seen:
        swaps = facts[SWAPS]
        return Seen(holds=bool(swaps), saw=f"active: {swaps.in_words()}")


@check("the swap is {bound:size} in size", example="the swap is at least 2 GiB in size")
class SwapSize(Check):
    """The size of all that is swapped to; a page of each is the kernel's own, and not counted."""

    def needs(self) -> tuple[Need, ...]:
        return (SWAPS,)

    def observe(self, facts: FactValues) -> Seen:
        swaps = facts[SWAPS]
        size = sum(swap.size for swap in swaps)
        return Seen(holds=True, saw=f"the swap is {human(size, 'B')} in size: {swaps.in_words()}", number=size)

    def measure(self) -> Measure:
        return Measure(label="swap size", unit="B", minimum=0)


class _OfSwap(Check):
    """One file or device, by any path that leads to it."""

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def place(self) -> Need[RealPath]:
        return Need("real-path", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return SWAPS, self.place

    def swap(self, facts: FactValues) -> Swap | None:
        """Return what is swapped to there. One that was removed while it is in use goes by the path that it had."""
        place = facts[self.place]
        for swap in facts[SWAPS]:
            if swap.path in (place.path, absolute(self.path)):
                return swap
        if place.problem:
            raise FactError(f"{self.path}: {place.problem}")
        return None


@check(
    'the swap "{path}" is active',
    negation='the swap "{path}" is not active',
    example='the swap "/swapfile" is active',
)
class SwapOnPath(_OfSwap):
    """The kernel swaps to this file or device; links are followed."""

    def observe(self, facts: FactValues) -> Seen:
        swap = self.swap(facts)
        words = "is active" if swap else f"is not active (active: {facts[SWAPS].in_words()})"
        return Seen(holds=swap is not None, saw=f"the swap {in_quotes(self.path)} {words}")


@check('the swap "{path}" is {bound:size} in size', example='the swap "/swapfile" is at least 1 GiB in size')
class SwapSizeOnPath(_OfSwap):
    """The size of this file or device; a page of it is the kernel's own, and not counted."""

    def observe(self, facts: FactValues) -> Seen:
        swap = self.swap(facts)
        if swap is None:
            return Seen(holds=False, saw=f"the swap {in_quotes(self.path)} is not active", absent=True)
        return Seen(holds=True, saw=f"the swap is {swap.in_words()}", number=swap.size)

    def measure(self) -> Measure:
        return Measure(label=f"swap {self.path} size", unit="B", minimum=0)
