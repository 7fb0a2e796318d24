"""A store of the monitor with COUNT numbers in it, and what the history of one series among them takes.

    python stored.py make COUNT FOLDER      prints one JSON object
    python stored.py ask COUNT FOLDER       prints one JSON object

30 days that end with the hour before this one, a random double a minute of as many series as are needed. Of each hour
a few series are packed, as the store packs them, and every other series has the block of one of these: so it is made in
a minute. `ask` reads what `make` made on the same day, compares it, and gives the seconds of each question.
"""

from __future__ import annotations

import json
import random
import sys
import time
from functools import cache
from pathlib import Path

from infratest.store.blocks import HOUR, Head, Point, hour_of, of_columns
from infratest.store.database import numbers
from infratest.store.database.connection import looked_into, opened
from infratest.store.directory import StateDir

MINUTES, HOURS, DIFFERENT = 60, 720, 8
DAY, MONTH = 86_400, HOURS * HOUR
#: Questions for a day and for 30 days; every so-manieth answer is compared.
DAYS, MONTHS, COMPARED = 400, 200, 20


def columns(hour: int, which: int) -> tuple[list[float], list[float]]:
    """Return times and values of an hour of the series that have the same blocks."""
    draw = random.Random(f"{hour}/{which}")
    times = [hour + 60 * minute + draw.randrange(60_000) / 1000 for minute in range(MINUTES)]
    return times, [draw.random() for _ in times]


def key(series: int) -> str:
    return f"bench.web-{series}.web.nginx_answers.time"


def series_of(count: int) -> int:
    """Return how many series there must be for so many numbers."""
    return -(-count // (HOURS * MINUTES))


def make(count: int, folder: Path) -> dict[str, float]:
    """Make it, an hour a commit."""
    series, last = range(1, series_of(count) + 1), hour_of(time.time()) - HOUR
    began = time.monotonic()
    with opened(StateDir(folder)) as store:
        with store.transaction() as t:
            # As `numbers` begins a series, whose number is that of its row.
            rows = [(number, key(number), f'{{"host":"web-{number}","kind":"metric"}}', "s", last) for number in series]
            t.write("series", "INSERT INTO series (number, key, labels, unit, seen) VALUES (?, ?, ?, ?, ?)", rows)
        for hour in range(last - MONTH + HOUR, last + HOUR, HOUR):
            made = [of_columns(*columns(hour, which)) for which in range(DIFFERENT)]
            with store.transaction() as t:
                blocks = [(hour, number, made[number % DIFFERENT][1]) for number in series]
                t.write("blocks", "INSERT INTO block (hour, series, packed) VALUES (?, ?, ?)", blocks)
                heads = [(hour, number, *figures(made[number % DIFFERENT][0])) for number in series]
                t.write("heads", "INSERT INTO hourly VALUES (?, ?, ?, ?, ?, ?, ?)", heads)
        with store.sight() as t:
            size, (kept,) = t.size, t.row("SELECT sum(n) FROM hourly") or (0,)
    return {"numbers": kept, "series": len(series), "bytes": size, "seconds": time.monotonic() - began}


def figures(head: Head) -> tuple[int, int, float, float, float]:
    return head.count, head.finite, head.least, head.greatest, head.sum


def ask(count: int, folder: Path) -> dict[str, list[float]]:
    """Ask for the history of series drawn by chance, of a day and of all 30."""
    draw, series = random.Random(2), series_of(count)
    with looked_into(StateDir(folder)) as store, store.sight() as t:
        (last,) = t.row("SELECT max(hour) FROM block") or (0,)
        end = last + HOUR
        found: dict[str, list[float]] = {}
        for name, span, times in (("day", DAY, DAYS), ("month", MONTH, MONTHS)):
            found[name] = []
            for question in range(times):
                number = draw.randrange(series) + 1
                at = end if span == MONTH else end - HOUR * draw.randrange(HOURS - 24)
                began = time.monotonic()
                answer = numbers.points(t, key(number), at - span, at)
                found[name].append(time.monotonic() - began)
                if question % COMPARED == 0 and answer != expected(number, at - span, at):
                    sys.exit(f"{name} of series {number}: what is kept is not what was made")
    return found


def expected(number: int, begin: int, end: int) -> list[Point]:
    hours = [hour_points(hour, number % DIFFERENT) for hour in range(begin, end, HOUR)]
    return [point for points in hours for point in points]


@cache
def hour_points(hour: int, which: int) -> list[Point]:
    return list(zip(*columns(hour, which), strict=True))


if __name__ == "__main__":
    word, number, place = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    print(json.dumps(make(number, place) if word == "make" else ask(number, place)))
