"""The real `ansible-inventory`, from PyPI, in a virtual environment of its own that is made once and kept.

Its licence is not ours: it is run as a program, and never imported here.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.worlds.venvs import python_with

REQUIREMENTS = ("ansible-core>=2.19,<2.20",)
STRICT = {
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
    "ANSIBLE_NOCOLOR": "true",
}
#: Asks for many inventories and imports Ansible, which takes longer than all of them, once: each has a fork of its own.
MANY = """\
import json, os, sys
from ansible.cli.inventory import InventoryCLI
for place in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            sys.stdout = sys.stderr = open(os.devnull, "w")
            InventoryCLI(["ansible-inventory", "--list", "-i", place, "--output", place + ".listed"]).run()
            status = 0
        finally:
            os._exit(status)
    os.waitpid(child, 0)
"""


def programs() -> Path:
    """Return the folder of Ansible's programs."""
    return python_with("ansible-core", REQUIREMENTS).parent


def listed(places: Sequence[Path]) -> list[dict[str, Any] | None]:
    """Return what `ansible-inventory --list` says of each inventory, None where it refuses one."""
    names = [str(place) for place in places]
    options = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | STRICT
    subprocess.run([programs() / "python", "-c", MANY, *names], check=True, env=options, timeout=300, cwd="/")
    answers = [Path(f"{name}.listed") for name in names]
    return [json.loads(answer.read_text()) if answer.exists() else None for answer in answers]


if __name__ == "__main__":  # for `./run`, so that no test pays for the installation
    programs()
