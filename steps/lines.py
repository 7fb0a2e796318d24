"""What can be said of the lines of a file, of its whole text, and of its checksum.

A file that is not there has no lines, and no other lines either: then neither the claim nor its negation is met. So it
is with the part between two lines where one of these is not there.
"""

from __future__ import annotations

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.cleaning import literal
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.checksum import Checksum
    from infratest.facts.lines import Lines


class _OfLines(Check):
    """Lines of a file, or of the part of it between two others."""

    kind: ClassVar[str] = "any"

    path: str
    text: str = ""
    begin: str | None = None
    end: str | None = None

    def __post_init__(self) -> None:
        absolute(self.path)
        for text in (self.text, self.begin or "", self.end or ""):
            if "\n" in text or "\0" in text:
                raise UserError(
                    f"{self.subject}: {literal(text)} is no text of one line, which is what it is asked for"
                )

    @property
    def part(self) -> tuple[str, ...]:
        return () if self.begin is None or self.end is None else (self.begin, self.end)

    @derived
    def asked(self) -> Need[Lines]:
        return Need("lines", (absolute(self.path), self.kind, self.text, *self.part))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f'the file "{self.path}"'

    @property
    def where(self) -> str:
        return f" between {in_quotes(self.begin or '')} and {in_quotes(self.end or '')}" if self.part else ""

    def lines(self, facts: FactValues) -> tuple[Lines, str]:
        """Return what is there, and words for what is missing."""
        lines = facts[self.asked]
        if lines.problem:
            raise FactError(f"{self.path}: {lines.problem}")
        if not lines.there:
            return lines, f"{self.subject} does not exist or is no regular file"
        if lines.missing is not None:
            place = "begins" if lines.missing == self.begin else "ends"
            return lines, f"{self.subject} has no line {in_quotes(lines.missing)}, at which the part {place}"
        return lines, ""


class _HasLine(_OfLines):
    """At least one line is as asked."""

    what: ClassVar[str] = "the line"

    def observe(self, facts: FactValues) -> Seen:
        lines, missing = self.lines(facts)
        if missing:
            return Seen(holds=False, saw=missing, absent=True)
        what = f"{self.what} {in_quotes(self.text)}{self.where}"
        if not lines.count:
            size = "" if lines.total is None else f" ({counted(lines.total, 'line')})"
            return Seen(holds=False, saw=f"{self.subject} does not have {what}{size}")
        shown = f": {literal(lines.shown)}" if lines.shown and self.kind == "pattern" else ""
        more = f", the first of {lines.count}" if lines.count > 1 else ""
        return Seen(holds=True, saw=f"{self.subject} has {what}: line {lines.first}{more}{shown}")


@check(
    'the file "{path}" has a line matching "{text}"',
    negation='the file "{path}" has no line matching "{text}"',
    example='the file "/etc/ssh/sshd_config" has a line matching "^PermitRootLogin\\s+no$"',
)
class LineMatching(_HasLine):
    """A line of the file matches the pattern (RE2)."""

    kind = "pattern"
    what = "a line matching"

    def __post_init__(self) -> None:
        super().__post_init__()
        _pattern(self.text)


@check(
    'the file "{path}" has a line matching "{text}" between "{begin}" and "{end}"',
    negation='the file "{path}" has no line matching "{text}" between "{begin}" and "{end}"',
    example='the file "/etc/mysql/my.cnf" has a line matching "^port=33" between "[mysqld]" and "[client]"',
)
def line_matching_between(path: str, text: str, begin: str, end: str) -> LineMatching:
    """A line matches the pattern (RE2) of those between the first line that is the one text and the next other one."""
    return LineMatching(path, text, begin, end)


@check(
    'the file "{path}" has the line "{text}"',
    negation='the file "{path}" does not have the line "{text}"',
    example='the file "/etc/nsswitch.conf" has the line "hosts: files dns"',
)
class LineThere(_HasLine):
    """The text is a whole line of the file, as it is written."""

    kind = "line"


@check(
    'the file "{path}" has the line "{text}" between "{begin}" and "{end}"',
    negation='the file "{path}" does not have the line "{text}" between "{begin}" and "{end}"',
    example='the file "/etc/mysql/my.cnf" has the line "port=3306" between "[mysqld]" and "[client]"',
)
def line_there_between(path: str, text: str, begin: str, end: str) -> LineThere:
    """The text is a whole line of those between the first line that is the one text and the next other one."""
    return LineThere(path, text, begin, end)


class _LineCount(_OfLines):
    """How many lines are as asked."""

    def observe(self, facts: FactValues) -> Seen:
        lines, missing = self.lines(facts)
        if missing:
            return Seen(holds=False, saw=missing, absent=True)
        matching = f" matching {in_quotes(self.text)}" if self.text else ""
        return Seen(holds=True, saw=f"{self.subject} has {counted(lines.count, 'line')}{matching}", number=lines.count)

    def measure(self) -> Measure:
        return Measure(label=f"file {self.path} lines{f' {self.text}' if self.text else ''}", minimum=0)


@check(
    'the file "{path}" has {bound:count} lines matching "{text}"',
    example='the file "/var/log/auth.log" has at most 100 lines matching "Failed password"',
)
class MatchingLineCount(_LineCount):
    """How many lines of the file match the pattern (RE2)."""

    kind = "pattern"

    def __post_init__(self) -> None:
        super().__post_init__()
        _pattern(self.text)


@check(
    'the file "{path}" matches "{text}"',
    negation='the file "{path}" does not match "{text}"',
    example='the file "/etc/hosts" matches "(?s)^127\\..*localhost"',
)
class TextMatching(_OfLines):
    """The pattern (RE2) matches somewhere in the whole text of the file, across its lines; up to 1 MiB."""

    kind = "whole"

    def __post_init__(self) -> None:
        super().__post_init__()
        _pattern(self.text)

    def observe(self, facts: FactValues) -> Seen:
        lines, missing = self.lines(facts)
        if missing:
            return Seen(holds=False, saw=missing, absent=True)
        verb = "matches" if lines.count else "does not match"
        return Seen(holds=lines.count > 0, saw=f"{self.subject} {verb} {in_quotes(self.text)}")


@check('the file "{path}" has {bound:count} lines', example='the file "/etc/passwd" has at least 10 lines')
class LineCount(_LineCount):
    """How many lines the file has; the last one may be without a line break."""


def _pattern(text: str) -> None:
    """Refuse what is no pattern, and the one that every line matches. Raises UserError."""
    from infratest.regular_expression import compiled

    if not text:
        raise UserError('matching "": every line does; write the pattern that is meant')
    compiled(text)


#: Algorithm as it is written -> hexadecimal digits of its sum. FIPS 180-4, RFC 1321.
DIGITS = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128}


@check(
    'the file "{path}" has the {algorithm:word} checksum "{sum}"',
    negation='the file "{path}" does not have the {algorithm:word} checksum "{sum}"',
    example='the file "/etc/machine-id" has the MD5 checksum "d41d8cd98f00b204e9800998ecf8427e"',
)
class FileChecksum(Check):
    """The checksum of all of the file's bytes: MD5, SHA-1, SHA-256 or SHA-512, in hexadecimal."""

    path: str
    algorithm: str
    sum: str

    def __post_init__(self) -> None:
        absolute(self.path)
        digits = DIGITS[self.standard]
        if len(self.sum) != digits or not set(self.sum.lower()) <= set("0123456789abcdef"):
            raise UserError(
                f"{in_quotes(self.sum)} is no {self.standard} checksum: that is {digits} hexadecimal digits"
            )

    @derived
    def standard(self) -> str:
        """The algorithm's name in the standard; programs write SHA256 and sha256, too. Raises UserError."""
        for name in DIGITS:
            if self.algorithm.upper().replace("-", "") == name.replace("-", ""):
                return name
        raise UserError(f"the checksum {self.algorithm!r}: known are {', '.join(DIGITS)}")

    @derived
    def asked(self) -> Need[Checksum]:
        return Need("checksum", (absolute(self.path), self.standard))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        checksum = facts[self.asked]
        if checksum.problem:
            raise FactError(f"{self.path}: {checksum.problem}")
        if not checksum.there:
            saw = f'the file "{self.path}" does not exist or is no regular file'
            return Seen(holds=False, saw=saw, absent=True)
        saw = f'the file "{self.path}" has the {self.standard} checksum "{checksum.sum}"'
        return Seen(holds=checksum.sum == self.sum.lower(), saw=saw)
