"""An inventory in INI: `[group]`, `[group:children]`, `[group:vars]`. As ansible.plugins.inventory.ini reads it."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import InventoryError
from infratest.inventories.ansible.names import expanded
from infratest.inventories.ansible.tree import ALL, UNGROUPED, Tree

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_GROUP = re.compile(r"([^:\]\s]+)\s*(?:#.*)?")
HOSTS, CHILDREN, VARS = "hosts", "children", "vars"


def read(text: str, path: Path, tree: Tree) -> None:
    """Read an inventory into a tree.

    Raises:
        InventoryError: file, line, and what is wrong there. NotKnown: a name of a host that is not known here.
    """
    _Reader(path, tree).whole(text)


class _Reader:
    def __init__(self, path: Path, tree: Tree) -> None:
        self.path = path
        self.tree = tree
        self.where = ""
        #: Groups that have a section of their own here, or are named as children; and those that have variables alone.
        self.declared: set[str] = {ALL, UNGROUPED}
        self.pending: dict[str, str] = {}

    def whole(self, text: str) -> None:
        group, kind = UNGROUPED, HOSTS
        for number, line in enumerate(text.splitlines(), 1):
            self.where = f"{self.path}:{number}"
            line = line.strip()
            if not line or line[0] in "#;":
                continue
            section = _SECTION.fullmatch(line)
            if section is not None:
                group, kind = self._section(section[1], section[2] or HOSTS)
            elif line.startswith("[") and line.endswith("]"):
                raise InventoryError(f"{self.where}: {clean(line, 80)!r} is no section: [GROUP], [GROUP:children] ...")
            elif kind == HOSTS:
                self._host(line, group)
            elif kind == CHILDREN:
                self._child(line, group)
            else:
                self._variable(line, group)
        for name, where in self.pending.items():
            if name not in self.declared:
                raise InventoryError(f"{where}: the group {name!r} has no section of its own: [{name}]")

    def _section(self, group: str, kind: str) -> tuple[str, str]:
        if kind not in (HOSTS, CHILDREN, VARS):
            raise InventoryError(f"{self.where}: [{group}:{kind}] is no section: there are hosts, children and vars")
        if kind == VARS:
            if group not in self.declared and group not in self.tree.groups:
                self.pending.setdefault(group, self.where)
        else:
            self.declared.add(group)
        self.tree.group(group)
        return group, kind

    def _child(self, line: str, group: str) -> None:
        found = _GROUP.fullmatch(line)
        if found is None:
            raise InventoryError(f"{self.where}: {clean(line, 80)!r} is no group's name, which a child is")
        self.tree.group(found[1])
        self.tree.group(group).children[found[1]] = None
        self.pending.setdefault(found[1], f"{self.where}: child of {group!r}")

    def _host(self, line: str, group: str) -> None:
        if line.startswith("---"):
            raise InventoryError(f"{self.where}: the file begins as YAML; name it {self.path.name}.yml")
        try:
            name, *given = shlex.split(line, comments=True)
        except ValueError as error:
            raise InventoryError(f"{self.where}: {clean(line, 80)!r}: {error}") from None
        variables = {}
        for word in given:
            key, equals, value = word.partition("=")
            if not equals:
                raise InventoryError(f"{self.where}: expected NAME=VALUE behind the host, found {clean(word, 80)!r}")
            variables[key] = value_of(value)
        if name.endswith(":"):
            raise InventoryError(f"{self.where}: the host {clean(name, 80)!r} ends with a colon, and no port is there")
        names, port = expanded(name)
        for each in names:
            host = self.tree.host(each, self.where, group)
            host.vars |= ({"ansible_port": port} if port is not None else {}) | variables

    def _variable(self, line: str, group: str) -> None:
        key, equals, value = line.partition("=")
        if not equals:
            raise InventoryError(f"{self.where}: expected NAME=VALUE, found {clean(line, 80)!r}")
        self.tree.group(group).vars[key.strip()] = value_of(value.strip())


def value_of(text: str) -> Any:
    """Return a value as Ansible's INI has it: what Python can read as a literal is that, all else is text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
