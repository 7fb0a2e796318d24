"""Numbers of metrics: kept as they come, packed by the hour, read back between two times.

A number is first in a part (`parts`), with what came in the same commit; an hour that is over is packed into a block a
series (`infratest.store.blocks`), a share of the series in each minute, so that no commit is long. Behind each block
stands its head (`hourly`), which outlives it. What comes late is put into the block that is there.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, TypeVar

from infratest.errors import StateError, UserError
from infratest.store.blocks import HOUR, MOST, Head, Point, combined, hour_of, of_columns, unpacked_columns
from infratest.store.database import series
from infratest.store.database.base import Transaction
from infratest.store.database.parts import STRIPE, Columns, columns, parts, stripe_of
from infratest.store.database.values import storable
from infratest.store.events import Event

Number = TypeVar("Number", int, float)
#: Seconds from the epoch, to either side, beyond which nothing is a time: as blocks have it.
_FAR = 2.0**43
#: Stripes that are packed together: a page has parts of about so many, which are then taken from it at once.
_SET = 6
#: Numbers that are packed in one commit, about: 20 ms on the machine on which the figures were taken.
SHARE = 20_000

#: The hours from one to another, joined to a table: a range of hours of one series is no range of its primary key.
_HOURS = (
    "WITH RECURSIVE hours (hour) AS "
    "(VALUES (CAST(? AS BIGINT)) UNION ALL SELECT hour + 3600 FROM hours WHERE hour < ?) "
)
BLOCKS_OF = (
    _HOURS + "SELECT block.packed FROM hours JOIN block ON block.hour = hours.hour AND block.series = ? "
    "ORDER BY hours.hour"
)
HEADS_OF = (
    _HOURS + "SELECT hourly.hour, n, finite, least, most, sum FROM hours "
    "JOIN hourly ON hourly.hour = hours.hour AND hourly.series = ? ORDER BY hours.hour"
)
PARTS_OF = (
    _HOURS + "SELECT open.hour, open.body FROM hours JOIN open ON open.hour = hours.hour AND open.stripe = ? "
    "ORDER BY hours.hour, open.part"
)


@dataclass(frozen=True, slots=True)
class Packing:
    """What one `pack` did.

    Args:
        damaged: series and hour of blocks that could not be added to: what they held is lost. left: numbers beyond
        those that a block holds, which are not kept.
    """

    numbers: int = 0
    blocks: int = 0
    damaged: tuple[tuple[int, int], ...] = ()
    left: int = 0

    def __add__(self, other: Packing) -> Packing:
        return Packing(
            self.numbers + other.numbers, self.blocks + other.blocks, self.damaged + other.damaged,
            self.left + other.left,
        )  # fmt: skip


def keep(t: Transaction, events: Iterable[Event]) -> int:
    """Keep the numbers among events; what has words is kept elsewhere. Return how many were refused.

    Refused is a number at what is no time: one of them must not cost the others of its commit.
    """
    known, refused = t.series, 0
    its: list[int] = []
    times: list[float] = []
    values: list[float] = []
    for event in events:
        value, time = event.value, event.time
        if isinstance(value, str):
            continue
        if not -_FAR < time < _FAR or not _is_double(value):
            refused += 1
            continue
        its.append(known.get(event.key) or series.begun(t, event))
        times.append(time)
        values.append(value)
    if its:
        t.write("parts", "INSERT INTO open (hour, stripe, body) VALUES (?, ?, ?)", _rows(its, times, values))
        t.missing["numbers"] = t.missing.get("numbers", 0) + len(its)
    return refused


def pack(t: Transaction, wall: float, most: int = SHARE) -> Packing:
    """Pack what is due of the hours that are over.

    Called in each cycle. Of the hour before this one a share of the series is due with each minute, and all of those
    before. It stops once it has packed `most` numbers: the rest is due with the next call.
    """
    this = hour_of(wall)
    (last,) = t.row("SELECT max(number) FROM series") or (None,)
    sets = stripe_of(last or 0) // _SET + 1
    due = -(-sets * (int((wall - this) // 60) + 1) // 60) * _SET
    done, hour, stripe = Packing(), -(2**62), -1
    while done.numbers < most:
        row = t.row(
            "SELECT hour, stripe FROM open WHERE (hour, stripe) > (?, ?) AND hour < ? ORDER BY hour, stripe LIMIT 1",
            hour, stripe, this,
        )  # fmt: skip
        if row is None:
            break
        hour, stripe = row
        if hour == this - HOUR and stripe >= due:
            break
        done += _packed(t, hour, stripe)
    return done


def points(t: Transaction, key: str, begin: float, end: float) -> list[Point]:
    """Return the numbers of a series from one time to another, without that one, in their order.

    Raises:
        UserError: the times are none. StateError: a block is damaged.
    """
    number, hours = number_of(t, key), _hours(begin, end)
    if number is None or hours is None:
        return []
    times: list[float] = []
    values: list[float] = []
    if (span := _within(t, "block", *hours)) is not None:
        for (block,) in t.rows(BLOCKS_OF, *span, number):
            some = unpacked_columns(block)
            times += some[0]
            values += some[1]
    if still_open := _open(t, number, *hours):  # what is packed is in its order
        for more in still_open.values():
            times += more[0]
            values += more[1]
        places = sorted(range(len(times)), key=times.__getitem__)
        times, values = _at(places, times), _at(places, values)
    asked = slice(bisect_left(times, begin), bisect_left(times, end))
    return list(zip(times[asked], values[asked], strict=True))


def hourly(t: Transaction, key: str, begin: float, end: float) -> list[Head]:
    """Return the figures of a series of each hour that is in a span of time, the earliest first; nothing is unpacked.

    Raises:
        UserError: the times are none.
    """
    number, hours = number_of(t, key), _hours(begin, end)
    if number is None or hours is None:
        return []
    heads: dict[int, list[Head]] = {}
    if (span := _within(t, "hourly", *hours)) is not None:
        for row in t.rows(HEADS_OF, *span, number):
            heads.setdefault(row[0], []).append(_head(row))
    for hour, its in _open(t, number, *hours).items():
        heads.setdefault(hour, []).append(of_columns(*its)[0])
    return [combined(heads[hour]) for hour in sorted(heads)]


def keys(t: Transaction) -> list[tuple[str, dict[str, str], str]]:
    """Return key, labels and unit of each series, by key."""
    rows = t.rows("SELECT key, labels, unit FROM series ORDER BY key")
    return [(key, json.loads(labels), unit) for key, labels, unit in rows]


def keys_beside(t: Transaction, beginning: str) -> list[str]:
    """Return the keys of all series that do not begin like this."""
    return [key for (key,) in t.rows("SELECT key FROM series WHERE substr(key, 1, ?) <> ?", len(beginning), beginning)]


def number_of(t: Transaction, key: str) -> int | None:
    """Return the number of a series; None where there is none of that key."""
    row = t.row("SELECT number FROM series WHERE key = ?", storable(key))
    return None if row is None else int(row[0])


def waits(t: Transaction, number: int) -> bool:
    """Whether a series has numbers that are not packed yet."""
    return bool(_open(t, number, -(2**62), 2**62))


def _rows(series: list[int], times: list[float], values: list[float]) -> list[tuple[int, int, bytes]]:
    """Return hour, stripe and part of each row that numbers make."""
    if series != sorted(series):
        places = sorted(range(len(series)), key=series.__getitem__)
        series, times, values = _at(places, series), _at(places, times), _at(places, values)
    if (hour := hour_of(min(times))) == hour_of(max(times)):
        return [(hour, *part) for part in parts(series, times, values)]
    rows = []
    for hour in sorted({hour_of(time) for time in times}):
        places = [place for place, time in enumerate(times) if hour_of(time) == hour]
        rows += [(hour, *part) for part in parts(_at(places, series), _at(places, times), _at(places, values))]
    return rows


def _at(places: list[int], column: list[Number]) -> list[Number]:
    return [column[place] for place in places]


def _is_double(value: Any) -> bool:
    """Whether a number can be one: whole numbers of Python have no end."""
    return isinstance(value, float) or -(2**1023) < value < 2**1023


def _packed(t: Transaction, hour: int, stripe: int) -> Packing:
    """Pack what is open of one stripe in one hour."""
    bodies = t.rows("SELECT body FROM open WHERE hour = ? AND stripe = ? ORDER BY part", hour, stripe)
    its = columns(body for (body,) in bodies)
    earlier, damaged = _earlier(t, its, hour, stripe)
    blocks, heads, numbers, left = [], [], 0, 0
    for number in sorted(its):
        times, values = its[number]
        left += max(0, len(times) - MOST)
        head, block = of_columns(times[:MOST], values[:MOST])
        numbers += head.count
        blocks.append((hour, number, block))
        known = combined([earlier[number], head]) if number in earlier else head
        heads.append((hour, number, known.count, known.finite, known.least, known.greatest, known.sum))
    t.write(
        "blocks",
        "INSERT INTO block (hour, series, packed) VALUES (?, ?, ?) "
        "ON CONFLICT (hour, series) DO UPDATE SET packed = excluded.packed",
        blocks,
    )
    t.write(
        "heads",
        "INSERT INTO hourly (hour, series, n, finite, least, most, sum) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (hour, series) DO UPDATE SET n = excluded.n, finite = excluded.finite, least = excluded.least, "
        "most = excluded.most, sum = excluded.sum",
        heads,
    )
    series.seen(t, its.keys(), hour, stripe)
    t.write("packed parts", "DELETE FROM open WHERE hour = ? AND stripe = ?", [(hour, stripe)])
    return Packing(numbers, len(blocks), damaged, left)


def _earlier(
    t: Transaction, its: dict[int, Columns], hour: int, stripe: int
) -> tuple[dict[int, Head], tuple[tuple[int, int], ...]]:
    """Put before what is to be packed what was packed before it, as where it came late.

    Return the heads of series whose block is there no longer, and the damaged blocks.
    """
    of = (hour, stripe * STRIPE, (stripe + 1) * STRIPE)
    rows = t.rows(
        "SELECT series, n, finite, least, most, sum FROM hourly WHERE hour = ? AND series >= ? AND series < ?", *of
    )
    heads = {number: _head((hour, *figures)) for number, *figures in rows if number in its}
    damaged = []
    if heads:
        for number, block in t.rows(
            "SELECT series, packed FROM block WHERE hour = ? AND series >= ? AND series < ?", *of
        ):
            if number in its:
                try:
                    times, values = unpacked_columns(block)
                except StateError:
                    damaged.append((number, hour))
                    continue
                heads.pop(number, None)
                its[number][0][:0] = times
                its[number][1][:0] = values
    return heads, tuple(damaged)


def _open(t: Transaction, number: int, first: int, last: int) -> dict[int, Columns]:
    """Return what is not packed yet of a series, by the hour."""
    if (span := _within(t, "open", first, last)) is None:
        return {}
    bodies: dict[int, list[bytes]] = {}
    for hour, body in t.rows(PARTS_OF, *span, stripe_of(number)):
        bodies.setdefault(hour, []).append(body)
    listed = {hour: columns(its, only=number) for hour, its in bodies.items()}
    return {hour: its[number] for hour, its in listed.items() if number in its}


def _within(t: Transaction, table: str, first: int, last: int) -> tuple[int, int] | None:
    """Return the hours from one to another between which a table has any; None where it has none there."""
    row = t.row(f"SELECT (SELECT min(hour) FROM {table}), (SELECT max(hour) FROM {table})")
    if row is None or row[0] is None or last < row[0] or row[1] < first:
        return None
    return max(first, row[0]), min(last, row[1])


def _hours(begin: float, end: float) -> tuple[int, int] | None:
    """Return the hours that a span of time begins and ends in; None where nothing is between."""
    if begin != begin or end != end:
        raise UserError("history: NaN is no time")
    if begin >= end:
        return None
    return hour_of(max(begin, -_FAR / 2)), hour_of(min(end, _FAR / 2))


def _head(row: Sequence[Any]) -> Head:
    hour, n, finite, *figures = row
    least, most, total = (nan if each is None else each for each in figures)
    return Head(hour, n, finite, least, most, total)
