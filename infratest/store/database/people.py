"""What people say to a monitor: planned downtime, notes, a pause of all telling; and the heartbeats of their jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infratest.alerting.downtime import Downtime
from infratest.alerting.moments import Moment, happened
from infratest.store.database.base import Transaction
from infratest.store.database.values import as_json, read, storable, written

#: Notes that one question answers with at most, the newest.
MOST = 10_000
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Note:
    """A mark in history, as of a deployment. host: that it is about, `-` for the stack."""

    at: Moment
    text: str
    author: str
    host: str = "-"


@dataclass(frozen=True, slots=True)
class Pause:
    """Nobody is told anything until then, in the monitor's own time."""

    until: float
    by: str
    comment: str = ""


def downtimes(t: Transaction) -> list[Downtime]:
    """Return all planned downtimes, by name. Raises StoreDamaged, and UserError for a zone that is not known here."""
    return [read(Downtime, body) for (body,) in t.rows("SELECT body FROM downtime ORDER BY name")]


def write_downtimes(t: Transaction, downtimes: Iterable[Downtime]) -> None:
    """Keep downtimes, each in place of the one of its name."""
    _put(t, "downtime", {each.name: written(each) for each in downtimes})


def remove_downtime(t: Transaction, name: str) -> bool:
    """Forget a downtime. Return whether there was one of that name."""
    return _drop(t, "downtime", name)


def heartbeats(t: Transaction) -> dict[str, dict[str, Any]]:
    """Return what is kept of each heartbeat, by name."""
    return {name: json.loads(body) for name, body in t.rows("SELECT name, body FROM heartbeat ORDER BY name")}


def write_heartbeats(t: Transaction, heartbeats: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep heartbeats by name: of each what JSON can say."""
    _put(t, "heartbeat", {name: as_json(dict(body)) for name, body in heartbeats.items()})


def remove_heartbeat(t: Transaction, name: str) -> bool:
    """Forget a heartbeat. Return whether there was one of that name."""
    return _drop(t, "heartbeat", name)


def paused(t: Transaction) -> Pause | None:
    """Return the pause that was begun last and not ended; None without one. It may be over by its time."""
    row = t.row("SELECT body FROM paused WHERE name = ?", _ALL)
    return None if row is None else read(Pause, row[0])


def pause(t: Transaction, pause: Pause) -> None:
    """Keep a pause, in place of the one before it."""
    _put(t, "paused", {_ALL: written(pause)})


def resume(t: Transaction) -> bool:
    """End a pause. Return whether there was one."""
    return _drop(t, "paused", _ALL)


def add_notes(t: Transaction, notes: Iterable[Note]) -> None:
    """Keep notes."""
    t.write(
        "notes",
        "INSERT INTO note (time, steady, host, author, text) VALUES (?, ?, ?, ?, ?)",
        [(each.at.wall, each.at.steady, *map(storable, (each.host, each.author, each.text))) for each in notes],
    )


def notes(t: Transaction, begin: float = 0.0, end: float = 1e15, most: int = MOST) -> list[Note]:
    """Return the notes from one time to another, in seconds since the epoch, in the order in which they came."""
    rows = t.rows(
        "SELECT steady, time, text, author, host FROM note WHERE time >= ? AND time < ? "
        "ORDER BY time DESC, number DESC LIMIT ?",
        begin, end, most,
    )  # fmt: skip
    return happened(Note(Moment(steady, time), *more) for steady, time, *more in reversed(rows))


def _put(t: Transaction, table: str, bodies: Mapping[str, str]) -> None:
    t.write(
        f"rows of {table}",
        f"INSERT INTO {table} (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
        [(storable(name), body) for name, body in bodies.items()],
    )


def _drop(t: Transaction, table: str, name: str) -> bool:
    known = t.row(f"SELECT 1 FROM {table} WHERE name = ?", storable(name)) is not None
    if known:
        t.write(f"removed rows of {table}", f"DELETE FROM {table} WHERE name = ?", [(storable(name),)])
    return known
