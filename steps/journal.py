"""What can be said of systemd's journal: of a unit's lines, or of all, in a window, of a priority or worse.

A line is one of a message, without the time and the names before it; patterns are RE2's. A line that is there is known
to be; that there is none, and how many there are, only where the journal is whole in that window. A unit that systemd
does not know and that has no line in the journal has neither lines nor none.
"""

from __future__ import annotations

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.journal import Journal

#: The windows that are no time, as the fact has them; a last run of which it is known when it was is `run 61 s`.
BOOT, RUN = "boot", "run"


class _OfJournal(Check):
    window: str = BOOT
    unit: str = ""
    priority: str = ""
    pattern: str = ""

    def __post_init__(self) -> None:
        if self.pattern:
            from infratest.regular_expression import compiled

            compiled(self.pattern)
        self.asked  # noqa: B018 - what nobody can mean is refused before anything is asked

    @derived
    def asked(self) -> Need[Journal]:
        from infratest.facts._systemd import unit_name
        from infratest.facts.journal import PRIORITIES
        from infratest.units import duration

        if self.priority and self.priority not in PRIORITIES:
            raise UserError(f"the priority {self.priority!r} is not one of {', '.join(PRIORITIES)}")
        window = self.window.removeprefix(f"{RUN} ")
        seconds = window if window in (BOOT, RUN) else str(round(duration(window, "the window")))
        if seconds == "0":
            raise UserError(f"the window {self.window!r}: the journal is asked about a second at least")
        return Need("journal", (unit_name(self.unit) if self.unit else "", seconds, self.priority, self.pattern))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @derived
    def subject(self) -> str:
        of = f' of "{self.unit}"' if self.unit else ""
        window = "on this boot" if self.window == BOOT else f"in the last {self.window}"
        window = "since the last run" if self.window.startswith(RUN) else window
        return f"the journal{of} {window}"

    @property
    def of_last_run(self) -> bool:
        return self.window == RUN

    def since(self, seconds: int) -> Check:
        return self.changed(window=f"{RUN} {seconds} s")

    def journal(self, facts: FactValues) -> Journal:
        """Return what the journal has.

        Raises:
            FactError: in a window of which it is not known when it begins.
        """
        if self.of_last_run:
            raise FactError(
                f"{self.subject}: no run of this scenario is kept in the state directory; it is known from the next "
                "run on"
            )
        return facts[self.asked]

    def words(self, journal: Journal) -> str:
        """Return how many lines were seen, and the first of them."""
        which = f' with priority "{self.priority}" or worse' if self.priority else ""
        which += f" matching {in_quotes(self.pattern)}" if self.pattern else ""
        first = f": {'; '.join(journal.shown)}" if journal.shown else ""
        more = " ..." if journal.lines > len(journal.shown) else ""
        return (
            f"{self.subject} has {counted(journal.lines, 'line') if journal.lines else 'no line'}{which}{first}{more}"
        )

    def missing(self, journal: Journal) -> Seen | None:
        """Return what is seen where the unit is not there.

        Raises:
            FactError: it cannot be known, for the journal is not whole.
        """
        if journal.problem:
            raise FactError(f"{self.subject}: {journal.problem}")
        if journal.there:
            return None
        saw = f"{self.subject}: systemd knows no unit {self.asked.argument[0]}, and the journal has nothing of it"
        return Seen(holds=False, saw=saw, absent=True)


@check(
    'the journal in the last {window:time}[ with priority "{priority}" or worse] has no line[ matching "{pattern}"]',
    negation='the journal in the last {window:time}[ with priority "{priority}" or worse] has a line'
    '[ matching "{pattern}"]',
    example='the journal in the last 10 min with priority "err" or worse has no line',
)
@check(
    'the journal of "{unit}" in the last {window:time}[ with priority "{priority}" or worse] has no line'
    '[ matching "{pattern}"]',
    negation='the journal of "{unit}" in the last {window:time}[ with priority "{priority}" or worse] has a line'
    '[ matching "{pattern}"]',
    example='the journal of "nginx" in the last 10 min has no line matching "error"',
)
@check(
    'the journal on this boot[ with priority "{priority}" or worse] has no line[ matching "{pattern}"]',
    negation='the journal on this boot[ with priority "{priority}" or worse] has a line[ matching "{pattern}"]',
    example='the journal on this boot has no line matching "Out of memory"',
)
@check(
    'the journal of "{unit}" on this boot[ with priority "{priority}" or worse] has no line[ matching "{pattern}"]',
    negation='the journal of "{unit}" on this boot[ with priority "{priority}" or worse] has a line'
    '[ matching "{pattern}"]',
    example='the journal of "nginx" on this boot has no line matching "segfault"',
)
class NoJournalLine(_OfJournal):
    """The journal has no line in the window, of that unit, that priority or worse, that pattern of RE2."""

    def observe(self, facts: FactValues) -> Seen:
        journal = self.journal(facts)
        if not journal.lines and (missing := self.missing(journal)):
            return missing
        return Seen(holds=not journal.lines, saw=self.words(journal))


@check(
    'the journal in the last {window:time}[ with priority "{priority}" or worse] has {bound:count} line[s]'
    '[ matching "{pattern}"]',
    example='the journal in the last 1 h with priority "warning" or worse has less than 100 lines',
)
@check(
    'the journal of "{unit}" in the last {window:time}[ with priority "{priority}" or worse] has {bound:count} line[s]'
    '[ matching "{pattern}"]',
    example='the journal of "cron" in the last 26 h has at least 1 line matching "backup"',
)
@check(
    'the journal on this boot[ with priority "{priority}" or worse] has {bound:count} line[s][ matching "{pattern}"]',
    example='the journal on this boot has at most 3 lines matching "I/O error"',
)
@check(
    'the journal of "{unit}" on this boot[ with priority "{priority}" or worse] has {bound:count} line[s]'
    '[ matching "{pattern}"]',
    example='the journal of "nginx" on this boot has at most 3 lines matching "reloaded"',
)
class JournalLines(_OfJournal):
    """How many lines the journal has in the window, of that unit, that priority or worse, that pattern of RE2."""

    def observe(self, facts: FactValues) -> Seen:
        journal = self.journal(facts)
        return self.missing(journal) or Seen(holds=True, saw=self.words(journal), number=journal.lines)

    def measure(self) -> Measure:
        parts = [self.subject.removeprefix("the "), self.priority, self.pattern, "lines"]
        return Measure(label=" ".join(part for part in parts if part), minimum=0)


@check(
    'the journal since the last run[ with priority "{priority}" or worse] has no line[ matching "{pattern}"]',
    negation='the journal since the last run[ with priority "{priority}" or worse] has a line[ matching "{pattern}"]',
    example='the journal since the last run with priority "crit" or worse has no line',
)
def no_journal_line_since(priority: str = "", pattern: str = "") -> NoJournalLine:
    """The journal has no such line since the last run of this scenario that has looked, by the state directory."""
    return NoJournalLine(RUN, "", priority, pattern)


@check(
    'the journal of "{unit}" since the last run[ with priority "{priority}" or worse] has no line'
    '[ matching "{pattern}"]',
    negation='the journal of "{unit}" since the last run[ with priority "{priority}" or worse] has a line'
    '[ matching "{pattern}"]',
    example='the journal of "nginx" since the last run has no line matching "error"',
)
def no_unit_line_since(unit: str, priority: str = "", pattern: str = "") -> NoJournalLine:
    """The unit has no such line since the last run of this scenario that has looked, by the state directory."""
    return NoJournalLine(RUN, unit, priority, pattern)


@check(
    'the journal since the last run[ with priority "{priority}" or worse] has {bound:count} line[s]'
    '[ matching "{pattern}"]',
    example='the journal since the last run with priority "warning" or worse has less than 100 lines',
)
def journal_lines_since(priority: str = "", pattern: str = "") -> JournalLines:
    """How many such lines the journal has since the last run of this scenario that has looked."""
    return JournalLines(RUN, "", priority, pattern)


@check(
    'the journal of "{unit}" since the last run[ with priority "{priority}" or worse] has {bound:count} line[s]'
    '[ matching "{pattern}"]',
    example='the journal of "backup" since the last run has at least 1 line matching "done"',
)
def unit_lines_since(unit: str, priority: str = "", pattern: str = "") -> JournalLines:
    """How many such lines the unit has since the last run of this scenario that has looked."""
    return JournalLines(RUN, unit, priority, pattern)
