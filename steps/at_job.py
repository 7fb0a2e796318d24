"""What can be said of jobs of at, which run once. Those that run again and again, cron.py and timer.py have.

They wait in the spool of at. That something runs them there is a sentence about the service or process `atd`.
"""

from __future__ import annotations

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.at_job import AtJob, AtJobs
    from infratest.facts.base import FactValues

JOBS: Need[AtJobs] = Need("at-job")


@check("{bound:count} at jobs are waiting", example="exactly 0 at jobs are waiting")
class AtJobsWaiting(Check):
    """How many jobs of at are there that have not run yet, of whichever user; asked as root."""

    def needs(self) -> tuple[Need, ...]:
        return (JOBS,)

    def observe(self, facts: FactValues) -> Seen:
        jobs = facts[JOBS]
        return Seen(holds=True, saw=f"{len(jobs)} at jobs are waiting: {jobs.in_words()}", number=len(jobs))

    def measure(self) -> Measure:
        return Measure(label="at jobs", minimum=0)


class _OfCommand(Check):
    """Jobs of which a line is this command, blanks around it aside."""

    command: str

    def __post_init__(self) -> None:
        if not self.command.strip() or "\n" in self.command:
            raise UserError(f"the at job that runs {self.command!r}: expected one line of shell")

    def needs(self) -> tuple[Need, ...]:
        return (JOBS,)

    def jobs(self, facts: FactValues) -> list[AtJob]:
        """Return those that run it, the next one first."""
        asked = self.command.strip()
        return [job for job in facts[JOBS] if any(line.strip() == asked for line in job.commands)]


@check(
    'an at job runs "{command}"',
    negation='no at job runs "{command}"',
    example='an at job runs "/usr/local/bin/reboot-later"',
)
class AtJobRuns(_OfCommand):
    """A waiting job of at has this line, of whichever user; asked as root. That atd runs it is another sentence."""

    def observe(self, facts: FactValues) -> Seen:
        jobs = self.jobs(facts)
        if jobs:
            return Seen(holds=True, saw=f"an at job runs {jobs[0].in_words()}")
        return Seen(holds=False, saw=f"no at job runs {in_quotes(self.command)} (waiting: {facts[JOBS].in_words()})")


@check(
    'the at job that runs "{command}" is due in {bound:time}',
    example='the at job that runs "/usr/local/bin/reboot-later" is due in less than 12 h',
)
class AtJobDue(_OfCommand):
    """The time until the next job of at with this line is due, by the host's clock; below zero of one that is late.

    Where atd does not run, it comes and nothing happens: the job is late from then on.
    """

    def observe(self, facts: FactValues) -> Seen:
        jobs = self.jobs(facts)
        if not jobs:
            return Seen(holds=False, saw=f"no at job runs {in_quotes(self.command)}", absent=True)
        due = jobs[0].due
        when = f"due in {human(due, 's')}" if due >= 0 else f"late by {human(-due, 's')}"
        return Seen(holds=True, saw=f"the at job that runs {in_quotes(self.command)} is {when}", number=due)

    def measure(self) -> Measure:
        return Measure(label=f"at job {self.command} due", unit="s")
