"""The fact `accounts`: all accounts or all groups that the host's name services list. Argument: `passwd` or `group`.

A directory service may know more accounts than it lists (getent(1), sssd.conf(5): `enumerate`); claims about all of
them are about those that are listed. Of passwords the host says which are empty, and no more, and that to root alone.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts._shell import PUT, lines, number
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# For each argument: `list NAME`, `entry NAME:ID` of each; of `passwd` then `empty NAME` of each whose password is, and
# `shadow yes`, or `shadow no` where it may not be read. A dot ends the answer.
SNIPPET = r"""
database() {
  if command -v getent >/dev/null 2>&1; then
    rows=$(getent "$1" 2>/dev/null)
    case $? in 0 | 2) return ;; esac
  fi
  rows=
  [ -e "/etc/$1" ] || return 0
  rows=$(cat "/etc/$1") || exit 1
}
entries() {
  while IFS=: read -r name word id rest; do
    put "entry $name:$id"
    echo
    [ "$1" = group ] || [ -n "$word" ] || empty "$name"
  done
}
empty() {
  case $1 in '' | '#'* | [+-]*) return ;; esac
  put "empty $1"
  echo
}
for which; do
  echo "list $which"
  database "$which"
  { put "$rows"; echo; } | entries "$which"
  [ "$which" = passwd ] || continue
  if [ -e /etc/shadow ] && ! [ -r /etc/shadow ]; then
    echo 'shadow no'
    continue
  fi
  database shadow
  { put "$rows"; echo; } | while IFS=: read -r name word rest; do [ -n "$word" ] || empty "$name"; done
  echo 'shadow yes'
done
echo .
"""


class Accounts(Record):
    """All that is listed: names and ids, in the order of the list, and names of accounts with an empty password.

    `shadow`: whether it could be seen which passwords are empty.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]
    empty: tuple[str, ...] = ()
    shadow: bool = True

    def in_words(self) -> str:
        words = f"{len(self.names)} are listed"
        if self.empty:
            words += f"; with an empty password: {', '.join(self.empty[:10])}"
        return words if self.shadow else f"{words}; passwords are shown to root alone"

    def of(self, number: int) -> list[str]:
        """Return the names that have an id."""
        return [name for name, one in zip(self.names, self.ids, strict=True) if one == number]


class AccountsFact(LooksForEach):
    """Lists of accounts and groups."""

    def snippet(self) -> str:
        return PUT + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        if argument[0] not in ("passwd", "group"):
            raise UserError(f"{argument[0]!r} is neither passwd nor group")
        return argument[:1]

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if rows[-1:] != ["."]:
            raise FactError(f"the answer about all accounts is not understood: {answer.out[-80:]!r}")
        parts: dict[str, list[str]] = {}
        part: list[str] | None = None
        for row in rows[:-1]:
            if row.startswith("list "):
                part = parts.setdefault(row[5:], [])
            elif part is None:
                raise FactError(f"the answer about all accounts is not understood: {cited(row, 80)}")
            else:
                part.append(row)
        if set(parts) != {argument[0] for argument in arguments}:
            raise FactError(f"lists of {len(arguments)} were asked for, and of {', '.join(parts) or 'none'} answered")
        return {argument: _accounts(parts[argument[0]]) for argument in arguments}


def _accounts(rows: Sequence[str]) -> Accounts:
    listed, empty, shadow = [], [], True
    for row in rows:
        mark, _, words = row.partition(" ")
        name, colon, digits = words.rpartition(":")
        if mark == "entry" and colon:
            if name and name[0] not in "#+-" and digits.isdigit():  # comments, and what NIS has in the list
                listed.append((name, number(digits, "an id")))
        elif mark == "empty":
            empty.append(words)
        elif mark == "shadow" and words in ("yes", "no"):
            shadow = words == "yes"
        else:
            raise FactError(f"the answer about all accounts is not understood: {cited(row, 80)}")
    if not listed:
        raise FactError("not one account or group is listed: /etc/passwd or /etc/group is empty, or is no list")
    names = {name for name, _ in listed}
    return Accounts(
        names=tuple([name for name, _ in listed]),
        ids=tuple([each for _, each in listed]),
        empty=tuple(dict.fromkeys([name for name in empty if name in names])),
        shadow=shadow,
    )
