"""Heals of which nobody has seen yet whether they helped, in `verifying.json`: a later check says so.

Each is noted as soon as it is done, so that it is known whatever ends its run while it looks.

While there is such a file, a check that heals reads the audit even where all is well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from infratest.errors import StateError
from infratest.heal.records import HealRecord
from infratest.json_text import dumps, loads
from infratest.model import Place
from infratest.store.directory import StateDir, kept_age

FILE = "verifying.json"


@dataclass(frozen=True, kw_only=True)
class Unverified:
    """One such heal.

    Args:
        number: of its try. was: the state of the result before. problem: when that began. ended: when the act did, in
        seconds since the epoch: what was looked at before says nothing of it. drill: it was made in one. error: why it
        could not be applied, or empty. beside: how the neighbours were just before it, by id, as `neighbours.RANKS` has
        it. kept: the provider's id of what an undo would bring back, or empty. rests: when it was last found that
        nothing may be done there, so that its verdict waits; red: how it was found not to be well while people were at
        work there, in words. sought: when it was asked for last whether its scenario is still there. worse: since when
        each neighbour is that is worse, by id, as later checks have seen it; in seconds since the epoch. Of one that
        has made something worse: lost: its rule has lost its autonomy for that. telling, told: when people were told
        first and last, not all of whom could be.
    """

    number: str
    rule: str
    remedy: str
    was: str
    rung: int = 0
    problem: float | None = None
    ended: float = 0.0
    drill: bool = False
    error: str = ""
    beside: Mapping[str, int] = field(default_factory=dict)
    kept: str = ""
    rests: float = 0.0
    red: str = ""
    sought: float = 0.0
    worse: Mapping[str, float] = field(default_factory=dict)
    lost: bool = False
    telling: float = 0.0
    told: float = 0.0


def pending(state: StateDir, place: Place) -> dict[str, Unverified]:
    """Return what is to be verified in a place, by result id, as far as it can be read: of the rest the counts
    of failures tell as much, only later."""
    return _readable(_document(state).get(place))


def waits(state: StateDir, place: Place) -> bool:
    """Whether there is anything of a place to be verified, or to be dropped since it cannot be read."""
    try:
        return bool(_read(state).get(place))
    except OSError:
        return False
    except (ValueError, TypeError):
        return True


def tidy(state: StateDir, place: Place, now: float) -> None:
    """Drop what cannot be read, so that a check is fast again.

    Of other places what is older than records are kept goes, too: nobody checks those any more.
    """
    if not Path(state.file(FILE)).exists():
        return
    since = now - kept_age()
    left = {
        name: {id: one for id, one in _readable(entries).items() if name == place or one.ended >= since}
        for name, entries in _document(state).items()
    }
    kept = {name: {id: asdict(one) for id, one in entries.items()} for name, entries in left.items()}
    if kept != _document(state) or not any(kept.values()):
        _write(state, kept)


def add(
    state: StateDir, place: Place, record: HealRecord, number: str, ended: float, beside: Mapping[str, int]
) -> None:
    """Note a heal that is to be verified."""
    one = Unverified(
        number=number, rule=record.rule.name, remedy=record.remedy, was=record.before.state, rung=record.rung,
        problem=record.problem, ended=ended, drill=record.drill, beside=beside,
        kept=record.kept, error=record.error,
    )  # fmt: skip
    keep(state, place, record.before.id, one)


def keep(state: StateDir, place: Place, id: str, one: Unverified) -> None:
    """Keep one that waits as it is now."""
    _save(state, place, pending(state, place) | {id: one})


def change(state: StateDir, place: Place, number: str, **found: Any) -> None:
    """Note what was found of a try, where that waits. Args: found: fields of `Unverified`."""
    waiting = pending(state, place)
    changed = {id: replace(one, **found) for id, one in waiting.items() if one.number == number}
    if changed:
        _save(state, place, waiting | changed)


def remove(state: StateDir, place: Place, id: str) -> None:
    """Forget one that has been verified, or found not to have helped."""
    _save(state, place, {key: one for key, one in pending(state, place).items() if key != id})


def has(state: StateDir, place: Place, number: str) -> bool:
    """Whether a try is to be verified."""
    return any(one.number == number for one in pending(state, place).values())


def forget(state: StateDir, place: Place, number: str) -> None:
    """Forget that a try is to be verified, where it is."""
    if has(state, place, number):
        _save(state, place, {id: one for id, one in pending(state, place).items() if one.number != number})


def _readable(entries: Any) -> dict[str, Unverified]:
    found = ((id, _unverified(entry)) for id, entry in (entries.items() if isinstance(entries, dict) else ()))
    return {id: one for id, one in found if one is not None}


def _unverified(entry: Any) -> Unverified | None:
    """Return an entry as it was noted; None where it is of another version, or damaged."""
    try:
        one = Unverified(**entry)
        texts, numbers = (
            (one.number, one.rule, one.remedy, one.was, one.kept, one.red, one.error),
            (
                one.rung,
                one.ended,
                one.problem or 0.0,
                one.rests,
                one.sought,
                one.telling,
                one.told,
                *one.worse.values(),
            ),
        )
        right = all(isinstance(text, str) for text in texts) and isinstance(one.beside, dict)
        return one if right and all(isinstance(number, (int, float)) for number in numbers) else None
    except (AttributeError, TypeError):
        return None


def _read(state: StateDir) -> dict[str, Any]:
    with open(state.file(FILE), encoding="utf-8") as file:
        return dict(loads(file.read()))


def _document(state: StateDir) -> dict[str, Any]:
    try:
        return _read(state)
    except (OSError, ValueError, TypeError):
        return {}


def _save(state: StateDir, place: Place, entries: Mapping[str, Unverified]) -> None:
    _write(state, _document(state) | {place: {id: asdict(one) for id, one in entries.items()}})


def _write(state: StateDir, document: Mapping[str, Any]) -> None:
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
