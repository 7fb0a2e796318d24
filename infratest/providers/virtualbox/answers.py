"""What VBoxManage answers, read. Pure; lines that are not known (a wrapper's warnings) are passed over.

The forms are those of VirtualBox 6.1 to 7.2: `list vms`, `showvminfo --machinereadable`, `list -l vms`, `list -l hdds`,
`snapshot list --machinereadable`, `getextradata enumerate`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MACHINE = re.compile(r'^"(.*)" \{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}$')
VALUE = re.compile(r'^("?)([^"=]+)\1=(.*)$')
EXTRA = re.compile(r"^Key: (.*?), Value: (.*)$")
RULE = re.compile(r"^NIC \d+ Rule\(\d+\):.*host port = (\d+),")
CONTROLLER = re.compile(r"^storagecontrollername(\d+)$")


def machines(answer: str) -> dict[str, str]:
    """Return UUID -> name of `list vms` or `list runningvms`; names need not be unique."""
    found = (MACHINE.match(line) for line in answer.splitlines())
    return {match[2]: match[1] for match in found if match}


def values(answer: str) -> dict[str, str]:
    """Return what `--machinereadable` says, keys and values without their quotes. A value may have several lines."""
    return dict(_pairs(answer))


def _pairs(answer: str) -> Iterator[tuple[str, str]]:
    lines = iter(answer.splitlines())
    for line in lines:
        match = VALUE.match(line)
        if match is None:
            continue
        key, value = match[2], match[3]
        if value.startswith('"'):
            while len(value) < 2 or not value.endswith('"'):
                more = next(lines, None)
                if more is None:
                    break
                value = f"{value}\n{more}"
            value = value[1:].removesuffix('"')
        yield key, value


def extra_data(answer: str) -> dict[str, str]:
    """Return key -> value of `getextradata global enumerate`.

    It asks for the keys, then for each value: one that another process removes in between has an empty value, which
    none can have that is there.
    """
    found = (EXTRA.match(line) for line in answer.splitlines())
    return {match[1]: match[2] for match in found if match and match[2]}


def forwarded(answer: str) -> set[int]:
    """Return the ports of this machine that any machine's NAT rules lead away, by `list -l vms`."""
    found = (RULE.match(line) for line in answer.splitlines())
    return {int(match[1]) for match in found if match}


def rules(info: Mapping[str, str]) -> list[str]:
    """Return the names of a machine's NAT rules, by `showvminfo`."""
    return [value.partition(",")[0] for key, value in info.items() if key.startswith("Forwarding(")]


@dataclass(frozen=True, kw_only=True)
class Controller:
    """A storage controller: its name, its type by VirtualBox's word, how many ports it has and may have."""

    name: str
    type: str
    ports: int
    most: int


def controllers(info: Mapping[str, str]) -> list[Controller]:
    """Return a machine's storage controllers, by `showvminfo`."""
    found = []
    for key, name in info.items():
        match = CONTROLLER.match(key)
        if match:
            number = match[1]
            found.append(
                Controller(
                    name=name,
                    type=info.get(f"storagecontrollertype{number}", ""),
                    ports=int(info.get(f"storagecontrollerportcount{number}", "0")),
                    most=int(info.get(f"storagecontrollermaxportcount{number}", "0")),
                )
            )
    return found


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A snapshot as VirtualBox has it."""

    name: str
    uuid: str
    description: str


def snapshots(answer: str) -> list[Kept]:
    """Return a machine's snapshots, the oldest first: `SnapshotName`, `SnapshotName-1`, `SnapshotName-1-1` ..."""
    found: dict[str, dict[str, str]] = {}
    for key, value in _pairs(answer):
        match = re.match(r"^Snapshot(Name|UUID|Description)((?:-\d+)*)$", key)
        if match:
            found.setdefault(match[2], {})[match[1]] = value
    return [
        Kept(name=one.get("Name", ""), uuid=one["UUID"], description=one.get("Description", ""))
        for one in found.values()
        if "UUID" in one
    ]


@dataclass(frozen=True, kw_only=True)
class Medium:
    """A disk image that VirtualBox knows: where it is, on which it stands, which machines use it."""

    uuid: str
    parent: str
    location: str
    users: tuple[str, ...]


def media(answer: str) -> dict[str, Medium]:
    """Return UUID -> medium of `list -l hdds`."""
    found: dict[str, Medium] = {}
    for block in re.split(r"\n\s*\n", answer):
        said = dict(line.split(":", 1) for line in block.splitlines() if ":" in line and not line.startswith(" "))
        uuid = said.get("UUID", "").strip()
        if uuid:
            users = block.partition("In use by VMs:")[2].partition("Child UUIDs:")[0]
            users = re.sub(r"\[[^\n]*\]", "", users)  # its snapshots
            found[uuid] = Medium(
                uuid=uuid,
                parent=said.get("Parent UUID", "").strip(),
                location=said.get("Location", "").strip(),
                users=tuple(re.findall(r"\(UUID: ([0-9a-f-]{36})\)", users)),
            )
    return found
