"""Which hosts a verb is for, by name, pattern, group or expression. Pure; called by the lifecycle and for `--host`."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from infratest import selector
from infratest.errors import UserError, unknown
from infratest.providers.base import HostSpec


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


def matching(hosts: Sequence[HostSpec], names: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return those of the names that one of the texts selects, all without texts, in their order.

    Args:
        hosts: as declared, with groups and labels; a name that none of them has is in no group. texts: each a name, a
        pattern such as `web-*`, a group, an expression as `role=web and not web-3` (`infratest.selector`), or several
        of these with a comma between.
    Raises:
        UserError: a part that selects none, or is no such expression.
    """
    declared = {spec.name: spec for spec in hosts}
    known = [declared.get(name) or HostSpec(name=name) for name in names]
    chosen: set[str] = set()
    for part in [part.strip() for text in texts for part in text.split(",")]:
        selection = selector.selected(part, known) if is_expression(part) else _by_pattern(part, known)
        if not selection:
            groups = sorted({group for spec in known for group in spec.groups} - {*names})
            also = f"; groups are {', '.join(groups)}" if groups else ""
            raise UserError(f"{part!r} selects no host: known are {', '.join(names) or 'none'}{also}")
        chosen.update(spec.name for spec in selection)
    return [name for name in names if not texts or name in chosen]


def is_expression(part: str) -> bool:
    """Whether a part is more than one name or pattern."""
    return any(mark in part for mark in " =()")


def _by_pattern(part: str, hosts: Sequence[HostSpec]) -> list[HostSpec]:
    return [spec for spec in hosts if fnmatchcase(spec.name, part) or part in spec.groups]
