"""The fact `group`: a group by name. Argument: the name. None where the host knows no such group."""

from __future__ import annotations

from infratest.facts import _names
from infratest.facts._shell import number
from infratest.facts.base import Answer, Argument, Fact
from infratest.found import Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class GroupFact(Fact):
    """Groups."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return _names.ask("group", arguments)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        found = _names.entries(self, answer, 4)
        return {argument: _group(found.get(argument[0])) for argument in arguments}


def _group(entry: list[str] | None) -> Group | None:
    if entry is None:
        return None
    name, _, gid, members = entry
    return Group(name=name, gid=number(gid, "a group id"), members=tuple(one for one in members.split(",") if one))
