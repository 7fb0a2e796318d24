"""Hosts that stand aside: stopped, in no host's place, kept for the case that their successor is no better.

For the providers that can have one so, and for what replaces hosts.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from infratest.deadline import Deadline
from infratest.providers.base import Resource

#: What its name ends with. No stack file can name a host so, which keeps the two apart.
SUFFIX = "~old"


@runtime_checkable
class SetsAside(Protocol):
    """A provider that can have a stopped host stand aside, so that another one can be made under its name."""

    def why_not_aside(self) -> str:
        """Return why no host of this stack can stand aside, empty where one can. Asks nobody."""
        ...

    def rename(self, resource: Resource, name: str, deadline: Deadline) -> None:
        """Have a host that is stopped be known by another name; fine where it is.

        When this returns `existing` and `hosts` know it by that name alone (but where listings lag); its id, its disk,
        its keys and the labels of its lease stay.

        Args:
            name: `aside_name` of its own, or its own, which then is nobody else's.
        """


def aside_name(name: str) -> str:
    """Return what a host is called while it stands aside."""
    return name if name.endswith(SUFFIX) else name + SUFFIX


def own_name(name: str) -> str:
    """Return in whose place a host stands, or stood before it was set aside."""
    return name.removesuffix(SUFFIX)
