"""The fact `clock-source`: the sources that a host's clock may follow, as its own daemon has them. It has no argument.

chronyc(1) `-c sources`, or ntpq(8) `peers`; the first whose daemon answers. timedatectl(1) has no such list.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, PUT, lines, number, unescaped
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: The first characters of a line of `ntpq -pn` (ntpq(8), peer status): what is thought of a source.
TALLIES = " x.-+#*o"


class ClockSource(Record):
    """One source.

    Args:
        reach: of its last eight answers, the last in the lowest bit, those that came. selected: the clock follows it.
    """

    name: str
    stratum: int
    reach: int
    selected: bool

    def in_words(self) -> str:
        return f"{self.name} ({'reachable' if self.reach else 'not reachable'})"


class ClockSources(tuple[ClockSource, ...]):
    """All of them."""

    __slots__ = ()

    @property
    def reachable(self) -> tuple[ClockSource, ...]:
        """Those of which one of the last eight answers came."""
        return tuple([source for source in self if source.reach])

    def in_words(self) -> str:
        from infratest.cleaning import clean

        if not self:
            return "no source"
        each = clean(", ".join(source.in_words() for source in self), 300)
        return f"{len(self.reachable)} reachable of {len(self)} sources: {each}"


# Lines: `NAME STATUS words` for each that was asked, until one answered; then its lines behind a bar; `done`.
SNIPPET = r"""
asked() {
  name=$1
  command -v "$name" >/dev/null 2>&1 || return 1
  words=$("$@" 2>&1)
  status=$?
  case $status$words in
  0*refused* | 0*'timed out'*) status=1 ;;
  esac
  if [ "$status" = 0 ]; then
    put "$name 0$nl"
    [ -z "$words" ] || printf '%s\n' "$words" | while IFS= read -r line; do put "|$line$nl"; done
    return 0
  fi
  one_line "$words"
  put "$name $status $line$nl"
  return 1
}
asked chronyc -c -n sources || asked ntpq -pn || :
echo done
"""


class ClockSourceFact(Fact):
    """Sources of clocks."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return ONE_LINE + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done":
            raise FactError(f"the answer about the clock's sources is not understood: {cited(answer.out, 80)}")
        silent = []
        for index, row in enumerate(rows):
            name, status, words = (*row.split(" ", 2), "", "")[:3]
            rest = rows[index + 1 :]
            if name in READERS and number(status, "an exit status") == 0 and all(one[:1] == "|" for one in rest):
                return dict.fromkeys(arguments, ClockSources(READERS[name]([one[1:] for one in rest])))
            silent.append(f"{name}: {beginning(' '.join(unescaped(words).split()), 120)}")
        raise FactError(
            f"nobody on the host says which sources its clock has: {'; '.join(silent) or 'no chronyc, ntpq'}"
        )


def _chrony(rows: Sequence[str]) -> list[ClockSource]:
    """Read `chronyc -c sources`: mode, state (`*`: followed), name, stratum, poll, reach (octal), and times."""
    sources = []
    for row in rows:
        fields = row.split(",")
        if len(fields) != 10 or fields[0] not in ("^", "=", "#"):
            raise FactError(f"chronyc answers what is not understood: {cited(row, 120)}")
        sources.append(ClockSource(fields[2], number(fields[3], "a stratum"), _octal(fields[5]), fields[1] == "*"))
    return sources


def _ntp(rows: Sequence[str]) -> list[ClockSource]:
    """Read `ntpq -pn`: two lines of headings; then remote, refid, st, t, when, poll, reach (octal) and times."""
    if not rows or rows == ["No association ID's returned"]:
        return []
    if len(rows) < 2 or not rows[1].startswith("==="):
        raise FactError(f"ntpq answers what is not understood: {cited(rows[0], 120)}")
    sources = []
    for row in rows[2:]:
        fields = row[1:].split()
        if row[:1] not in TALLIES or len(fields) != 10:
            raise FactError(f"ntpq answers what is not understood: {cited(row, 120)}")
        sources.append(ClockSource(fields[0], number(fields[2], "a stratum"), _octal(fields[6]), row[0] in "*o"))
    return sources


def _octal(text: str) -> int:
    if not text or set(text) - set("01234567") or len(text) > 3:
        raise FactError(f"expected the last eight answers of a source, in octal, but saw {cited(text, 20)}")
    return int(text, 8)


READERS = {"chronyc": _chrony, "ntpq": _ntp}
