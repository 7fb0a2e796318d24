"""Targets in a file, as Prometheus' file_sd has them, and as `infratest monitor export json-sd` and others write them.

Loaded by name for `from: [{file: targets.json}]`. Source: Prometheus' documentation, `<file_sd_config>`: a list of
groups, each of `targets`, HOST or HOST:PORT, and of `labels`. The port is where a tool scrapes, and nothing is logged
in to there: it is not taken. What `json-sd` writes of groups and labels is read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.inventories.base import Answer, Inventory, Listed, text_of
from infratest.web_address import host_and_port

#: Labels that `json-sd` writes: the host's name, its groups with a comma at both ends, and labels of its own behind
#: this; and what it says of the stack it was written from, which is no matter of this one.
HOST, GROUPS, OWN = "host", "groups", "label_"
OTHERS = ("stack", "env")
#: Labels that a tool keeps to itself, as the path that it scrapes.
HIDDEN = "__"


@dataclass(frozen=True)
class Options:
    """Which file."""

    path: str = field(
        metadata={
            "short": True, "source": True, "title": "a path",
            "description": "A JSON file of targets, as Prometheus' file_sd reads it; it is read anew each time.",
        }
    )  # fmt: skip


class File(Inventory):
    """Targets that some other program keeps in a file."""

    options: Options

    def hosts(self, deadline: Deadline) -> Answer:
        path = self.path(self.options.path)
        try:
            groups = json.loads(text_of(path, self.describe()))
        except (ValueError, RecursionError) as error:
            raise InventoryError(f"{self.describe()}: {path} is no JSON: {error}; is it being written?") from None
        if not isinstance(groups, list):
            raise self._odd(path, 'a list is expected, such as [{"targets": ["192.0.2.1:9100"], "labels": {}}]')
        found: dict[str, Listed] = {}
        for number, group in enumerate(groups):
            for host in self._of(group, f"{path}[{number}]"):
                before = found.get(host.name)
                found[host.name] = host if before is None else self._together(before, host)
        return Answer(hosts=tuple(found.values()), files=(path,))

    def _of(self, group: Any, where: str) -> Iterator[Listed]:
        targets = group.get("targets") if isinstance(group, Mapping) else None
        labels = group.get("labels", {}) if isinstance(group, Mapping) else None
        if not isinstance(targets, list) or not isinstance(labels, Mapping):
            raise self._odd(where, "a group has a list `targets`, and a map `labels`")
        if not all(isinstance(value, str) for value in labels.values()):
            raise self._odd(where, "labels are texts")
        named = str(labels.get(HOST, "")) if len(targets) == 1 else ""
        for target in targets:
            address = _address(target)
            if not address:
                raise self._odd(where, f"{clean(repr(target), 80)} is neither HOST nor HOST:PORT")
            groups = tuple(name for name in str(labels.get(GROUPS, "")).split(",") if name)
            yield Listed(
                name=named or address, address=address, groups=groups, labels=_own(labels), where=where
            )  # fmt: skip

    def _together(self, one: Listed, other: Listed) -> Listed:
        """Return a host of which several ports are targets. Raises InventoryError: they are not of one host."""
        for name in sorted(one.labels.keys() & other.labels.keys()):
            if one.labels[name] != other.labels[name]:
                words = f"the label {name} of {one.name} is {one.labels[name]!r} there and {other.labels[name]!r} here"
                raise self._odd(other.where, f"{clean(words, 300)}; they must agree")
        if one.address != other.address:
            raise self._odd(other.where, f"{clean(one.name, 80)} is at {one.address} there and at {other.address} here")
        groups = tuple(dict.fromkeys((*one.groups, *other.groups)))
        return replace(one, groups=groups, labels={**one.labels, **other.labels})

    def _odd(self, where: object, words: str) -> InventoryError:
        return InventoryError(f"{self.describe()}: {where}: {words}")


def _address(target: Any) -> str:
    """Return the host of a target; nothing where it has none."""
    if not isinstance(target, str) or "/" in target or any(each.isspace() for each in target):
        return ""
    found = host_and_port(target)
    return found[0] if found is not None else ""


def _own(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of a host, without what says something else."""
    kept = {name: value for name, value in labels.items() if name not in (HOST, GROUPS, *OTHERS)}
    return {name.removeprefix(OWN): value for name, value in kept.items() if not name.startswith(HIDDEN)}
