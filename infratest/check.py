"""The contract of a check: which facts it needs, and what it sees in them. Pure: no I/O, no judgement.

Made by a sentence (steps/), planned by its needs, observed by the engine once the facts are there. Judging is
`engine.judge`'s: it compares `Seen` with the sentence's negation, bound and warning value.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal
    from typing import ClassVar

    from infratest.facts.base import FactValues

#: The viewpoints a sentence may look from; a host's name or `every host in "group"` are the engine's to resolve.
HOST, CONTROLLER = "host", "controller"

#: What a sentence does in a session of several steps.
STEP, LOOK = "step", "look"


def in_quotes(text: str) -> str:
    r"""Return a text in quotes as a sentence has it, so that a quote in it ends nothing: `"\"ok\": true"`."""
    from infratest.quoting import escaped

    return f'"{escaped(text)}"'


class Seen(Record):
    """What a check saw.

    Args:
        holds: whether the claim as written without *not* is so, its bound left aside.
        saw: in words, as a reader at 3 a.m. wants it: `the package "nginx" is not installed`, `71 % full`.
        number: what the bound is about, in base units; None where there is nothing to measure (the subject is absent).
            One that a text says is of `units.exact`.
        absent: there is nothing the claim could be about (the text of a file that does not exist), so neither it nor
            its negation is met: a negation must not be green because its subject is gone. `holds` is then false.
        value: what a sentence that compares hosts goes by, in words; None for all others.
        most: where a number is not known to a point, it is between `number` and this.
        least: where several numbers are judged, the least of them; `number` is the greatest.
    """

    holds: bool
    saw: str
    number: float | Decimal | None = None
    absent: bool = False
    value: str | None = None
    most: float | None = None
    least: float | Decimal | None = None


class Measure(Record):
    """The number a check looks at: its perfdata label (`disk / used`), base unit, least and greatest value."""

    label: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None

    @property
    def took(self) -> bool:
        """Whether it is how long an answer took: all such are labelled as `http https://shop.example/ time`."""
        return self.unit == "s" and self.label.endswith(" time")


class Check(Record):
    """A question about one subject; a record of its arguments. Equal checks are the same question.

    Its abstract methods are for type checkers: a metaclass would look for them each time a check program starts.
    """

    #: Where it looks from when the sentence does not say: HOST or CONTROLLER.
    viewpoint: ClassVar[str] = HOST
    #: Whether another host can look, too: at a server's answer, by a command. What a host holds is seen on it alone.
    from_others: ClassVar[bool] = False

    #: STEP of a step in a session, LOOK of what reads the page that the steps before it led to; empty for all others.
    in_session: ClassVar[str] = ""

    def after(self, steps: tuple[str, ...], place: int) -> Check:
        """Return the check as one of a session.

        Args:
            steps: all of the session. place: how many of them are done when it looks, its own among them.
        """
        return self

    @abstractmethod
    def needs(self) -> tuple[Need, ...]:
        """Return the facts it needs."""

    @derived
    def needed(self) -> tuple[Need, ...]:
        """The facts it needs, worked out once."""
        return self.needs()

    #: Facts among its needs that it looks at only where the others do not answer: that one of them could not be read
    #: takes nothing from it then. `observe` gets the error in the fact's place.
    spare: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def observe(self, facts: FactValues) -> Seen:
        """Return what is seen. May raise FactError where the facts cannot answer (it then is unknown).

        Args:
            facts: at least those that it needs.
        """

    @property
    def of_last_run(self) -> bool:
        """Whether it looks at what was since the last run of its scenario, and does not know yet when that was."""
        return False

    def since(self, seconds: int) -> Check:
        """Return the check of what was in these last seconds, for one of the last run."""
        return self

    @property
    def trend(self) -> str:
        """The label of the number that is kept from run to run, of a check of where it is heading; else empty."""
        return ""

    def kept(self) -> Measure | None:
        """Return that number; of a check without a trend there is none."""
        return None

    def reading(self, facts: FactValues) -> float | None:
        """Return what it is now, None where it is not there. May raise FactError."""
        return None

    def read_before(self, readings: tuple[tuple[float, float], ...], now: float, problem: str) -> Check:
        """Return the check that knows what was read before, each with its time; or why that is not known."""
        return self

    @property
    def of_store(self) -> bool:
        """Whether it asks the store of a monitor, and is to be told where that lies."""
        return False

    def in_store(self, state_directory: str, place: str) -> Check:
        """Return the check that knows in which state directory the store lies, and whose it is, as `shop/prod`."""
        return self

    def measure(self) -> Measure | None:
        """Return the number it looks at, known before anything is asked; None for a claim without a number."""
        return None


def choices(text: str) -> tuple[str, ...]:
    """Return the values of a list with commas between them, of which one is meant to hold.

    Raises:
        UserError: one of them is empty.
    """
    values = tuple([" ".join(each.split()) for each in text.split(",")])
    if not all(values):
        raise UserError(f'one of "{text}": expected values with a comma between two of them')
    return values
