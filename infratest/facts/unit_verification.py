"""The fact `unit-verification`: what systemd finds wrong with a unit's files. Argument: the unit's full name.

`systemd-analyze verify` for each unit alone: what it prints names files and lines, and not which of several units it
was asked about. It loads what the unit needs as well, and runs nothing. That a manual page is not installed is no
fault of a unit.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts import _systemd
from infratest.facts._shell import ONE_LINE, lines, number, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: How systemd-analyze says that there is no such unit.
NOT_FOUND = " not found."

#: Lines about one unit that are carried; of those beyond, the last.
LINES = 20

# A line for each unit: the exit status, and what was printed.
SNIPPET = r"""
for unit; do
  words=$({
    systemd-analyze verify --man=no --no-pager "$unit" 2>&1
    echo "exit $?"
  } | sed 'LINES,$ { $!d; }')
  status=${words##*"exit "}
  one_line "${words%"exit $status"}"
  printf '%s %s\n' "$status" "$line"
done
""".replace("LINES", str(LINES + 1))


class UnitVerification(Record):
    """What is wrong with a unit's files: `problems`, a line each. there: whether there is such a unit."""

    there: bool
    problems: tuple[str, ...] = ()

    def in_words(self) -> str:
        if not self.there:
            return "there is no such unit"
        return "\n".join(self.problems) or "nothing is wrong with it"


class UnitVerificationFact(LooksForEach):
    """Units as `systemd-analyze verify` reads them."""

    def snippet(self) -> str:
        lacking = without("systemd-analyze", "systemd-analyze is not installed on this host")
        return _systemd.SNIPPET + lacking + ONE_LINE + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (_systemd.full_name(argument),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) != len(arguments):
            raise FactError(f"systemd-analyze was asked for {len(arguments)} units and answered for {len(rows)}")
        return {argument: _verification(row, argument[0]) for argument, row in zip(arguments, rows, strict=True)}


def _verification(row: str, unit: str) -> UnitVerification:
    status, _, words = row.partition(" ")
    ended, problems = number(status, "an exit status"), lines(unescaped(words))
    if f"Unit {unit}{NOT_FOUND}" in problems:
        return UnitVerification(there=False)
    if ended == 0 or problems:
        return UnitVerification(True, tuple(problems))
    raise FactError(f"systemd-analyze verify {unit} ended with {ended} and said nothing")
