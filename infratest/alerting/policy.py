"""How a scenario is watched: its intervals, how many failures make it hard, what counts as flapping. Pure values."""

from __future__ import annotations

from dataclasses import dataclass

from infratest.errors import UserError

#: Intervals after which what comes by itself would be stale.
NEVER = 1e6

#: What no time or number reaches; NaN and infinity are not below it either.
_FOREVER = 1e12


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many failures of how many looks make a failure hard: `attempts: 3` is three of three."""

    failures: int = 3
    of: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.failures <= self.of <= 100:
            raise UserError(
                f"attempts: {self.failures} failures of {self.of} looks cannot be; write as {{failures: 3, of: 5}}, "
                "with at most 100 looks"
            )


@dataclass(frozen=True, slots=True)
class Flap:
    """What counts as flapping: so many changes of the hard state within a time, until none came for another.

    Args:
        within, calm: seconds.
    """

    changes: int = 4
    within: float = 1800.0
    calm: float = 900.0

    def __post_init__(self) -> None:
        if not 2 <= self.changes <= 100 or not (0 < self.within < _FOREVER and 0 < self.calm < _FOREVER):
            raise UserError(
                f"flap: {self.changes} changes within {self.within:g} s and {self.calm:g} s of calm cannot be; write 2 "
                "to 100 changes and times above 0"
            )


@dataclass(frozen=True, slots=True)
class Policy:
    """How one scenario is watched.

    Args:
        interval, retry: seconds between looks, and while a state is soft. recover: greens in a row that end a problem.
        stale: intervals without a result after which it is unknown. flap: None where flapping is not looked for.
    """

    interval: float = 60.0
    retry: float = 15.0
    attempts: Attempts = Attempts()
    recover: int = 1
    stale: float = 2.0
    flap: Flap | None = Flap()

    def __post_init__(self) -> None:
        if not (0 < self.interval < _FOREVER and 0 < self.retry < _FOREVER):
            raise UserError(f"interval {self.interval:g} s, retry {self.retry:g} s: both must be above 0")
        if not 1 <= self.recover <= 100:
            raise UserError(f"recover: {self.recover} greens cannot be; write 1 to 100")
        if not 1 <= self.stale < _FOREVER:
            raise UserError(f"stale: {self.stale:g} intervals cannot be; write at least 1")

    @property
    def expected(self) -> bool:
        """Whether results are to come again and again; not, of what comes by itself when it changes."""
        return self.stale < NEVER

    @property
    def freshness(self) -> float:
        """Seconds for which a result says what is so."""
        return self.stale * self.interval


#: As a scenario is watched of which nothing is said.
DEFAULT = Policy()
