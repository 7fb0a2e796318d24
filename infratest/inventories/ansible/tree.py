"""An Ansible inventory as it is read: hosts, groups, their variables, and which variable of a host counts.

Order: "Variable precedence" of Ansible's guide, from what inventories may say: variables of `all`, of groups (a child's
over its parents', by `ansible_group_priority` and name among equals), group_vars/all, group_vars of groups, the host's
own, host_vars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.errors import InventoryError
from infratest.inventories.base import MOST_HOSTS

ALL, UNGROUPED = "all", "ungrouped"


class NotKnown(InventoryError):
    """It is written in a way that is not read here; Ansible itself may know it."""


class Broken(NotKnown):
    """It is no YAML at all; Ansible, where it is here, has the last word."""


class Vaulted:
    """A value in a vault, which nobody opens here."""


@dataclass
class Group:
    """A group: its hosts and children in the order in which they were named, its variables, those of its files."""

    name: str
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)
    file_vars: dict[str, Any] = field(default_factory=dict)


@dataclass
class Member:
    """A host: where it was named first, its own variables, those of its files."""

    name: str
    where: str
    vars: dict[str, Any] = field(default_factory=dict)
    file_vars: dict[str, Any] = field(default_factory=dict)


@dataclass
class Tree:
    """The whole. files: what was read and listed. asked: a program gave some of it."""

    groups: dict[str, Group] = field(default_factory=dict)
    hosts: dict[str, Member] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    asked: bool = False
    _above: dict[str, set[str]] | None = field(default=None, repr=False)
    _depths: dict[str, int] = field(default_factory=dict, repr=False)

    def group(self, name: str) -> Group:
        """Return a group, made where it is not there."""
        return self.groups.setdefault(name, Group(name))

    def host(self, name: str, where: str, group: str = "") -> Member:
        """Return a host, made where it is not there, and put it into a group."""
        if group and group != ALL:
            self.group(group).hosts[name] = None
        if len(self.hosts) >= MOST_HOSTS and name not in self.hosts:
            raise InventoryError(f"{where}: more than {MOST_HOSTS} hosts")
        return self.hosts.setdefault(name, Member(name, where))

    def groups_of(self, host: str) -> list[Group]:
        """Return the groups of a host without `all`, parents before children, in the order in which they count.

        Raises:
            InventoryError: a group is its own child by way of others.
        """
        if self._above is None:
            self._above = self._ancestors()
        return [self.groups[name] for name in sorted(self._above.get(host, ()), key=self._rank)]

    def variables(self, host: Member) -> dict[str, Any]:
        """Return the variables of a host, each with the value that counts."""
        groups, everyone = self.groups_of(host.name), self.groups.get(ALL, Group(ALL))
        if not groups and UNGROUPED in self.groups:
            groups = [self.groups[UNGROUPED]]
        found: dict[str, Any] = {**everyone.vars}
        for group in groups:
            found |= group.vars
        found |= everyone.file_vars
        for group in groups:
            found |= group.file_vars
        return found | host.vars | host.file_vars

    def _rank(self, name: str) -> tuple[int, int, str]:
        priority = self.groups[name].vars.get("ansible_group_priority", 1)
        try:
            return self._depth(name), int(priority), name
        except (TypeError, ValueError):
            raise InventoryError(f"group {name}: ansible_group_priority is {priority!r}, expected a number") from None

    def _depth(self, name: str) -> int:
        """Return how far a group is below `all`, by the longest way."""
        if name not in self._depths:
            parents = [each.name for each in self.groups.values() if name in each.children and each.name != ALL]
            self._depths[name] = 1 + max((self._depth(parent) for parent in parents), default=0)
        return self._depths[name]

    def _ancestors(self) -> dict[str, set[str]]:
        """Return for each host the names of all its groups."""
        found: dict[str, set[str]] = {}
        parents: dict[str, list[str]] = {}
        for group in self.groups.values():
            for child in group.children:
                parents.setdefault(child, []).append(group.name)
        for group in self.groups.values():
            if group.name in (ALL, UNGROUPED):
                continue
            above = _reached(group.name, parents)
            if group.name in above:
                around = ", ".join(sorted(above))
                raise InventoryError(f"the group {group.name!r} is a child of itself: it is below {around}")
            for host in group.hosts:
                found.setdefault(host, set()).update({group.name, *above} - {ALL, UNGROUPED})
        return found


def _reached(name: str, parents: Mapping[str, list[str]]) -> set[str]:
    """Return all that is above a group, itself only where it is above itself."""
    found: set[str] = set()
    todo = [*parents.get(name, ())]
    while todo:
        parent = todo.pop()
        if parent not in found:
            found.add(parent)
            todo += parents.get(parent, ())
    return found
