"""How long a stack may stand, by the records of its journal: its lease, and the end of its budget. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Term:
    """How long a stack with a budget may stand. `ends`: None for as long as it is used; seconds since the epoch."""

    since: float
    ends: float | None


def expires(records: Iterable[Record], stack: str, env: str) -> int | None:
    """Return when the lease of a stack's environment ends, in seconds since the epoch; None without one."""
    last = None
    for record in records:
        if record.get("what") == "lease" and (record.get("stack"), record.get("env")) == (stack, env):
            last = int(record["expires"])
    return last


def term(records: Iterable[Record], stack: str, env: str) -> Term | None:
    """Return how long an environment of a stack may stand, None where it never had a budget."""
    last = None
    for record in records:
        if record.get("what") == "budget" and (record.get("stack"), record.get("env")) == (stack, env):
            last = Term(since=float(record["since"]), ends=None if record["ends"] is None else float(record["ends"]))
    return last
