"""Hosts of an Ansible inventory: INI, YAML, a program that answers --list, or a folder of these, with their variables.

Loaded by name for `from: [{ansible: hosts.ini}]`. Files are read here, as `ansible-inventory` reads them, so that a
check does not wait for Ansible and needs none. What is not known here (a plugin's configuration, a value in a vault
that is needed, a way of writing that is none of those documented) is asked of `ansible-inventory` where that is
installed, and else refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.inventories._program import AGE, MAX_AGE, json_map, printed
from infratest.inventories.ansible import answered, sources
from infratest.inventories.ansible.tree import Broken, NotKnown, Tree
from infratest.inventories.ansible.way import listed
from infratest.inventories.base import Answer, Inventory

PROGRAM = "ansible-inventory"
#: So that Ansible fails where it would warn and go on with fewer hosts.
STRICT = {
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
    "ANSIBLE_NOCOLOR": "true",
}
ADVICE = f"see what `{PROGRAM} --list -i` says of it"


@dataclass(frozen=True)
class Options:
    """Which inventory, and which of its variables are labels."""

    path: str = field(
        metadata={
            "short": True, "source": True, "title": "a path",
            "description": "A file (INI or YAML), a program that answers --list, or a folder of these.",
        }
    )  # fmt: skip
    labels: tuple[str, ...] = field(
        default=(),
        metadata={
            "title": "a list of variables", "each": "a variable's name", "unique": True,
            "description": "Variables that become labels. No other does: passwords stand among them.",
        },
    )  # fmt: skip
    max_age: float = field(default=MAX_AGE, metadata=AGE)


class Ansible(Inventory):
    """Hosts, groups and variables of an Ansible inventory."""

    options: Options

    def hosts(self, deadline: Deadline) -> Answer:
        path = self.path(self.options.path)
        tree = Tree()
        try:
            sources.read(path, tree, deadline)
            return self._answer(tree)
        except RecursionError:
            raise InventoryError(f"{path}: groups or values are nested too deeply, or hold themselves") from None
        except NotKnown as error:
            program = which(PROGRAM)
            if program is None and isinstance(error, Broken):
                raise InventoryError(str(error)) from None
            if program is None:
                raise InventoryError(f"{error}; install ansible-core, whose `{PROGRAM}` is asked then") from None
        return self._asked(program, path, tree, deadline)

    def _answer(self, tree: Tree) -> Answer:
        notes: dict[str, None] = {}
        hosts = tuple(listed(host, tree, self.folder, self.options.labels, notes) for host in tree.hosts.values())
        return Answer(hosts=hosts, files=tuple(dict.fromkeys(tree.files)), asked=tree.asked, notes=tuple(notes))

    def _asked(self, program: str, path: Path, before: Tree, deadline: Deadline) -> Answer:
        """Return what Ansible itself says; files that were read until then are noticed when they change."""
        arguments = [program, "--list", "-i", str(path)]
        text = printed(arguments, self.folder, deadline, ADVICE, STRICT)
        tree = Tree(files=before.files, asked=True)
        answered.read(json_map(text, f"what {PROGRAM} says"), tree, f"{PROGRAM} -i {path}")
        return self._answer(tree)
