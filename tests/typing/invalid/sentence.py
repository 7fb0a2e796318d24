"""What a type checker must notice in a sentence: each line with a remark, and no other."""

from __future__ import annotations

from collections.abc import Mapping

from infratest.check import Check, Seen
from infratest.facts.base import FactValues, Need
from infratest.facts.mount import Mount

MOUNTS: Need[Mapping[str, Mount]] = Need("mount")


class MountIs(Check):
    """A check with mistakes."""

    path: str

    def needs(self) -> tuple[Need, ...]:
        return ("mount",)  # error: return-value

    def observe(self, facts: FactValues) -> Seen:
        mount = facts[MOUNTS].get(self.path)
        type = mount.type  # error: union-attr
        size: int = facts[MOUNTS]["/"].type  # error: assignment
        return Seen(holds=type, saw=size, nosuch=1)  # error: arg-type call-arg


def used(check: MountIs, facts: Mapping[Need, Mount]) -> str:
    check.path = "/"  # error: misc
    return MountIs(7).path  # error: arg-type
