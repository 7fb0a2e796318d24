"""Which hosts a scenario is about: what `Given the hosts in group "web"` and its like stand for. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from infratest.errors import FeatureError, UserError
from infratest.hosts import Host
from infratest.registry import unknown


@dataclass(frozen=True)
class Group:
    """The hosts of a group."""

    name: str

    def choose(self, hosts: Sequence[Host]) -> list[Host]:
        found = [host for host in hosts if self.name in host.groups]
        if not found:
            raise FeatureError(unknown("group", self.name, sorted({group for host in hosts for group in host.groups})))
        return found


@dataclass(frozen=True)
class Named:
    """One host by its name."""

    name: str

    def choose(self, hosts: Sequence[Host]) -> list[Host]:
        found = [host for host in hosts if host.name == self.name]
        if not found:
            raise FeatureError(unknown("host", self.name, [host.name for host in hosts]))
        return found


@dataclass(frozen=True)
class Where:
    """The hosts whose labels are all as the text says: `role=web and env=prod`; `!=` for is not."""

    text: str

    def choose(self, hosts: Sequence[Host]) -> list[Host]:
        terms = [self._term(term) for term in re.split(r"\s+and\s+", self.text.strip())]
        found = [
            host for host in hosts if all((host.labels.get(label) == value) == equal for label, equal, value in terms)
        ]
        if not found:
            raise FeatureError(f"no host has the labels {self.text!r}")
        return found

    def _term(self, term: str) -> tuple[str, bool, str]:
        found = re.fullmatch(r"([\w.-]+)\s*(!?=)\s*([\w.:/-]*)", term)
        if not found:
            raise UserError(f"{self.text!r}: {term!r} is not label=value; join several with 'and'")
        return found[1], found[2] == "=", found[3]


Selection = Group | Named | Where
