"""What a store knows of itself: what it is of, and where the monitor's own time stood when it was last kept."""

from __future__ import annotations

from infratest.alerting.moments import Anchor
from infratest.store.database.base import Transaction
from infratest.store.database.values import read, written

_ANCHOR, _PLACE = "anchor", "place"


def anchor(t: Transaction) -> Anchor | None:
    """Return where the monitor's own time stood; None in a new store. Raises StoreDamaged."""
    row = t.row("SELECT value FROM meta WHERE name = ?", _ANCHOR)
    return None if row is None else read(Anchor, row[0])


def write_anchor(t: Transaction, anchor: Anchor) -> None:
    """Keep where the monitor's own time stands."""
    t.write(
        "clocks",
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [(_ANCHOR, written(anchor))],
    )


def place(t: Transaction) -> str | None:
    """Return whose results these are, as `shop/prod`; None where nobody has said."""
    row = t.row("SELECT value FROM meta WHERE name = ?", _PLACE)
    return None if row is None else str(row[0])


def write_place(t: Transaction, place: str) -> None:
    """Keep whose results these are."""
    t.write(
        "places",
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [(_PLACE, place)],
    )
