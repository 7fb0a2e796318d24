"""The fact `membership`: the groups that an account gets when it logs in. Argument: the account's name.

As id(1) tells, and initgroups(3) sets: the primary group, and each group that lists the account on any line of its
name, for a group may be written on several lines, and several groups may have one id. None where there is no account.
"""

from __future__ import annotations

import os
import pwd

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _accounts, _machine
from infratest.facts._shell import lines, number, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Membership(Record):
    """The ids of all groups of an account, the least first."""

    gids: tuple[int, ...]

    def in_words(self) -> str:
        return f"in the groups with the ids {', '.join(map(str, self.gids))}"


# A line for each name; id says words on standard error where it knows no such account. A `.` ends the answer.
SNIPPET = r"""
for name; do
  ids=$(id -G -- "$name" 2>/dev/null) || ids=none
  echo "$ids"
done
echo .
"""


class MembershipFact(LooksForEach, LooksHere):
    """Groups of accounts."""

    def snippet(self) -> str:
        return without("id", "id (coreutils) is not installed on this host") + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "." or len(rows) != len(arguments):
            raise FactError(f"the answer about groups of accounts is not understood: {cited(answer.out, 80)}")
        return {argument: _membership(row) for argument, row in zip(arguments, rows, strict=True)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        if not _near():
            return None
        near = [argument for argument in arguments if _accounts.near("passwd", argument)]
        return {argument: _here(argument[0]) for argument in near}


def _near() -> bool:
    """Whether all groups of this machine are told without another machine: any source of them may list an account."""
    try:
        text = decoded(_machine.whole("/etc/nsswitch.conf"))
    except FileNotFoundError:
        return True  # as in _accounts.near
    except OSError:
        return False
    return all(_accounts.NEAR.issuperset(_accounts.sources(name, text)) for name in ("group", "initgroups"))


def _here(name: str) -> Membership | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Membership(tuple(sorted(set(os.getgrouplist(name, entry.pw_gid)))))


def _membership(row: str) -> Membership | None:
    if row == "none":
        return None
    return Membership(tuple(sorted({number(word, "a group id") for word in row.split()})))
