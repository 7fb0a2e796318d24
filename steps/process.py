"""What can be said of processes, and done to them.

A process has a name when the kernel's name for it, whole where its first 15 bytes are no more than that, or the file
name of its first argument, is that name. Zombies run nothing and do not count, nor does what is there for the question
alone.
"""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import act, check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.pause import PauseAct
    from infratest.acts.process import KillAct
    from infratest.facts.base import FactValues
    from infratest.facts.process import Processes
    from infratest.facts.process.names import Process
    from infratest.facts.user import User

PROCESSES: Need[Processes] = Need("process")


class _OfProcess(Check):
    name: str

    def __post_init__(self) -> None:
        from infratest.facts.process import process_name

        process_name(self.name)

    def needs(self) -> tuple[Need, ...]:
        return (PROCESSES,)

    def found(self, facts: FactValues) -> list[Process]:
        """Return the processes of this name.

        Raises:
            FactError: of others no more is known than that their names begin like this one.
        """
        processes = facts[PROCESSES]
        perhaps = processes.perhaps(self.name)
        if perhaps:
            from infratest.facts.process import unsure

            raise FactError(unsure(self.name, perhaps))
        return processes.named(self.name)

    def absence(self) -> str:
        return f'no process "{self.name}" is running'


@check(
    'the process "{name}" is running',
    negation='the process "{name}" is not running',
    example='the process "nginx" is running',
)
class ProcessRunning(_OfProcess):
    """A process of this name runs: the kernel's name for it, or the file name of what was started."""

    def observe(self, facts: FactValues) -> Seen:
        found = facts[PROCESSES].named(self.name) or self.found(facts)
        if not found:
            return Seen(holds=False, saw=self.absence())
        return Seen(holds=True, saw=f'the process "{self.name}" is running ({_ids(found)})')


@check(
    'the process "{name}" runs as "{user}"',
    negation='the process "{name}" does not run as "{user}"',
    example='the process "postgres" runs as "postgres"',
)
class ProcessUser(_OfProcess):
    """Every process of this name runs as this user; not so: none does. Where some do, neither is met."""

    user: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        super().__post_init__()
        entry_name(self.user)

    @derived
    def asked(self) -> Need[User | None]:
        return Need("user", (self.user,))

    def needs(self) -> tuple[Need, ...]:
        return (PROCESSES, self.asked)

    def observe(self, facts: FactValues) -> Seen:
        found = self.found(facts)
        user = facts[self.asked]
        if not found:
            return Seen(holds=False, saw=self.absence(), absent=True)
        if user is None:
            return Seen(holds=False, saw=f'the user "{self.user}" does not exist')
        ours = [process for process in found if process.uid == user.uid]
        uids = ", ".join(str(uid) for uid in sorted({process.uid for process in found}))
        words = f'the process "{self.name}" runs as uid {uids}; "{self.user}" has uid {user.uid}'
        some = 0 < len(ours) < len(found)
        words += f": {len(ours)} of {len(found)} processes run as it" if some else ""
        return Seen(holds=len(ours) == len(found), saw=words, absent=some)


@check('the process "{name}" has {bound:count} instances', example='the process "nginx" has at least 2 instances')
class ProcessCount(_OfProcess):
    """How many processes of this name run."""

    def observe(self, facts: FactValues) -> Seen:
        found = self.found(facts)
        words = f'the process "{self.name}" runs {len(found)} times ({_ids(found)})' if found else self.absence()
        return Seen(holds=True, saw=words, number=len(found))

    def measure(self) -> Measure:
        return Measure(label=f"process {self.name} instances", minimum=0)


@check(
    'the process "{name}" uses {bound:size} of memory', example='the process "nginx" uses less than 500 MiB of memory'
)
class ProcessMemory(_OfProcess):
    """How much resident memory the processes of this name hold together."""

    def observe(self, facts: FactValues) -> Seen:
        found = self.found(facts)
        if not found:
            return Seen(holds=False, saw=self.absence(), absent=True)
        used = sum(process.rss for process in found)
        return Seen(holds=True, saw=f'the process "{self.name}" holds {human(used, "B")} ({_ids(found)})', number=used)

    def measure(self) -> Measure:
        return Measure(label=f"process {self.name} memory", unit="B", minimum=0)


def _ids(found: list[Process]) -> str:
    shown = ", ".join(str(process.pid) for process in found[:5])
    return f"pid {shown}" + (f" and {len(found) - 5} more" if len(found) > 5 else "")


@act('the process "{name}" is killed', example='the process "nginx" is killed', undo="cannot be undone")
def process_is_killed(name: str) -> KillAct:
    """Kill every process of that name at once (SIGKILL)."""
    from infratest.acts.process import KillAct  # a check does not act

    return KillAct(name)


@act('the process "{name}" is paused', example='the process "nginx" is paused', undo="let go on")
def process_is_paused(name: str) -> PauseAct:
    """Stop every process of that name where it is (SIGSTOP): it is there, and answers nobody."""
    from infratest.acts.pause import PauseAct  # a check does not act

    return PauseAct(name)
