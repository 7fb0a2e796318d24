"""YAML as Ansible reads it (1.1, by PyYAML): inventories, and files of group_vars and host_vars.

As ansible.plugins.inventory.yaml reads an inventory. Of tags `!unsafe` is text and `!vault` a value that nobody opens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.parser import ParserError
from ruamel.yaml.resolver import BaseResolver
from ruamel.yaml.scanner import ScannerError

from infratest.cleaning import clean
from infratest.errors import InventoryError
from infratest.inventories.ansible.names import expanded
from infratest.inventories.ansible.tree import Broken, NotKnown, Tree, Vaulted

_TAG = "tag:yaml.org,2002:"
#: What plain text is, by its first signs: yaml/resolver.py of PyYAML. Dates are left as text, which is all we need.
_KINDS = (
    ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    ("float", r"[-+]?([0-9][0-9_]*)\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?"
              r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+0123456789."),
    ("int", r"[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+"
            r"|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+", "-+0123456789"),
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
)  # fmt: skip
#: Groups and hosts of a file, as often as they stand there.
MOST_ENTRIES = 500_000
#: What a file begins with that is in a vault as a whole.
VAULT = "$ANSIBLE_VAULT"
KEYS = ("hosts", "children", "vars")


class _Resolver(BaseResolver):
    """Tells what plain text is as PyYAML does, whatever version a file says that it is of."""

    def __init__(self, version: Any = None, loader: Any = None) -> None:
        super().__init__(loader)

    @property
    def processing_version(self) -> Any:
        return (1, 1)


class _Constructor(SafeConstructor):
    """Builds plain values, and those of Ansible's two tags."""


def _vaulted(constructor: SafeConstructor, node: Node) -> Vaulted:
    return Vaulted()


def _text(constructor: SafeConstructor, node: Node) -> str:
    return str(node.value)


def _bool(constructor: SafeConstructor, node: ScalarNode) -> bool:
    return str(node.value).lower() in ("yes", "true", "on")


def _int(constructor: SafeConstructor, node: ScalarNode) -> int:
    text = str(node.value).replace("_", "")
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    if ":" in digits:
        whole = 0
        for part in digits.split(":"):
            whole = 60 * whole + int(part)
        return sign * whole
    octal = digits.startswith("0") and digits.isdecimal()
    return sign * (int(digits, 8) if octal else int(digits, 0))


def _float(constructor: SafeConstructor, node: ScalarNode) -> float | str:
    text = str(node.value).replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
    return str(node.value) if ":" in text else float(text)


for _kind, _pattern, _signs in _KINDS:
    # The other method adds to what every reader of this process goes by, that of the stack file too.
    _Resolver.add_implicit_resolver_base(_TAG + _kind, re.compile(f"(?:{_pattern})$"), [*_signs])
_Constructor.add_constructor(_TAG + "bool", _bool)
_Constructor.add_constructor(_TAG + "int", _int)
_Constructor.add_constructor(_TAG + "float", _float)
_Constructor.add_constructor("!vault", _vaulted)
_Constructor.add_constructor("!vault-encrypted", _vaulted)
_Constructor.add_constructor("!unsafe", _text)


def loaded(text: str, path: Path) -> Any:
    """Return the value that a file holds.

    Raises:
        NotKnown: it is no YAML that is known here; Ansible, which takes a key that stands twice, may know it. Broken:
        it is no YAML at all.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver, yaml.Constructor = _Resolver, _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        if isinstance(error, ScannerError | ParserError):
            words = ", ".join(clean(str(each), 120) for each in (error.context, error.problem) if each)
            raise Broken(f"{path}{line}: this is no YAML: {words}; mend it there") from None
        raise NotKnown(f"{path}{line}: {clean(str(error.problem or error.context), 200)}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise NotKnown(f"{path}: {clean(str(error), 200)}") from None


def begins(text: str) -> bool:
    """Whether text whose file has no ending is YAML: its first line that says something is no host and no section."""
    first = next((line for line in map(str.strip, text.splitlines()) if line and line[0] not in "#;"), "")
    return first.startswith(("---", "{")) or first.partition(" #")[0].rstrip().endswith(":")


def variables(text: str, path: Path) -> dict[str, Any]:
    """Return the variables of a file of group_vars or host_vars. Raises NotKnown."""
    if text.startswith(VAULT):
        raise NotKnown(f"{path} is in a vault as a whole, and nobody opens it here")
    data = loaded(text, path)
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise NotKnown(f"{path} is no map of variables")
    return {str(key): value for key, value in data.items()}


def read(text: str, path: Path, tree: Tree) -> None:
    """Read an inventory into a tree.

    Raises:
        InventoryError: what is wrong where. NotKnown: a plugin's configuration, or what is not known here.
    """
    if text.startswith(VAULT):
        raise NotKnown(f"{path} is in a vault as a whole, and nobody opens it here")
    data = loaded(text, path)
    if not isinstance(data, Mapping) or not data:
        raise InventoryError(f"{path}: an inventory in YAML is a map of groups, such as all: {{hosts: {{web-1: }}}}")
    if "plugin" in data:
        raise NotKnown(f"{path} is the configuration of the inventory plugin {clean(str(data['plugin']), 80)!r}")
    left = Budget(MOST_ENTRIES)
    for name, group in data.items():
        _group(name, group, path, tree, left)


class Budget:
    """How many entries may still be read: aliases can make few lines into endless ones."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, path: Path) -> None:
        self.left -= 1
        if self.left < 0:
            raise InventoryError(
                f"{path}: more than {MOST_ENTRIES} groups and hosts; do aliases (*name) multiply them?"
            )


def _group(name: Any, data: Any, path: Path, tree: Tree, left: Budget) -> None:
    left.spend(path)
    if not isinstance(name, str):
        raise InventoryError(f"{path}: {clean(repr(name), 60)} is no group's name; write it in quotes")
    group, what = tree.group(name), f"{path}: group {clean(name, 80)!r}"
    for key, value in _map(data, what).items():
        if key not in KEYS:
            raise NotKnown(f"{what}: {clean(str(key), 80)!r} is none of {', '.join(KEYS)}")
        inner = _map({value: None} if isinstance(value, str) and key != "vars" else value, f"{what}: {key}")
        if key == "vars":
            group.vars |= {str(each): given for each, given in inner.items()}
            continue
        for each, given in inner.items():
            if key == "children":
                _group(each, given, path, tree, left)
                group.children[each] = None
            else:
                left.spend(path)
                _host(each, given, name, path, tree)


def _host(pattern: Any, given: Any, group: str, path: Path, tree: Tree) -> None:
    if not isinstance(pattern, str):
        raise InventoryError(f"{path}: {clean(repr(pattern), 60)} is no host's name; write it in quotes")
    own = _map(given, f"{path}: host {clean(pattern, 80)!r}")
    names, port = expanded(pattern)
    for each in names:
        host = tree.host(each, f"{path}: {group}", group)
        host.vars |= {"ansible_port": port} if port is not None else {}
        host.vars |= {str(key): value for key, value in own.items()}


def _map(value: Any, what: str) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InventoryError(f"{what} is no map")
    return value
