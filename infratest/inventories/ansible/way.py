"""The way to a host by Ansible's variables: `ansible_host`, `ansible_port`, `ansible_user` ... and ssh arguments.

"Connection variables" of Ansible's guide, and the options of its connection plugin ssh. What says another way than ours
makes a host that cannot be used, in words; what only weakens a login (`StrictHostKeyChecking no`) is noted and not
obeyed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import InventoryError
from infratest.inventories.ansible.tree import Member, Tree, Vaulted
from infratest.inventories.base import Listed
from infratest.paths import path_of

#: Ours -> Ansible's, the first that is given counts.
VARIABLES = {
    "address": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
    "key": ("ansible_ssh_private_key_file", "ansible_private_key_file"),
}
ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args")
PASSWORDS = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
SSH = ("ssh", "paramiko", "paramiko_ssh", "smart", "ansible.builtin.ssh", "ansible.builtin.paramiko_ssh")
LOCAL = ("local", "ansible.builtin.local")
TRUE, FALSE = ("y", "yes", "on", "1", "true", "t", "1.0"), ("n", "no", "off", "0", "false", "f", "0.0")

#: Options of ssh that change neither the way nor who is trusted (ssh_config(5)).
HARMLESS = frozenset(
    """addkeystoagent addressfamily batchmode compression connectionattempts connecttimeout controlmaster controlpath
    controlpersist forwardagent forwardx11 gssapiauthentication gssapidelegatecredentials identitiesonly
    kbdinteractiveauthentication loglevel passwordauthentication preferredauthentications pubkeyauthentication
    serveralivecountmax serveraliveinterval tcpkeepalive""".split()
)
WEAKENING = frozenset(("stricthostkeychecking", "userknownhostsfile", "globalknownhostsfile", "checkhostip"))
OPTIONS = {"proxyjump": "jump", "user": "user", "port": "port", "identityfile": "key", "hostname": "address"}
LETTERS = {"J": "jump", "l": "user", "p": "port", "i": "key", "F": "config"}
#: `ssh -W %h:%p user@gate`, which is a jump host in other words.
_THROUGH = re.compile(r"ssh(?: -q)?(?: -p (?P<port>\d+))?(?: -q)? -W \[?%h\]?:%p(?: -q)?(?: -p (?P<later>\d+))? "
                      r"(?P<host>[^\s'\"-][^\s'\"]*)")  # fmt: skip
#: How `ansible-inventory` prints values that are no plain ones.
UNSAFE, VAULT = "__ansible_unsafe", "__ansible_vault"
_TEMPLATE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
#: Variables that stand for others in turn.
DEEPEST = 10


class _Unusable(InventoryError):
    """The host cannot be used, and why."""


def listed(host: Member, tree: Tree, folder: Path, labels: Sequence[str], notes: dict[str, None]) -> Listed:
    """Return a host as its variables say it is reached.

    Args:
        folder: where relative paths of keys begin. labels: variables that become labels. notes: what is not obeyed is
        put there.
    """
    groups = tuple(group.name for group in tree.groups_of(host.name))
    variables = _Variables(host.name, tree.variables(host))
    try:
        way = _way(variables, folder, notes)
        return Listed(
            name=host.name, groups=groups, where=host.where, labels=variables.labels(labels), **_addressed(host, way)
        )
    except _Unusable as error:
        return Listed(name=host.name, groups=groups, where=host.where, problem=str(error))


def _addressed(host: Member, way: dict[str, Any]) -> dict[str, Any]:
    """Return the way with what the host's name says, where it is an address with signs that no name has here."""
    from infratest.inventories.base import name_of

    if way.get("transport") == "local" or way.get("address") or name_of(host.name) == host.name:
        return way
    return way | {"address": host.name}


class _Variables:
    """The variables of one host, as text and with simple templates filled in."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self.name = name
        self.values = {"inventory_hostname": name, "inventory_hostname_short": name.partition(".")[0], **values}

    def text(self, name: str, depth: int = 0) -> str:
        """Return a variable as text, empty where there is none. Raises _Unusable."""
        value = self.values.get(name)
        if value is None:
            return ""
        if isinstance(value, Vaulted) or (isinstance(value, Mapping) and VAULT in value):
            raise _Unusable(f"{name} is in a vault, which nobody opens here")
        if isinstance(value, Mapping) and UNSAFE in value:  # as `ansible-inventory` prints text that is no template
            return str(value[UNSAFE])
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, str | int | float):
            raise _Unusable(f"{name} is no text and no number")
        text = str(value)
        if "{{" not in text and "{%" not in text:
            return text
        filled = _TEMPLATE.sub(lambda found: self._inner(found[1], name, depth), text)
        if "{{" in filled or "{%" in filled:
            raise _Unusable(f"{name} is {clean(text, 120)!r}, a template that is not known here")
        return filled

    def _inner(self, name: str, of: str, depth: int) -> str:
        if self.values.get(name) is None or depth > DEEPEST:
            raise _Unusable(f"{of} needs {name}, which is not known here")
        return self.text(name, depth + 1)

    def first(self, names: Sequence[str]) -> str:
        """Return the first of some variables that has a value."""
        return next((text for text in map(self.text, names) if text), "")

    def switch(self, name: str) -> bool | None:
        """Return whether a variable is true, None where there is none."""
        text = self.text(name).lower()
        if text in ("", *TRUE, *FALSE):
            return text in TRUE if text else None
        raise _Unusable(f"{name} is {clean(text, 60)!r}, neither true nor false")

    def labels(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.text(name) for name in names if self.values.get(name) is not None}


def _way(variables: _Variables, folder: Path, notes: dict[str, None]) -> dict[str, Any]:
    connection = variables.first(("ansible_connection",)) or SSH[0]
    if connection in LOCAL:
        return {"transport": "local"} | _become(variables)
    if connection not in SSH:
        raise _Unusable(f"ansible_connection is {clean(connection, 60)!r}, and hosts are reached by ssh or local here")
    way: dict[str, Any] = {ours: variables.first(names) for ours, names in VARIABLES.items()}
    for key, value in _arguments(" ".join(filter(None, map(variables.text, ARGUMENTS))), notes).items():
        way[key] = way.get(key) or value
    if any(variables.values.get(name) is not None for name in PASSWORDS):
        notes["passwords of an Ansible inventory are not used: log in by a key"] = None
    if way["port"]:
        if not way["port"].isdecimal() or not 0 < int(way["port"]) < 65536:
            raise _Unusable(f"the port is {clean(way['port'], 60)!r}, expected a number from 1 to 65535")
        way["port"] = int(way["port"])
    for name in ("key", "config"):
        if way.get(name):
            way[name] = str(path_of(folder, way[name]))
    return {key: value for key, value in way.items() if value} | _become(variables)


def _become(variables: _Variables) -> dict[str, Any]:
    """Return whether facts are read as root: `ansible_become`, by sudo and as root alone."""
    become = variables.switch("ansible_become")
    if become is None:
        return {}
    method, user = variables.first(("ansible_become_method",)), variables.first(("ansible_become_user",))
    if become and method.rpartition(".")[2] not in ("", "sudo"):
        raise _Unusable(f"ansible_become_method is {clean(method, 60)!r}, and root's facts are read by sudo here")
    return {"sudo": become and user in ("", "root")}


def _arguments(text: str, notes: dict[str, None]) -> dict[str, str]:
    """Return what arguments of ssh say of the way. Raises _Unusable."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _Unusable(f"the arguments of ssh {clean(text, 120)!r}: {error}") from None
    found: dict[str, str] = {}
    while words:
        word = words.pop(0)
        letter, value = word[1:2], word[2:]
        if not word.startswith("-") or not letter:
            raise _Unusable(f"the argument {clean(word, 80)!r} of ssh is not known here")
        if letter in "46AaCkqTtvXxn" and not value.strip("46AaCkqTtvXxn"):
            continue
        if letter not in (*LETTERS, "o"):
            raise _Unusable(f"the argument {clean(word, 80)!r} of ssh is not known here")
        if not value and not words:
            raise _Unusable(f"nothing stands behind the argument {clean(word, 80)!r} of ssh")
        value = value or words.pop(0)
        key, value = _option(value, notes) if letter == "o" else (LETTERS[letter], value)
        if key:
            found.setdefault(key, value)
    return found


def _option(text: str, notes: dict[str, None]) -> tuple[str, str]:
    """Return which value an option of ssh is, and that value; nothing for one that is left out."""
    name, _, value = text.strip().replace("=", " ", 1).partition(" ")
    keyword, value = name.lower(), value.strip().strip('"')
    if keyword in OPTIONS:
        return OPTIONS[keyword], value
    if keyword == "proxycommand":
        through = _THROUGH.fullmatch(" ".join(value.split()))
        if through is None:
            raise _Unusable(f"ProxyCommand {clean(value, 120)!r}: write it as ProxyJump, or into ssh_config")
        port = through["port"] or through["later"]
        return "jump", through["host"] + (f":{port}" if port else "")
    if keyword in WEAKENING:
        notes[f"{name} of an Ansible inventory is not obeyed: host keys are verified here"] = None
    elif keyword not in HARMLESS:
        raise _Unusable(f"the option {clean(name, 60)!r} of ssh is not known here; write it into ssh_config")
    return "", ""
