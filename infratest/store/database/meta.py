"""What a store knows of itself: what it is of, until when somebody watched, and where the
monitor's own time stood when it was last kept.
"""

from __future__ import annotations

from infratest.alerting.moments import Anchor
from infratest.store.database.base import Transaction
from infratest.store.database.values import read, written

_ANCHOR, _PLACE, _WATCHED = "anchor", "place", "watched"


def anchor(t: Transaction) -> Anchor | None:
    """Return where the monitor's own time stood; None in a new store. Raises StoreDamaged."""
    row = t.row("SELECT value FROM meta WHERE name = ?", _ANCHOR)
    return None if row is None else read(Anchor, row[0])


def write_anchor(t: Transaction, anchor: Anchor) -> None:
    """Keep where the monitor's own time stands."""
    _write(t, "clocks", _ANCHOR, written(anchor))


def place(t: Transaction) -> str | None:
    """Return whose results these are, as `shop/prod`; None where nobody has said."""
    row = t.row("SELECT value FROM meta WHERE name = ?", _PLACE)
    return None if row is None else str(row[0])


def another(what: str, whose: str, mine: str) -> str:
    """Return in words that a monitor or its store is of another environment than who asks, or of another stack."""
    return f"{what} is of {whose}, and this is {mine}; each environment has a state directory of its own, by --state"


def write_place(t: Transaction, place: str) -> None:
    """Keep whose results these are."""
    _write(t, "places", _PLACE, place)


def watched(t: Transaction) -> float | None:
    """Return until when a monitor watched, in seconds since the epoch; None where none ever did."""
    row = t.row("SELECT value FROM meta WHERE name = ?", _WATCHED)
    return None if row is None else float(row[0])


def write_watched(t: Transaction, wall: float) -> None:
    """Keep until when a monitor watched."""
    _write(t, "times", _WATCHED, repr(wall))


def _write(t: Transaction, what: str, name: str, value: str) -> None:
    t.write(
        what,
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [(name, value)],
    )
