"""The files of an inventory: which one is read how, what lies in a folder, group_vars and host_vars beside them.

As ansible.inventory.manager and ansible.parsing.dataloader choose files.
"""

from __future__ import annotations

import os
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.inventories._program import json_map, printed
from infratest.inventories.ansible import answered, ini, yaml_file
from infratest.inventories.ansible.tree import NotKnown, Tree
from infratest.inventories.base import text_of

GROUP_VARS, HOST_VARS = "group_vars", "host_vars"
YAML = (".yml", ".yaml", ".json")
#: What is passed over in a folder (INVENTORY_IGNORE_EXTS, and names that no setting takes in).
IGNORED_ENDS = (".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry")
IGNORED = (GROUP_VARS, HOST_VARS, "vars_plugins")
#: How programs begin (ELF(5), execve(2)).
PROGRAMS = (b"#!", b"\x7fELF")


def read(path: Path, tree: Tree, deadline: Deadline) -> None:
    """Read an inventory, and the variables beside it, into a tree.

    Raises:
        InventoryError: it cannot be read whole. NotKnown: Ansible itself may know it.
    """
    _source(path, tree, deadline)
    base = path if path.is_dir() else path.parent
    for group in [*tree.groups.values()]:
        group.file_vars |= _variables(base / GROUP_VARS, group.name, tree)
    everyone = tree.group("all")
    everyone.file_vars |= _variables(base / GROUP_VARS, "all", tree)
    for host in tree.hosts.values():
        host.file_vars |= _variables(base / HOST_VARS, host.name, tree)


def _source(path: Path, tree: Tree, deadline: Deadline) -> None:
    tree.files.append(path)
    if path.is_dir():
        for name in _listed(path):
            if not (name.startswith(".") or name in IGNORED or name.endswith(IGNORED_ENDS)):
                _source(path / name, tree, deadline)
        return
    begin = _beginning(path)
    if begin.startswith(PROGRAMS) and os.access(path, os.X_OK):
        tree.asked = True
        text = printed([str(path), "--list"], path.parent, deadline, "run it by hand, as `./PROGRAM --list`")
        answered.read(json_map(text, f"what `{path} --list` says"), tree, str(path))
    elif begin.startswith(PROGRAMS[0]):
        raise InventoryError(f"{path} is a program that may not be executed here: chmod +x it")
    elif path.suffix in YAML:
        yaml_file.read(text_of(path), path, tree)
    elif path.suffix == ".toml":
        raise NotKnown(f"{path} is TOML, which is not read here")
    else:
        text = text_of(path)
        as_yaml = not path.suffix and yaml_file.begins(text)
        (yaml_file if as_yaml else ini).read(text, path, tree)


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except FileNotFoundError:
        raise InventoryError(f"there is no {path}; paths are relative to the stack file") from None
    except OSError as error:
        raise InventoryError(f"{path} cannot be read: {error.strerror}") from None


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise InventoryError(f"the folder {folder} cannot be listed: {error.strerror}") from None


def _variables(folder: Path, name: str, tree: Tree) -> dict[str, object]:
    """Return the variables that files of a group or host hold, the later ones over the earlier."""
    if folder not in tree.files:
        tree.files.append(folder)
    if not folder.is_dir() or "/" in name:
        return {}
    found: dict[str, object] = {}
    for path in _files_of(folder / name, tree):
        tree.files.append(path)
        found |= yaml_file.variables(text_of(path), path)
    return found


def _files_of(path: Path, tree: Tree) -> list[Path]:
    for each in (path, *(path.with_name(path.name + end) for end in YAML)):
        if each.is_dir():
            return _files_in(each, tree)
        if each.exists():
            return [each]
    return []


def _files_in(folder: Path, tree: Tree) -> list[Path]:
    tree.files.append(folder)
    found = []
    for name in _listed(folder):
        path = folder / name
        if name.startswith(".") or name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix:
            found += _files_in(path, tree)
        elif path.is_file() and (not path.suffix or path.suffix in YAML):
            found.append(path)
    return found
