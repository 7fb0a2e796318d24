"""Which hosts of a stack a verb is for, by their names. Pure; called by the lifecycle."""

from __future__ import annotations

from collections.abc import Sequence

from infratest.errors import UserError
from infratest.providers.base import HostSpec
from infratest.registry import unknown


def chosen(hosts: Sequence[HostSpec], names: Sequence[str] | None) -> list[HostSpec]:
    """Return the hosts with these names, all for None, in the stack's order.

    Raises:
        UserError: a name that no host has.
    """
    known = [spec.name for spec in hosts]
    for name in names or ():
        if name not in known:
            raise UserError(unknown("host", name, known))
    return [spec for spec in hosts if names is None or spec.name in names]


def with_needed(hosts: Sequence[HostSpec], names: Sequence[str] | None) -> list[HostSpec]:
    """Return the hosts with these names and, in turn, all that they come after. Raises UserError as `chosen` does."""
    known = {spec.name: spec for spec in hosts}
    needed = {spec.name for spec in chosen(hosts, names)}
    waiting = list(needed)
    while waiting:
        for name in known[waiting.pop()].after:
            if name in known and name not in needed:
                needed.add(name)
                waiting.append(name)
    return [spec for spec in hosts if spec.name in needed]
