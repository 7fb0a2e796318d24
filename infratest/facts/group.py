"""The fact `group`: a group by name. Argument: the name. None where the host knows no such group."""

from __future__ import annotations

import grp

from infratest.facts import _accounts
from infratest.facts._shell import number
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Group(Record):
    """A group and who is listed in it; accounts that have it as their primary group are not listed."""

    name: str
    gid: int
    members: tuple[str, ...]

    def in_words(self) -> str:
        return f"{self.name}: gid {self.gid}, members {', '.join(self.members) or 'none'}"


class GroupFact(LooksForEach, LooksHere):
    """Groups."""

    def snippet(self) -> str:
        return _accounts.snippet("group")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        found = _accounts.entries(self, answer, 4)
        return {argument: _group(found.get(argument[0])) for argument in arguments}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        if not _accounts.near("group", [argument[0] for argument in arguments]):
            arguments = [argument for argument in arguments if _accounts.near("group", argument)]
        return {argument: _here(argument[0]) for argument in arguments}


def _here(name: str) -> Group | None:
    try:
        entry = grp.getgrnam(name)
    except KeyError:
        return None
    return Group(name=name, gid=entry.gr_gid, members=tuple(_accounts.text(one) for one in entry.gr_mem))


def _group(entry: list[str] | None) -> Group | None:
    if entry is None:
        return None
    name, _, gid, members = entry
    return Group(name=name, gid=number(gid, "a group id"), members=tuple(one for one in members.split(",") if one))
