"""What facts share that ask one program about each path: its words and its status, for each path that is there."""

from __future__ import annotations

from abc import abstractmethod

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, PUT, lines, number, unescaped, without_any
from infratest.facts.base import Answer, Argument, LooksForEach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

# Lines: `none N`, `error N words`, `given N STATUS words`; `done`.
SNIPPET = r"""
not_found "$@"
n=0
for path in "$@"; do
  n=$((n + 1))
  [ -e "$path" ] || continue
  words=$(COMMAND 2>&1)
  status=$?
  one_line "$words"
  put "given $n $status $line$nl"
done
echo done
"""


class ToldOfPath(LooksForEach):
    """A fact about paths that one program knows. A value is made by `value`, or by `lost` where nothing is there."""

    #: The program, and the shell that runs it on `$path`, links followed.
    program: ClassVar[str]
    command: ClassVar[str]

    @abstractmethod
    def value(self, status: int, words: str, path: str) -> Any:
        """Return the value that the program's words mean."""

    @abstractmethod
    def lost(self, problem: str) -> Any:
        """Return the value of a path at which nothing is (no problem), or that could not be looked at."""

    def snippet(self) -> str:
        tools = without_any(self.program, "stat") + ONE_LINE + COUNT_LINES + NOT_FOUND + PUT
        return tools + SNIPPET.replace("COMMAND", self.command)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        values: dict[int, Any] = {}
        for row in rows:
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            place = number(index, "an index")
            if not 0 < place <= len(arguments) or mark not in ("none", "error", "given"):
                raise FactError(f"the answer of {self.program} is not understood: {cited(row, 80)}")
            if mark == "given":
                status, _, text = words.partition(" ")
                values[place] = self.value(number(status, "a status"), unescaped(text), arguments[place - 1][0])
            else:
                values[place] = self.lost(unescaped(words))
        if end != "done" or sorted(values) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} files asked for, {len(values)} were answered")
        return {argument: values[index] for index, argument in enumerate(arguments, 1)}
