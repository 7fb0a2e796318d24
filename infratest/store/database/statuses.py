"""What is remembered of each result: its status, from which a monitor goes on after a restart, and its newest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from infratest.alerting.status import Status
from infratest.errors import StoreDamaged
from infratest.store.database.base import Transaction
from infratest.store.database.values import as_json, read, storable, written


def write(t: Transaction, statuses: Mapping[str, Status]) -> None:
    """Keep statuses by id: all fields of each, in place of what was kept of it."""
    t.write(
        "statuses",
        "INSERT INTO status (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        [(storable(id), written(status)) for id, status in statuses.items()],
    )


def statuses(t: Transaction) -> dict[str, Status]:
    """Return all statuses by id. Raises StoreDamaged."""
    return {id: read(Status, body) for id, body in t.rows("SELECT id, body FROM status ORDER BY id")}


def status(t: Transaction, id: str) -> Status | None:
    """Return the status of one id; None where nothing is kept of it. Raises StoreDamaged."""
    row = t.row("SELECT body FROM status WHERE id = ?", storable(id))
    return None if row is None else read(Status, row[0])


def remove(t: Transaction, ids: Iterable[str]) -> None:
    """Forget status and newest result of what is watched no longer; its history stays."""
    rows = [(storable(id),) for id in ids]
    t.write("removed statuses", "DELETE FROM status WHERE id = ?", rows)
    t.write("removed results", "DELETE FROM result WHERE id = ?", rows)


def write_results(t: Transaction, results: Iterable[Mapping[str, Any]]) -> None:
    """Keep results, as a report's JSON has them, each in place of the one before it with its `id`."""
    t.write(
        "results",
        "INSERT INTO result (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        [(storable(result["id"]), as_json(result)) for result in results],
    )


def result(t: Transaction, id: str) -> dict[str, Any] | None:
    """Return the newest result of an id; None where there is none. Raises StoreDamaged."""
    row = t.row("SELECT body FROM result WHERE id = ?", storable(id))
    return None if row is None else _object(row[0])


def results(t: Transaction) -> dict[str, dict[str, Any]]:
    """Return the newest result of each id. Raises StoreDamaged."""
    return {id: _object(body) for id, body in t.rows("SELECT id, body FROM result ORDER BY id")}


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise StoreDamaged(f"store: what is kept as a result is none: {text[:80]!r}")
    return data
