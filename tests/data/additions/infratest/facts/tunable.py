"""The fact `tunable`: a setting of the kernel. Argument: its name, with dots, as sysctl(8) takes it."""

from __future__ import annotations

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import ONE_LINE, lines, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Setting(Record):
    """A setting of the kernel; None where it has no such setting."""

    value: str | None

    def in_words(self) -> str:
        return "no such setting" if self.value is None else self.value


# A line for each name: `is VALUE`, or `none`.
SNIPPET = r"""
for path; do
  if [ -r "$path" ]; then
    one_line "$(cat "$path")"
    printf 'is %s\n' "$line"
  else
    echo none
  fi
done
"""


class TunableFact(LooksForEach, LooksHere):
    """Settings of the kernel."""

    def snippet(self) -> str:
        return ONE_LINE + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (_path(argument),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = [row.partition(" ") for row in lines(self.readable(answer).out)]
        if len(rows) != len(arguments) or not all(word in ("is", "none") for word, _, _ in rows):
            raise FactError(f"the answer about settings of the kernel is not understood: {cited(answer.out, 80)}")
        values = [Setting(unescaped(rest) if word == "is" else None) for word, _, rest in rows]
        return dict(zip(arguments, values, strict=True))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        return {argument: _here(_path(argument)) for argument in arguments}


def _path(argument: Argument) -> str:
    return f"/proc/sys/{argument[0].replace('.', '/')}"


def _here(path: str) -> Setting:
    try:
        return Setting(decoded(_machine.whole(path)).rstrip("\n"))
    except OSError:
        return Setting(None)
