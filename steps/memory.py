"""What can be said of memory and swap."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import act, check
from infratest.units import human, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.memory import MemoryAct
    from infratest.facts.base import FactValues
    from infratest.facts.memory import Memory
    from infratest.facts.oom_kill import OomKills

MEMORY: Need[Memory] = Need("memory")
OOM_KILLS: Need[OomKills] = Need("oom-kill")


@check("the memory is {bound:percent} used", example="the memory is less than 90 % used, warning 80 %")
class MemoryUsed(Check):
    """How much of the memory that the host may use (in a container, its limit) is not available to a new program."""

    def needs(self) -> tuple[Need, ...]:
        return (MEMORY,)

    def observe(self, facts: FactValues) -> Seen:
        memory = facts[MEMORY]
        if not memory.total:
            raise FactError("the host says that it has no memory at all")
        used = 100 * (memory.total - memory.available) / memory.total
        return Seen(holds=True, saw=f"the memory is {share(used)} % used ({_available(memory)})", number=used)

    def measure(self) -> Measure:
        return Measure(label="memory used", unit="%", minimum=0, maximum=100)


@check("the memory has {bound:size} available", example="the memory has at least 500 MiB available")
class MemoryAvailable(Check):
    """How much memory a new program can have without swapping, within what the host may use."""

    def needs(self) -> tuple[Need, ...]:
        return (MEMORY,)

    def observe(self, facts: FactValues) -> Seen:
        memory = facts[MEMORY]
        return Seen(holds=True, saw=f"the memory has {_available(memory)}", number=memory.available)

    def measure(self) -> Measure:
        return Measure(label="memory available", unit="B", minimum=0)


@check("the swap is {bound:percent} used", example="the swap is less than 50 % used")
class SwapUsed(Check):
    """How much swap is used; a host without swap uses none."""

    def needs(self) -> tuple[Need, ...]:
        return (MEMORY,)

    def observe(self, facts: FactValues) -> Seen:
        memory = facts[MEMORY]
        if not memory.swap_total:
            why = "; the limit of its control group allows none" if memory.swap_limited else ""
            return Seen(holds=True, saw=f"there is no swap, so none is used{why}", number=0)
        used = 100 * (memory.swap_total - memory.swap_free) / memory.swap_total
        size = f"{human(memory.swap_total, 'B')}, {_whose(memory.swap_limited)}"
        return Seen(holds=True, saw=f"the swap is {share(used)} % used of {size}", number=used)

    def measure(self) -> Measure:
        return Measure(label="swap used", unit="%", minimum=0, maximum=100)


@check(
    "the OOM killer killed {bound:count} processes on this boot",
    example="the OOM killer killed exactly 0 processes on this boot",
)
class MemoryKills(Check):
    """How many processes the kernel killed for want of memory since boot; in a container, since its group was made."""

    def needs(self) -> tuple[Need, ...]:
        return (OOM_KILLS,)

    def observe(self, facts: FactValues) -> Seen:
        kills = facts[OOM_KILLS]
        whose = "its control group" if kills.limited else "the machine"
        words = f"the OOM killer killed {kills.count} processes on this boot, by the count of {whose}"
        return Seen(holds=True, saw=words, number=kills.count)

    def measure(self) -> Measure:
        return Measure(label="oom kills", minimum=0)


def _available(memory: Memory) -> str:
    return f"{human(memory.available, 'B')} of {human(memory.total, 'B')} available, {_whose(memory.limited)}"


def _whose(limited: bool) -> str:
    return "the limit of its control group" if limited else "the machine's"


@act(
    "the memory is filled to {percent:number} %",
    example="the memory is filled to 90 %",
    undo="the process that holds it is ended",
)
def memory_is_filled(percent: int) -> MemoryAct:
    """Have so much of main memory in use; refused where it is this machine's, without a limit."""
    from infratest.acts.memory import MemoryAct  # a check does not act

    return MemoryAct(percent)
