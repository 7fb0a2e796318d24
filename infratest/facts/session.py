"""The fact `session`: who is logged in now. It has no argument.

`who` prints a line for each login of /run/utmp: its name, its terminal, when, and from where in parentheses: who(1).
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines, without
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Session(Record):
    """One login: whose, on which terminal, from where (empty at the machine itself)."""

    user: str
    terminal: str
    origin: str = ""

    def in_words(self) -> str:
        return f"{self.user} on {self.terminal}{f' from {self.origin}' if self.origin else ''}"


class Sessions(tuple[Session, ...]):
    """All of them."""

    __slots__ = ()

    def in_words(self) -> str:
        return ", ".join(session.in_words() for session in self[:20]) or "nobody"


SNIPPET = f"""
[ -r /run/utmp ] || [ -r /var/run/utmp ] || {{
  echo '/run/utmp is not there: this host does not keep who is logged in, or keeps it elsewhere' >&2
  exit {NO_TOOL}
}}
who || exit 1
echo done
"""


class SessionFact(Fact):
    """Logins."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("who", "who (coreutils) is not installed on this host") + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done":
            raise FactError(f"who answers what is not understood: {cited(answer.out, 80)}")
        return dict.fromkeys(arguments, Sessions(_session(row) for row in rows))


def _session(row: str) -> Session:
    """Return a session; busybox writes for how long it rests, then the time with its seconds, and no parentheses."""
    words = row.split()
    if len(words) < 4 or not any("0" <= character <= "9" for character in "".join(words[2:])):
        raise FactError(f"who has a line that is not understood: {cited(row, 120)}")
    origin = words[-1]
    if words[5:] and words[5].count(":") == 2 and words[5].replace(":", "").isdigit():
        return Session(words[0], words[1], "".join(words[6:7]))
    if origin.startswith("("):
        return Session(words[0], words[1], origin.removeprefix("(").removesuffix(")"))
    return Session(words[0], words[1])
