"""What can be said of the jobs of cron: what is written in its tables, as cron reads them.

That cron itself is installed and runs is a sentence of its own, about its service or process: without it, no job runs.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.cron import Job, Jobs
    from infratest.facts.local_time import LocalTime

NOW: Need[LocalTime] = Need("local-time")


class _OfJob(Check):
    #: False where absence itself is the question.
    of_property: ClassVar[bool] = True

    command: str

    def __post_init__(self) -> None:
        if not self.command.strip():
            raise UserError("a job of cron is known by its command, and this one is empty")

    @derived
    def asked(self) -> Need[Jobs]:
        return Need("cron")

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @derived
    def subject(self) -> str:
        return f"the cron job {in_quotes(self.command)}"

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        jobs = self.those(seen)
        if not jobs:
            if seen.unread:
                raise FactError(f"{', '.join(seen.unread[:3])}: permission denied, only root reads all tables of cron")
            over = f"; cron passes over {', '.join(seen.ignored[:3])}" if seen.ignored else ""
            return Seen(holds=False, saw=f"{self.subject} does not exist{over}", absent=self.of_property)
        return self.look(jobs, seen)

    def those(self, seen: Jobs) -> list[Job]:
        """Return the jobs with that command."""
        text = self.command.strip()
        return [job for job in seen.jobs if job.command == text or job.command.startswith((f"{text} ", f"{text}\t"))]

    @abstractmethod
    def look(self, jobs: list[Job], seen: Jobs) -> Seen:
        """Return what is seen of jobs with that command."""

    def judged(self, fits: list[Job], jobs: list[Job], seen: Jobs) -> Seen:
        """Return what is seen where these of the jobs are as the sentence says. Raises FactError."""
        sure = [job for job in fits if not job.doubt]
        if not sure:
            for job in jobs:
                if job.doubt:
                    raise FactError(job.doubt)
            if not fits and seen.unread:
                raise FactError(f"{', '.join(seen.unread[:3])}: permission denied, only root reads all tables of cron")
        shown = [f'at "{job.schedule or "?"}" as "{job.user}" ({job.path})' for job in (sure or jobs)[:5]]
        return Seen(holds=bool(sure), saw=f"{self.subject} runs {', '.join(shown)}")


@check(
    'the cron job "{command}" exists',
    negation='the cron job "{command}" does not exist',
    example='the cron job "/usr/bin/backup" exists',
)
class JobExists(_OfJob):
    """A table of cron has it, or one that begins so; that cron runs is another: the service "cron" is running.

    What goes on behind a blank counts, too. Asked of all tables: of the system, of packages and of users.
    """

    of_property = False

    def look(self, jobs: list[Job], seen: Jobs) -> Seen:
        return self.judged(jobs, jobs, seen)


@check(
    'the cron job "{command}" runs at "{time}"',
    negation='the cron job "{command}" does not run at "{time}"',
    example='the cron job "/usr/bin/backup" runs at "30 2 * * *"',
)
class JobTime(_OfJob):
    """So cron's tables have it, however it is written (`0 0 * * *` is `@daily`); that cron runs is another sentence."""

    time: str

    def __post_init__(self) -> None:
        from infratest.facts.cron.schedule import schedule

        super().__post_init__()
        try:
            schedule(self.time)
        except ValueError as error:
            raise UserError(f'the time "{self.time}": {error}') from None

    def look(self, jobs: list[Job], seen: Jobs) -> Seen:
        from infratest.facts.cron.schedule import schedule

        asked = schedule(self.time)
        fits = [job for job in jobs if job.schedule and schedule(job.schedule) == asked]
        if not fits and not all(job.schedule for job in jobs):
            raise FactError(f"{self.subject} is run by anacron, whose times are not known")
        return self.judged(fits, jobs, seen)


@check(
    'the cron job "{command}" runs as "{user}"',
    negation='the cron job "{command}" does not run as "{user}"',
    example='the cron job "/usr/bin/backup" runs as "root"',
)
class JobUser(_OfJob):
    """So cron's tables have it: whose table it stands in, or whom one of the system names; not whether cron runs."""

    user: str

    def look(self, jobs: list[Job], seen: Jobs) -> Seen:
        return self.judged([job for job in jobs if job.user == self.user], jobs, seen)


@check(
    'the cron job "{command}" runs next in {bound:time}',
    example='the cron job "/usr/bin/backup" runs next in less than 25 h',
)
class JobNext(_OfJob):
    """The time until its next run by cron's tables and the host's clock; that cron itself runs is another sentence."""

    def needs(self) -> tuple[Need, ...]:
        return self.asked, NOW

    def observe(self, facts: FactValues) -> Seen:
        seen = super().observe(facts)
        if seen.absent:
            return seen
        from infratest.facts.cron.schedule import next_run, schedule

        now = facts[NOW]
        at = (now.year, now.month, now.day, now.hour, now.minute, now.second)
        jobs = self.those(facts[self.asked])
        for job in jobs:
            if job.doubt or job.zone:
                raise FactError(job.doubt or f"{job.path} names the time zone {job.zone} for {self.subject}")
        if not all(job.schedule for job in jobs):
            raise FactError(f"{self.subject} is run by anacron, whose times are not known")
        waits = [wait for job in jobs if (wait := next_run(schedule(job.schedule), at)) is not None]
        if not waits:
            return Seen(holds=False, saw=f"{seen.saw}, and so at no time to come", absent=True)
        return Seen(holds=True, saw=f"{seen.saw}, next in {human(min(waits), 's')}", number=min(waits))

    def look(self, jobs: list[Job], seen: Jobs) -> Seen:
        return self.judged(jobs, jobs, seen)

    def measure(self) -> Measure:
        return Measure(label=f"cron job {self.command} next run", unit="s")
