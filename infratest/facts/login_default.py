"""The fact `login-default`: what /etc/login.defs says of a name, as login.defs(5) has it. Argument: the name.

The last line with the name counts, as for shadow-utils (getdef.c). A host without the file says nothing of any name.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts._shell import ONE_LINE, PUT, lines, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# A line for each name: `value WORDS`, or `none`. A dot ends the answer.
SNIPPET = r"""
file=/etc/login.defs
if [ -e "$file" ] && ! [ -r "$file" ]; then echo "$file: permission denied" >&2; exit 1; fi
for name; do
  seen=none
  if [ -e "$file" ]; then
    while read -r key value || [ -n "$key" ]; do
      [ "$key" = "$name" ] && [ -n "$value" ] && seen="value $value"
    done <"$file"
  fi
  one_line "$seen"
  put "$line"
  echo
done
echo .
"""


class LoginDefault(Record):
    """What is said of a name; None where nothing is."""

    name: str
    value: str | None = None

    def in_words(self) -> str:
        said = f"nothing of {self.name}" if self.value is None else f"{self.name} {self.value}"
        return f"/etc/login.defs says {said}"

    def number(self, default: int) -> int:
        """Return the value as a number: decimal, octal behind 0, hexadecimal behind 0x.

        Raises:
            FactError: it is none.
        """
        if self.value is None:
            return default
        text = self.value
        try:
            if text[:2].lower() == "0x":
                return int(text, 16)
            return int(text, 8 if text.startswith("0") and text != "0" else 10)
        except ValueError:
            raise FactError(f"/etc/login.defs: {self.name} is {cited(text, 80)}, expected a number") from None


class LoginDefaultFact(LooksForEach):
    """Settings of login.defs."""

    def snippet(self) -> str:
        return PUT + ONE_LINE + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        if not argument[0].replace("_", "").isalnum() or not argument[0].isascii():
            raise UserError(f"{argument[0]!r} is not a name of /etc/login.defs: letters, digits and _")
        return argument[:1]

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "." or len(rows) != len(arguments):
            raise FactError(f"the answer about /etc/login.defs is not understood: {cited(answer.out, 80)}")
        return {argument: _default(argument[0], row) for argument, row in zip(arguments, rows, strict=True)}


def _default(name: str, row: str) -> LoginDefault:
    mark, _, value = row.partition(" ")
    if mark == "none" and not value:
        return LoginDefault(name)
    if mark != "value":
        raise FactError(f"the answer about /etc/login.defs is not understood: {cited(row, 80)}")
    # getdef.c: quotes and blanks before the value are skipped, and a quote ends it.
    return LoginDefault(name, unescaped(value).lstrip(' "\t').partition('"')[0])
