"""What a program says of its hosts: the JSON of `--list`, as dynamic inventories and `ansible-inventory` print it.

As ansible.plugins.inventory.script reads it; the format is in Ansible's "Developing dynamic inventory".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infratest.cleaning import clean
from infratest.errors import InventoryError
from infratest.inventories.ansible.tree import NotKnown, Tree

META, HOSTVARS = "_meta", "hostvars"
KEYS = ("hosts", "vars", "children")


def read(data: Mapping[str, Any], tree: Tree, what: str) -> None:
    """Read an answer into a tree.

    Args:
        what: who gave it, for messages.
    Raises:
        InventoryError: it is no such answer. NotKnown: it is one of a kind that is not read here.
    """
    for name, group in data.items():
        if name != META:
            _group(name, group, tree, what)
    meta = data.get(META)
    if meta is None and tree.hosts:
        raise NotKnown(f"{what} has no {META}: each host's variables would be asked by a call of their own")
    hostvars = meta.get(HOSTVARS, {}) if isinstance(meta, Mapping) else {}
    if not isinstance(hostvars, Mapping):
        raise InventoryError(f"{what}: {META}.{HOSTVARS} is no map")
    for name, variables in hostvars.items():
        if not isinstance(variables, Mapping):
            raise InventoryError(f"{what}: the variables of {clean(name, 80)!r} are no map")
        if name in tree.hosts:  # those of a host that no group has are of nobody
            tree.hosts[name].vars |= variables


def _group(name: str, data: Any, tree: Tree, what: str) -> None:
    if isinstance(data, list):
        data = {"hosts": data}
    if not isinstance(data, Mapping) or not (not data or {*KEYS} & {*data}):
        raise NotKnown(f"{what}: the group {clean(name, 80)!r} is no map of hosts, vars and children")
    group = tree.group(name)
    for host in _texts(data.get("hosts") or [], f"{what}: the hosts of {clean(name, 80)!r}"):
        tree.host(host, what, name)
    for child in _texts(data.get("children") or [], f"{what}: the children of {clean(name, 80)!r}"):
        tree.group(child)
        group.children[child] = None
    variables = data.get("vars") or {}
    if not isinstance(variables, Mapping):
        raise InventoryError(f"{what}: the variables of the group {clean(name, 80)!r} are no map")
    group.vars |= variables


def _texts(value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise InventoryError(f"{what} are no list of names")
    return value
