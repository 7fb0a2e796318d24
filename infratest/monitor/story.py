"""What happened, over a span of time: changes of a result, numbers of a metric, and all events. From the store alone.

Called by `infratest monitor history` and `events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from infratest.cleaning import clean
from infratest.monitor.keeping import HEALER, MYSELF
from infratest.states import WORST_FIRST
from infratest.store.database import changes, ledger, numbers, people
from infratest.store.database.base import Transaction
from infratest.store.database.ledger import DELIVERED, LOST, REFUSED

#: Columns of a sparkline.
WIDTH = 60
BARS = "▁▂▃▄▅▆▇█"
#: How a state is drawn; what is not known is a blank.
MARKS = {"critical": "C", "unknown": "?", "warning": "w", "waived": "-", "skipped": "-", "ok": "."}
#: What an event may be of.
KINDS = ("result", "told", "note", "lifecycle", "heal")

Event = dict[str, Any]


def of_result(t: Transaction, id: str, begin: float, end: float) -> list[dict[str, Any]]:
    """Return the changes of a result, with how it was before them: the earliest first."""
    before = changes.last(t, id, begin)
    listed = changes.changes(t, id, begin, end)
    rows = [] if before is None or before in listed else [before]
    return [
        {"time": each.at.wall, "before": each.before, "after": each.after, "reason": each.reason}
        for each in [*rows, *listed]
    ]


def of_number(t: Transaction, key: str, begin: float, end: float) -> list[dict[str, Any]]:
    """Return the numbers of a metric, the earliest first."""
    return [{"time": time, "value": value} for time, value in numbers.points(t, key, begin, end)]


def keys_of(t: Transaction, id: str | None = None) -> dict[str, str]:
    """Return the keys of metrics with their units; of a result alone where one is named."""
    return {key: unit for key, labels, unit in numbers.keys(t) if id is None or labels.get("id") == id}


def drawn_states(rows: Sequence[dict[str, Any]], begin: float, end: float) -> str:
    """Return the worst state of each of WIDTH spans of time, a letter each."""
    spans: list[set[str]] = [set() for _ in range(WIDTH)]
    step = (end - begin) / WIDTH
    for place, row in enumerate(rows):
        until = rows[place + 1]["time"] if place + 1 < len(rows) else end
        first, last = (int((time - begin) / step) for time in (max(row["time"], begin), min(until, end)))
        for at in range(max(first, 0), min(last, WIDTH - 1) + 1):
            spans[at].add(row["after"])
    return "".join(_mark(states) for states in spans)


def drawn_numbers(rows: Sequence[dict[str, Any]], begin: float, end: float) -> str:
    """Return the mean of each of WIDTH spans of time as a bar; a blank where there is no finite number."""
    spans: list[list[float]] = [[] for _ in range(WIDTH)]
    step = (end - begin) / WIDTH
    for row in rows:
        if isfinite(row["value"]):
            spans[min(WIDTH - 1, int((row["time"] - begin) / step))].append(row["value"])
    means = [sum(one / len(each) for one in each) if each else None for each in spans]
    there = [each for each in means if each is not None]
    low, high = min(there, default=0.0), max(there, default=0.0)
    half = high / 2 - low / 2 or 1.0  # the whole may be more than a number can be
    return "".join(
        " " if each is None else BARS[round((each / 2 - low / 2) / half * (len(BARS) - 1))] for each in means
    )


def events(t: Transaction, kinds: Sequence[str], begin: float, end: float, place: str) -> list[Event]:
    """Return what happened from one time to another, the earliest first.

    Args:
        kinds: of those above; all where none is named. place: stack and environment, with which each key begins.
    """
    wanted = kinds or KINDS
    found: list[Event] = []
    if "result" in wanted:
        for change in changes.changes(t, begin=begin, end=end):
            more = {"before": change.before, "reason": change.reason}
            found.append(_event(change.at.wall, place, "result", change.after, change.id, **more))
    if "told" in wanted:
        for each in ledger.deliveries(t, begin=begin, end=end):
            if each.outcome in (DELIVERED, REFUSED, LOST):
                more = {"receiver": each.receiver, "route": each.route, "what": f"{each.kind} {each.level}"}
                found.append(_event(each.at.wall, place, "told", each.outcome, each.id, **more, reason=each.reason))
    for note in people.notes(t, begin, end):
        kind = {MYSELF: "lifecycle", HEALER: "heal"}.get(note.author, "note")
        if kind in wanted:
            found.append(_event(note.at.wall, place, kind, note.text, "", host=note.host, author=note.author))
    return sorted(found, key=lambda each: float(each["time"]))


def _event(time: float, place: str, kind: str, value: str, id: str, **labels: str) -> Event:
    """Return an event as everything that is an event is written (`infratest.store.events`)."""
    words = clean(value, 500)
    return {"time": time, "key": f"{place}.monitor.{kind}", "value": words, "unit": "",
            "labels": {"kind": kind, **({"id": id} if id else {}), **labels}}  # fmt: skip


def _mark(states: set[str]) -> str:
    for state in WORST_FIRST:
        if state in states:
            return MARKS.get(state, "?")
    return MARKS["unknown"] if states - {"-"} else " "
