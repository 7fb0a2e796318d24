"""Which hosts a scenario is about: what `Given the hosts in group "web"` and its like stand for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infratest.check import in_quotes
from infratest.errors import FeatureError, unknown
from infratest.hosts import Host
from infratest.selector import selected


@dataclass(frozen=True)
class Group:
    """The hosts of a group."""

    name: str

    def choose(self, hosts: Sequence[Host]) -> list[Host]:
        found = [host for host in hosts if self.name in host.groups]
        if not found and any(host.name == self.name for host in hosts):
            raise FeatureError(
                f"{self.name!r} is a host and no group: write its name alone, as the host {in_quotes(self.name)}"
            )
        if not found:
            raise FeatureError(unknown("group", self.name, sorted({group for host in hosts for group in host.groups})))
        return found


def _is_address(text: str) -> bool:
    """Whether a text is an IP address, which `is listening on` may have been meant of."""
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Named:
    """One host by its name."""

    name: str

    def choose(self, hosts: Sequence[Host]) -> list[Host]:
        found = [host for host in hosts if host.name == self.name]
        group = [host.name for host in hosts if self.name in host.groups]
        if not found and group:
            name, others = in_quotes(self.name), f" and {len(group) - 1} more" if len(group) > 1 else ""
            raise FeatureError(
                f"{self.name!r} is a group and no host: write every host in {name}, or Given the hosts in group {name};"
                f" in it are {group[0]}{others}"
            )
        if not found:
            at = f"; where it listens stands behind `at`: at {in_quotes(self.name)}" if _is_address(self.name) else ""
            raise FeatureError(unknown("host", self.name, [host.name for host in hosts]) + at)
        return found


@dataclass(frozen=True)
class Where:
    """The hosts that a text in the one selector language chooses: `role=web and not env=dev`."""

    text: str

    def choose(self, hosts: Sequence[Host]) -> list[Host]:
        found = selected(self.text, hosts)
        if not found:
            raise FeatureError(f"no host is as {self.text!r} says")
        return found


Selection = Group | Named | Where
