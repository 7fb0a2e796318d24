"""How the facts `user` and `group` ask for entries by name, and read them: passwd(5) and group(5) lines."""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._shell import lines, positional
from infratest.facts.base import Answer, Argument, Fact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# getent(1) knows every source of the host's name services; without it (busybox) the local file is read, by the shell
# alone. getent ends with 2 where one of the names is not known, and takes a number for an id; reading compares names.
# A `.` ends the answer, for no line at all means that nobody has such a name.
SNIPPET = r"""
if command -v getent >/dev/null 2>&1; then
  getent DATABASE "$@"
  status=$?
  [ "$status" -eq 0 ] || [ "$status" -eq 2 ] || exit 1
else
  while IFS= read -r entry; do
    for name; do
      case $entry in
        "$name":*) printf '%s\n' "$entry" ;;
      esac
    done
  done </etc/DATABASE
fi
echo .
exit 0
"""


def ask(database: str, arguments: Sequence[Argument]) -> str:
    """Return the snippet for `passwd` or `group`."""
    return positional(arguments) + SNIPPET.replace("DATABASE", database)


def entries(fact: Fact, answer: Answer, fields: int) -> dict[str, list[str]]:
    """Return the fields of each entry by its name; lines without an id (`+::::::` of NIS) are none."""
    *rows, end = lines(fact.readable(answer).out) or [""]
    if end != ".":
        raise FactError(f"the answer about users or groups is not understood: {answer.out[:80]!r}")
    split = [row.split(":") for row in rows]
    return {parts[0]: parts for parts in split if len(parts) == fields and parts[2].isdigit()}
