"""The fact `clock`: whether a host's clock follows others, and how far it is off, as its own daemon says. No argument.

chronyc(1) `tracking`, ntpq(8) `rv`, or timedatectl(1), which has the kernel's word for it and no offset; the first that
answers. How far it is off the controller's clock is another question.
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


class Clock(Record):
    """A host's clock: whether it follows others, how many seconds it is off (None: not told), and who says so.

    `stratum`: how many servers are between it and a clock that needs none, and one more; None where that is not told.
    """

    synchronised: bool
    offset: float | None
    source: str
    stratum: int | None = None

    def in_words(self) -> str:
        from infratest.units import human

        off = "" if self.offset is None else f", {human(self.offset, 's')} off"
        stratum = "" if self.stratum is None or not self.synchronised else f", of stratum {self.stratum}"
        return f"{'synchronised' if self.synchronised else 'not synchronised'}{off}{stratum}, as {self.source} says"


# Lines: `NAME STATUS words` for each that was asked, until one answered; `done`.
SNIPPET = r"""
asked() {
  name=$1
  command -v "$name" >/dev/null 2>&1 || return 1
  words=$("$@" 2>&1)
  status=$?
  one_line "$words"
  put "$name $status $line$nl"
  case $status$words in
  0*[=,]*) return 0 ;;
  esac
  return 1
}
asked chronyc -c -n tracking || asked ntpq -c rv || asked timedatectl show -p NTPSynchronized || :
echo done
"""


class ClockFact(Fact):
    """Clocks."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return ONE_LINE + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done":
            raise FactError(f"the answer about the clock is not understood: {cited(answer.out, 80)}")
        silent = []
        for row in rows:
            name, status, words = (*row.split(" ", 2), "", "")[:3]
            text = unescaped(words)
            if number(status, "an exit status") == 0 and name in READERS:
                return dict.fromkeys(arguments, READERS[name](text))
            silent.append(f"{name}: {beginning(' '.join(text.split()), 120)}")
        raise FactError(
            f"nobody on the host says how its clock is: {'; '.join(silent) or 'no chronyc, ntpq, timedatectl'}"
        )


def _chrony(text: str) -> Clock:
    """Read the one line of `chronyc -c tracking`: the third field is the stratum, the fifth the system clock's offset,
    the last its state."""
    fields = text.strip().split(",")
    try:
        stratum, offset, state = fields[2], abs(float(fields[4])), fields[13]
    except (IndexError, ValueError):
        raise FactError(f"chronyc answers what is not understood: {cited(text, 120)}") from None
    return Clock(state != "Not synchronised", offset, "chronyc", number(stratum, "a stratum"))


def _ntp(text: str) -> Clock:
    """Read `ntpq -c rv`: `leap_none, sync_ntp, ... offset=0.123`, in milliseconds; leap_alarm until it follows one."""
    words = text.replace(",", " ").split()
    values = dict(word.split("=", 1) for word in words if "=" in word)
    try:
        offset, stratum = abs(float(values["offset"])) / 1000, values.get("stratum")
    except (KeyError, ValueError):
        raise FactError(f"ntpq answers what is not understood: {cited(text, 120)}") from None
    level = None if stratum is None else number(stratum, "a stratum")
    return Clock("leap_alarm" not in words and "sync_unspec" not in words, offset, "ntpq", level)


def _timedatectl(text: str) -> Clock:
    name, _, value = text.strip().partition("=")
    if name != "NTPSynchronized" or value not in ("yes", "no"):
        raise FactError(f"timedatectl answers what is not understood: {cited(text, 120)}")
    return Clock(value == "yes", None, "timedatectl")


READERS = {"chronyc": _chrony, "ntpq": _ntp, "timedatectl": _timedatectl}
