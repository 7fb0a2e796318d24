"""The components of a stack as verbs show them, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infratest.cleaning import clean
from infratest.lifecycle.components import Shown


def line(one: Shown) -> str:
    """Return what a component is and how it is had."""
    way = f"; {one.way} on the hosts" if one.way else ""
    return clean(f"{one.kind} {one.name}, for {', '.join(one.hosts)}: {one.words}{way}", 1000)


def as_dict(one: Shown, values: Mapping[tuple[str, str], Mapping[str, str]]) -> dict[str, Any]:
    """Return a component for machines.

    Args:
        values: what those that are made give to others, by type and name.
    """
    return {
        "name": one.name,
        "type": one.kind,
        "hosts": list(one.hosts),
        "words": one.words,
        "on_hosts": bool(one.way),
        "values": dict(values.get((one.kind, one.name), {})),
    }
