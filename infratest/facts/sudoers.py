"""The fact `sudoers`: whether sudo's rules are valid, as visudo(8) says with -c: their syntax, owners and modes."""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, lines, unescaped, without
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SNIPPET = r"""
if [ "$(id -u)" != 0 ]; then
  echo 'permission denied: only root reads the rules of sudo (sudo: true in the stack file)' >&2
  exit 1
fi
words=$(visudo -c 2>&1 </dev/null)
status=$?
one_line "$words"
printf 'visudo %s %s\n' "$status" "$line"
"""


class Sudoers(Record):
    """Whether sudo's rules are valid, and visudo's words."""

    valid: bool
    words: str = ""

    def in_words(self) -> str:
        return "valid" if self.valid else f"not valid: {self.words}"


class SudoersFact(Fact):
    """Validity of sudo's rules."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("visudo", "visudo (of sudo) is not installed on this host") + ONE_LINE + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        mark, _, rest = (rows[0] if len(rows) == 1 else "").partition(" ")
        status, _, words = rest.partition(" ")
        told = unescaped(words).split("\n")
        if mark != "visudo" or status not in ("0", "1") or not words:
            raise FactError(f"the answer of visudo is not understood: {cited(answer.out, 80)}")
        if status == "0" and not all(row.endswith(": parsed OK") for row in told):
            raise FactError(f"visudo ended well, with words that are not understood: {beginning(told[0], 200)}")
        wrong = next((row for row in told if not row.endswith(": parsed OK")), told[0])
        return {argument: Sudoers(status == "0", "" if status == "0" else wrong) for argument in arguments}
