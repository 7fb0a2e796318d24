"""The fact `linger`: whether a user's own systemd is started at boot. Argument: the user's name.

A file of that name below /var/lib/systemd/linger: what `loginctl enable-linger` makes, loginctl(1).
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts import _systemd
from infratest.facts._accounts import entry_name
from infratest.facts._shell import lines
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SNIPPET = r"""
folder=/var/lib/systemd/linger
for user; do
  if ! words=$(id -u "$user" 2>&1); then
    case $words in
    *[Nn]'o such user'* | *'unknown user'*) echo none ;;
    *) printf 'id: %s\n' "$words" >&2; exit 1 ;;
    esac
  elif [ -e "$folder/$user" ]; then
    echo yes
  elif [ -e "$folder" ] && ! [ -x "$folder" ]; then
    echo "$folder: permission denied" >&2
    exit 1
  else
    echo no
  fi
done
"""


class Linger(Record):
    """Whether there is such a user, and whether it lingers."""

    user: bool
    lingers: bool = False

    def in_words(self) -> str:
        if not self.user:
            return "there is no such user"
        return "lingers" if self.lingers else "does not linger"


class LingerFact(LooksForEach):
    """Users who linger."""

    def snippet(self) -> str:
        return _systemd.SNIPPET + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (entry_name(argument[0]),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) != len(arguments) or not set(rows) <= {"yes", "no", "none"}:
            raise FactError(f"the answer about lingering is not understood: {rows[:3]}")
        return {argument: Linger(row != "none", row == "yes") for argument, row in zip(arguments, rows, strict=True)}
