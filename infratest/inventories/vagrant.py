"""Machines of Vagrant, by `vagrant ssh-config`: run in the folder of a Vagrantfile, or its text as it was kept.

Loaded by name for `from: [{vagrant: .}]`. The text switches the verification of host keys off; that is not obeyed: a
key is verified, or taken at first use by the stack's `pin`. Format: ssh_config(5), as templates/commands/ssh_config/
config.erb of Vagrant writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.inventories._program import AGE, MAX_AGE, printed
from infratest.inventories.base import Answer, Inventory, Listed, text_of
from infratest.transports.ssh.config_words import words

PROGRAM = "vagrant"
ADVICE = "run `vagrant status` there: are its machines up?"
#: Where Vagrant keeps its machines: one that is made or removed there is one more or less.
STATE = ".vagrant"

#: Keywords of a host -> ours.
WAY = {"hostname": "address", "user": "user", "port": "port", "identityfile": "key", "proxyjump": "jump"}
#: What changes neither the way nor who is trusted.
HARMLESS = frozenset(
    """passwordauthentication identitiesonly loglevel forwardagent forwardx11 pubkeyacceptedkeytypes
    pubkeyacceptedalgorithms hostkeyalgorithms sendenv setenv""".split()
)
WEAKENING = {"stricthostkeychecking": "StrictHostKeyChecking", "userknownhostsfile": "UserKnownHostsFile"}


@dataclass(frozen=True)
class Options:
    """Whose machines."""

    path: str = field(
        metadata={
            "short": True, "source": True, "title": "a path",
            "description": "A folder with a Vagrantfile, or a file with what `vagrant ssh-config` printed.",
        }
    )  # fmt: skip
    max_age: float = field(default=MAX_AGE, metadata=AGE)


class Vagrant(Inventory):
    """Machines of Vagrant, as `vagrant ssh-config` says that they are reached."""

    options: Options

    def hosts(self, deadline: Deadline) -> Answer:
        path = self.path(self.options.path)
        if not path.is_dir():
            return self._read(text_of(path), str(path), (path,), False)
        program = which(PROGRAM)
        if program is None:
            raise InventoryError(f"{path} is a folder, and `{PROGRAM}`, which knows its machines, is not in PATH")
        text = printed([program, "ssh-config"], path, deadline, ADVICE)
        return self._read(
            text, f"what `{PROGRAM} ssh-config` says", (path / "Vagrantfile", path / STATE / "machines"), True
        )

    def _read(self, text: str, what: str, files: tuple[Path, ...], asked: bool) -> Answer:
        notes: dict[str, None] = {}
        hosts = _hosts(text, what, notes)
        for each in hosts:
            if "key" in each:
                each["key"] = str(self.path(each["key"]))
        return Answer(hosts=tuple(Listed(**each) for each in hosts), files=files, asked=asked, notes=tuple(notes))


def _hosts(text: str, what: str, notes: dict[str, None]) -> list[dict[str, Any]]:
    """Return each host as a map of its values; what is not obeyed is noted."""
    found: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        keyword, _, rest = line.strip().partition(" ")
        if not keyword or keyword.startswith("#"):
            continue
        where = f"{what}:{number}"
        try:
            values = words(rest)
        except ValueError as error:
            raise InventoryError(f"{where}: {error}") from None
        if not values:
            raise InventoryError(f"{where}: nothing stands behind {clean(keyword, 60)!r}: was it cut?")
        if keyword.lower() == "host":
            found.append({"name": values[0], "where": where})
        elif not found:
            raise InventoryError(
                f"{where}: {clean(line.strip(), 80)!r} is of no host: is that from `vagrant ssh-config`?"
            )
        else:
            _value(found[-1], keyword.lower(), values[0], where, notes)
    for each in found:
        if "address" not in each:
            raise InventoryError(f"{what}: host {clean(each['name'], 60)!r} has no HostName: was it cut?")
    return found


def _value(host: dict[str, Any], keyword: str, value: str, where: str, notes: dict[str, None]) -> None:
    if keyword in WEAKENING:
        notes[f"{WEAKENING[keyword]} of Vagrant is not obeyed: host keys are verified; `pin: true` takes new ones"] = (
            None
        )
    elif keyword == "port":
        if not value.isdecimal() or not 0 < int(value) < 65536:
            raise InventoryError(f"{where}: Port is {clean(value, 60)!r}, expected a number from 1 to 65535")
        host.setdefault("port", int(value))
    elif keyword in WAY:
        host.setdefault(WAY[keyword], value)  # as in ssh_config, the first counts
    elif keyword not in HARMLESS:
        host.setdefault("problem", f"{clean(keyword, 60)!r} of `vagrant ssh-config` is not known here ({where})")
