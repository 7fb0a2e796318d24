"""Heals whose run had no time left to see whether they helped, in `verifying.json`: the next check says so.

While there is such a file, a check that heals reads the audit even where all is well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from infratest.errors import StateError
from infratest.heal.records import HealRecord
from infratest.json_text import dumps, loads
from infratest.store.directory import StateDir

FILE = "verifying.json"


@dataclass(frozen=True, kw_only=True)
class Unverified:
    """One such heal.

    Args:
        number: of its try. was: the state of the result before. problem: when that began. ended: when the act did, in
        seconds since the epoch: what was looked at before says nothing of it. drill: it was made in one. beside: how
        the neighbours were just before it, by id, as `neighbours.RANKS` has it.
    """

    number: str
    rule: str
    remedy: str
    was: str
    rung: int = 0
    problem: float | None = None
    ended: float = 0.0
    drill: bool = False
    beside: Mapping[str, int] = field(default_factory=dict)


def pending(state: StateDir, env: str) -> dict[str, Unverified]:
    """Return what is to be verified in an environment, by result id; none where the file cannot be read: the counts
    of failures tell as much, only later."""
    try:
        return {id: Unverified(**entry) for id, entry in _document(state).get(env, {}).items()}
    except (AttributeError, TypeError):
        return {}


def add(state: StateDir, env: str, record: HealRecord, number: str, ended: float, beside: Mapping[str, int]) -> None:
    """Note a heal that is to be verified."""
    one = Unverified(
        number=number, rule=record.rule.name, remedy=record.remedy, was=record.before.state, rung=record.rung,
        problem=record.problem, ended=ended, drill=record.drill, beside=beside,
    )  # fmt: skip
    _save(state, env, pending(state, env) | {record.before.id: one})


def remove(state: StateDir, env: str, id: str) -> None:
    """Forget one that has been verified, or found not to have helped."""
    _save(state, env, {key: one for key, one in pending(state, env).items() if key != id})


def _document(state: StateDir) -> dict[str, Any]:
    try:
        with open(state.file(FILE), encoding="utf-8") as file:
            return dict(loads(file.read()))
    except (OSError, ValueError, TypeError):
        return {}


def _save(state: StateDir, env: str, entries: Mapping[str, Unverified]) -> None:
    document = _document(state) | {env: {id: asdict(one) for id, one in entries.items()}}
    if any(document.values()):
        state.write(FILE, dumps(document) + "\n")
        return
    path = state.file(FILE)
    try:
        Path(path).unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateError(f"state directory: {path} could not be removed: {error.strerror}") from error
