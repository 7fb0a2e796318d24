"""The fact `capability`: the capabilities that a program gets from its file. Argument: the absolute path.

As getcap(8) of libcap prints them: `/bin/ping cap_net_raw=ep`, in older versions `/bin/ping = cap_net_raw+ep`.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, PUT, lines, number, unescaped, without_any
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Capabilities(Record):
    """What a file gives who starts it: each capability with its flags, `ep`; `problem` as in File."""

    given: tuple[tuple[str, str], ...] = ()
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        if not self.there:
            return self.problem or "does not exist"
        return ", ".join(f"{name}={flags}" for name, flags in self.given) or "no capability"


# Lines: `none N`, `error N words`, `given N STATUS words`; `done`.
SNIPPET = r"""
not_found "$@"
n=0
for path in "$@"; do
  n=$((n + 1))
  [ -e "$path" ] || continue
  words=$(getcap "$path" 2>&1)
  status=$?
  case $words in
  "$path"*) words=${words#"$path"} ;;
  esac
  one_line "$words"
  put "given $n $status $line$nl"
done
echo done
"""


class CapabilityFact(LooksForEach):
    """Capabilities of files."""

    def snippet(self) -> str:
        return without_any("getcap", "stat") + ONE_LINE + COUNT_LINES + NOT_FOUND + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        found: dict[int, Capabilities] = {}
        for row in rows:
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            found[number(index, "an index")] = _capabilities(mark, words)
        if end != "done" or sorted(found) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} files asked for, {len(found)} were answered")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}


def _capabilities(mark: str, words: str) -> Capabilities:
    if mark in ("none", "error"):
        return Capabilities(there=False, problem=unescaped(words) if mark == "error" else "")
    status, _, text = words.partition(" ")
    text = unescaped(text)
    given = []
    for clause in text.removeprefix(" =").split():
        names, sign, flags = clause.replace("+", "=", 1).partition("=")
        if not sign or not flags.isalpha() or not names.replace("_", "").replace(",", "").isalnum():
            return Capabilities(there=False, problem=f"getcap answers what is not understood: {cited(text, 120)}")
        given += [(name.lower(), flags) for name in names.split(",")]
    if status != "0":
        return Capabilities(there=False, problem=text.strip() or f"getcap ends with {status}")
    return Capabilities(tuple(given))
