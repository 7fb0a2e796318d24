"""What hosts were made from, by the journal, beside what the stack file says now. Called by `up` and `status`.

A host that is there is never made anew for a changed declaration: that would take its data. Whoever changed the file
is told instead, and how to have the host made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infratest.lifecycle.removal import HOST
from infratest.options import fields
from infratest.providers.base import HostSpec
from infratest.store.records import Record, live
from infratest.units import BASE, human

#: For a key that the stack file leaves out.
WITHOUT = "the provider's own"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One key of a host's declaration: its value when the host was made, and its value in the stack file now."""

    host: str
    key: str
    made: str
    declared: str


def changes(records: Iterable[Record], stack: str, env: str, specs: Sequence[HostSpec]) -> list[Change]:
    """Return what differs for the hosts that the journal holds as live, in the order of the specs and their keys.

    Args:
        records: of the journal; hosts made before it held what they were made from differ in nothing.
    """
    kept = list(records)
    ours = {id for id, one in live(kept).items() if (one.kind, one.stack, one.env) == (HOST, stack, env)}
    made = {one["name"]: one.get("spec") for one in kept if one.get("what") == "made" and one.get("id") in ours}
    found = []
    for spec in specs:
        before = made.get(spec.name)
        if not isinstance(before, Mapping):
            continue
        known = fields(type(spec.options)) if spec.options is not None else {}
        for key, now in spec.made_from().items():
            if key in before and before[key] != now:
                unit = known[key].dimension
                then, here = _words(before[key], unit), _words(now, unit)
                found.append(Change(host=spec.name, key=key, made=then, declared=here))
    return found


def told(found: Sequence[Change], command: Callable[..., str]) -> list[str]:
    """Return a line for each host that was made from something else, and what to do about it.

    Args:
        command: returns the command line of a verb about this stack.
    """
    lines = []
    for host in dict.fromkeys(one.host for one in found):
        differ = "; ".join(
            f"with {one.key}: {one.made}, the stack file says {one.declared}" for one in found if one.host == host
        )
        again = f"`{command('destroy', '--host', host)}` and `{command('up', '--host', host)}`"
        lines.append(f"{host} was made {differ}. It stays as it is; {again} make it anew")
    return lines


def declared(spec: HostSpec) -> str:
    """Return what a host that is not there would be made from, by the stack file: what is left out is not named."""
    known = fields(type(spec.options)) if spec.options is not None else {}
    said = {
        key: value for key, value in spec.made_from().items() if value not in (None, "", {}, []) and value is not False
    }
    return ", ".join(f"{key}: {_words(value, known[key].dimension)}" for key, value in said.items())


def _words(value: Any, dimension: str | None) -> str:
    """Write a value as the stack file has it.

    Args:
        dimension: of `units.quantity`, None for what has no unit.
    """
    if value in (None, "", {}):
        return WITHOUT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and dimension is not None:
        return human(value, BASE[dimension]).replace(" ", "")
    if isinstance(value, list):
        return f"[{', '.join(_words(each, dimension) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_words(each, None)}' for key, each in value.items())}}}"
    return str(value)
