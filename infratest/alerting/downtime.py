"""Planned downtime: fixed windows and recurring ones, in a time zone with its summer time; and what they are for. Pure.

A recurring window is computed whenever it is asked for, and never expanded into dates: it has no horizon behind which
nothing is planned, and a zone whose rules change is right as soon as the machine's table of zones is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infratest import cron
from infratest.alerting.subject import Subject
from infratest.errors import UserError

#: The longest recurring window, in seconds: beyond it a window would hold for longer than any calendar is planned.
LONGEST = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Fixed:
    """A window from one date to another, in seconds since the epoch; the end is no longer in it."""

    begin: float
    end: float

    def __post_init__(self) -> None:
        if not self.begin < self.end:
            raise UserError(f"downtime: it begins at {self.begin:.0f} and ends at {self.end:.0f}: it has to end later")

    def until(self, wall: float) -> float | None:
        """Return when the window ends that a time is in; None where it is in none."""
        return self.end if self.begin <= wall < self.end else None


@dataclass(frozen=True, slots=True)
class Recurring:
    """A window that comes again, as `0 2 * * 0` in Europe/Berlin for an hour.

    Args:
        cron: five fields, as cronsim reads them: as Debian's cron does. seconds: how long each one is. zone: of IANA.
    """

    cron: str
    seconds: float
    zone: str

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= LONGEST:
            raise UserError(f"downtime: {self.seconds:g} s is no length of a window; write 366 days at most")
        try:
            cron.check(self.cron, self.zone)
        except UserError as error:
            raise UserError(f"downtime: {error}") from None

    def until(self, wall: float) -> float | None:
        """Return when the window ends that a time is in; None where it is in none."""
        begin = cron.newest(self.cron, self.zone, int(wall // 60) * 60)
        return begin + self.seconds if begin is not None and wall < begin + self.seconds else None


@dataclass(frozen=True, slots=True)
class Downtime:
    """A planned silence.

    Args:
        name: by which it is ended. ids: of the results that it is for (`covered`). by, comment: for who asks why.
    """

    name: str
    window: Fixed | Recurring
    ids: frozenset[str]
    by: str = ""
    comment: str = ""


def covered(subjects: Iterable[Subject], hosts: str = "", tags: str = "") -> frozenset[str]:
    """Return the ids of what a downtime is for.

    Args:
        hosts: a text of the selector language; empty for all. tags: a tag expression; empty for all.
    Raises:
        UserError: they are no such texts, name what there is not, or are both empty.
    """
    from infratest.gherkin.select import expression
    from infratest.selector import selected

    if not hosts and not tags:
        raise UserError("downtime: say for what, by --host or --tags")
    within = selected(hosts, list(subjects)) if hosts else list(subjects)
    bears = expression(tags) if tags else lambda tags: True
    return frozenset(subject.id for subject in within if bears(subject.tags))
