"""What a monitor says to the facts `metric` and `heartbeat`, by its store, and to `monitor`, by its own word.

Nothing is known by a store that nobody writes: what a monitor that ended has kept is of a time that is over. A running
one writes at least all ten seconds, with when that was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import fsum
from typing import Any

from infratest import rfc3339
from infratest.alerting.heartbeats import of_heartbeat
from infratest.errors import FactError, StateError, UserError
from infratest.facts import _monitor_store
from infratest.intakes._admission import Refusal, key_of
from infratest.project import monitor_store
from infratest.project.session import Session
from infratest.states import CRITICAL, OK, UNKNOWN
from infratest.store import monitor_socket
from infratest.store.blocks import HOUR, Head, Point
from infratest.store.database import meta, numbers, statuses
from infratest.store.database.base import Transaction
from infratest.store.database.connection import looked_into
from infratest.store.directory import StateDir

#: Seconds since a monitor wrote last after which it does not run any longer, or hangs.
STALE = 60.0

#: Seconds for the monitor's answer, which its loop gives between two turns.
ANSWERED = 5.0

#: The fields of a fact's value.
Fields = dict[str, Any]

#: Of state directories and places whose store lies elsewhere, the session whose stack file says where.
_elsewhere: dict[tuple[str, str], Session] = {}


def metric(state_directory: str, place: str, asked: tuple[str, ...]) -> Fields:
    """Return what is kept of a series: of its key, over so many seconds. Raises FactError."""
    key, seconds = asked[0], float(asked[1])
    return _seen(state_directory, place, lambda t, now: _metric(t, key, now - seconds, now))


def heartbeat(state_directory: str, place: str, asked: tuple[str, ...]) -> Fields:
    """Return what is so of a heartbeat. Raises FactError."""
    return _seen(state_directory, place, lambda t, _: _heartbeat(t, asked[0]))


def monitor(state_directory: str, place: str, asked: tuple[str, ...]) -> Fields:
    """Return how the monitor of a state directory does, by its own word. Raises FactError."""
    try:
        answer = monitor_socket.asked(state_directory, {"word": "health"}, ANSWERED)
        if answer["place"] != place:
            raise FactError(f"the monitor that runs on {state_directory} is of {answer['place']}, and this is {place}")
        fields = {name: answer[name] for name in ("age", "late", "waiting", "unwritten", "overgrown")}
        return {"alive": True, "dead": tuple(answer["dead"]), **fields}
    except monitor_socket.Nobody as why:
        if elsewhere := _works_elsewhere(state_directory, place):
            raise FactError(f"{elsewhere}: ask it there") from why
        return {"alive": False, "reason": f"{why}; start it with `infratest monitor run`"}
    except monitor_socket.Silence as why:
        raise FactError(f"the monitor cannot be asked: {why}") from why
    except (KeyError, TypeError) as error:
        raise FactError(f"the monitor of {state_directory} is of another version: {error!r}") from error


def _works_elsewhere(state_directory: str, place: str) -> str:
    """Return in words which monitor watches from another machine, and whether one waits here; empty where none does."""
    session = _elsewhere.get((state_directory, place))
    if session is None:
        return ""
    try:
        with monitor_store.looked_into(session) as store:
            return monitor_store.standing_by(session, store)
    except (StateError, UserError):
        return ""


def lies(state_directory: str, place: str, session: Session) -> None:
    """Say how the store of a state directory and a place is opened from now on: it may lie elsewhere."""
    if monitor_store.in_file(session):
        _elsewhere.pop((state_directory, place), None)
    else:
        _elsewhere[state_directory, place] = session


def _seen(state_directory: str, place: str, look: Callable[[Transaction, float], Fields]) -> Fields:
    session = _elsewhere.get((state_directory, place))
    try:
        opened = looked_into(StateDir(state_directory)) if session is None else monitor_store.looked_into(session)
        with opened as store, store.sight() as t:
            now, where = time.time(), state_directory if session is None else store.path
            whose = meta.place(t)
            if whose not in (place, None):
                raise FactError(f"the monitor that runs on {where} is of {whose}, and this is {place}")
            watched = meta.watched(t)
            if watched is None or not -STALE <= now - watched <= STALE:
                when = "" if watched is None else f": it wrote last {rfc3339.written(watched)}"
                raise FactError(f"no monitor runs on {where}{when}; start it with `infratest monitor run`")
            return look(t, now)
    except (StateError, UserError) as error:
        raise FactError(f"the monitor's store cannot be asked: {error}") from error


def _metric(t: Transaction, key: str, begin: float, end: float) -> Fields:
    key = _as_kept(key)
    row = t.row("SELECT unit FROM series WHERE key = ?", key)
    if row is None:
        return {"there": False}
    points = numbers.points(t, key, begin, end)
    # Of hours whose numbers are kept no longer, what they came to is: only of those that are in the window whole.
    kept = {int(at // HOUR) * HOUR for at, _ in points}
    heads = [
        head
        for head in numbers.hourly(t, key, begin, end)
        if begin <= head.hour and head.hour + HOUR <= end and head.finite and head.hour not in kept
    ]
    return _figures(points, heads, str(row[0]), end)


def _as_kept(key: str) -> str:
    """Return a key as what was sent by that name is kept. Raises FactError."""
    try:
        return key_of(key)
    except Refusal as refusal:
        raise FactError(f'the metric "{key}": {refusal.reason}') from None


def _figures(points: Sequence[Point], heads: Sequence[Head], unit: str, now: float) -> Fields:
    values = [value for _, value in points if value - value == 0]
    count = len(values) + sum(head.finite for head in heads)
    if not count:
        return {"there": True, "unit": unit}
    first, newest = (points[0][1], points[-1][1]) if points else (0.0, heads[-1].sum / heads[-1].finite)
    age = now - (points[-1][0] if points else heads[-1].hour + HOUR)
    return {
        "there": True,
        "count": count,
        "mean": fsum([*values, *(head.sum for head in heads)]) / count,
        "least": min([*values, *(head.least for head in heads)]),
        "greatest": max([*values, *(head.greatest for head in heads)]),
        "first": first,
        "newest": newest,
        "whole": bool(points) and not heads,
        "age": max(0.0, age),
        "unit": unit,
    }


def _heartbeat(t: Transaction, name: str) -> Fields:
    status = statuses.status(t, of_heartbeat(name))
    if status is None:
        raise FactError(f'no heartbeat "{name}" is watched: it stands in `heartbeats` of `monitor` in the stack file')
    if status.seen in (OK, CRITICAL):
        return {"state": status.seen, "reason": status.reason}
    return {"state": UNKNOWN, "reason": status.reason or "nothing was heard of it yet"}


_monitor_store.reads.update(metric=metric, heartbeat=heartbeat, monitor=monitor)
