"""What the ground of the monitor costs, in this process: numbers into SQLite, and a result through the pure functions.

    python monitor.py store|rows|ready|loop COUNT FOLDER      prints one JSON object

The first three keep six hours of COUNT series, a random double a minute of each: by the monitor's store, as it is used
(each minute's commit brings its numbers, and packs what is due of the hour before), and as a row an event with its
labels as JSON, `ready` where these are made once a series. All have the same events and as many commits, and each is
asked for the history of a series, which has to be what came. `loop` looks once at each of COUNT results, every
hundredth red, on an agenda.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from infratest.alerting.due import Agenda, Asked, due
from infratest.alerting.moments import Moment
from infratest.alerting.owed import Receiver, Route, owed
from infratest.alerting.policy import DEFAULT
from infratest.alerting.problems import Picture
from infratest.alerting.status import Look, advance, begun
from infratest.alerting.subject import Subject
from infratest.store.database import numbers
from infratest.store.database.connection import opened
from infratest.store.directory import StateDir
from infratest.store.events import Event

HOUR, MINUTES, HOURS = 1_764_432_000, 60, 6


def minutes(series: int, hours: int) -> list[list[Event]]:
    """Return what comes in each minute: an event of each series, at its own moment, a random double."""
    draw = random.Random(1)
    keys = [f"shop.prod.web-{one}.web.nginx_answers.time" for one in range(series)]
    labels = [its_labels(f"web-{one}") for one in range(series)]
    return [
        [
            Event(
                time=HOUR + 60 * minute + draw.randrange(1000) / 1000,
                key=key,
                value=draw.random(),
                unit="s",
                labels=its,
            )
            for key, its in zip(keys, labels, strict=True)
        ]
        for minute in range(MINUTES * hours)
    ]


def its_labels(host: str) -> dict[str, str]:
    return {
        "stack": "shop", "env": "prod", "host": host, "feature": "features/web.feature", "scenario": "nginx answers",
        "id": f"features/web.feature#nginx-answers@{host}", "kind": "metric", "name": "time",
    }  # fmt: skip


def in_store(made: list[list[Event]], folder: Path) -> dict[str, float]:
    """Keep all in the monitor's store, a commit a minute with the packing that is due then; and pack the rest."""
    shutil.rmtree(folder, ignore_errors=True)
    store = opened(StateDir(folder))
    longest, spent = 0.0, time.process_time()
    for minute, events in enumerate([*made, *[[]] * MINUTES]):
        begin = time.process_time()
        with store.transaction() as t:
            numbers.keep(t, events)
            numbers.pack(t, HOUR + 60 * minute + 59)
        longest = max(longest, time.process_time() - begin)
    spent = time.process_time() - spent
    with store.sight() as t:
        if t.row("SELECT count(*) FROM open") != (0,):
            sys.exit("not everything was packed")
        found = {"cpu": spent, "bytes": t.size, "longest commit ms": longest * 1000}
        found["history us"] = asked(made, lambda key, begin, end: numbers.points(t, key, begin, end))
    store.close()
    return found


def in_rows(made: list[list[Event]], folder: Path, ready: bool) -> dict[str, float]:
    """Keep a row an event, a commit a minute, with 64 MiB of memory for pages: the default makes it slower.

    Args:
        ready: the labels of a series are made into JSON once, as by who knows that they stay.
    """
    folder.mkdir(exist_ok=True)
    path = folder / "rows.db"
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    for setting in ("page_size=8192", "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
        base.execute(f"PRAGMA {setting}")
    base.execute("CREATE TABLE event (time REAL, key TEXT, value REAL, labels TEXT)")
    base.execute("CREATE INDEX by_key ON event (key, time)")
    texts = {event.key: json.dumps(event.labels) for event in made[0]}
    spent = time.process_time()
    for events in made:
        if ready:
            rows = [(event.time, event.key, event.value, texts[event.key]) for event in events]
        else:
            rows = [(event.time, event.key, event.value, json.dumps(event.labels)) for event in events]
        base.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", rows)
        base.commit()
    spent = time.process_time() - spent
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    question = "SELECT time, value FROM event WHERE key = ? AND time >= ? AND time < ? ORDER BY time"
    return {
        "cpu": spent, "bytes": path.stat().st_size,
        "history us": asked(made, lambda key, begin, end: base.execute(question, (key, begin, end)).fetchall()),
    }  # fmt: skip


def asked(made: list[list[Event]], question: Callable[[str, float, float], list[tuple[float, float]]]) -> float:
    """Ask for the whole history of every fiftieth series, compare it, and return microseconds of CPU for one."""
    places = range(0, len(made[0]), 50)
    end, spent = HOUR + 60.0 * len(made), 0.0
    for place in places:
        begin = time.process_time()
        answer = question(made[0][place].key, HOUR, end)
        spent += time.process_time() - begin
        if answer != [(events[place].time, events[place].value) for events in made]:
            sys.exit("what was kept is not what came")
    return spent / len(places) * 1e6


def stored(kind: str, series: int, folder: Path) -> dict[str, float]:
    """Keep HOURS of so many series; then read some back."""
    made = minutes(series, HOURS)
    found = in_store(made, folder) if kind == "store" else in_rows(made, folder, kind == "ready")
    return found | {"numbers": len(made) * series}


def loop(count: int) -> dict[str, float]:
    """Take every result from the agenda, count a look at it and put it in again; then see what is owed of them all."""
    start = Moment(1000.0, float(HOUR))
    subjects = {
        f"s{each // 500}@web-{each % 500}": Subject(f"s{each // 500}", f"web-{each % 500}") for each in range(count)
    }
    statuses = {id: begun(start) for id in subjects}
    agenda = Agenda()
    for id in subjects:
        agenda.put(id, 1000.0)
    red = set(list(subjects)[::100])
    spent = time.process_time()
    for second in range(1, 4):
        now = Moment(1000.0 + 100.0 * second, HOUR + 100.0 * second)
        for id in agenda.take(now.steady):
            statuses[id] = advance(statuses[id], Look(now, "critical" if id in red else "ok"), DEFAULT)
            agenda.put(id, due(statuses[id], Asked(now.steady), DEFAULT, subjects[id].host, now.steady))
    spent = time.process_time() - spent
    begin = time.process_time()
    routes = [Route(lambda subject, state: state == "critical", ("oncall",))]
    answer = owed(Picture(now, subjects, statuses), {}, routes, [Receiver("oncall")], {})
    return {
        "us a look": spent / count / 3 * 1e6, "notices": len(answer.notices),
        "owed ms": (time.process_time() - begin) * 1000,
    }  # fmt: skip


if __name__ == "__main__":
    work, number = sys.argv[1], int(sys.argv[2])
    print(json.dumps(loop(number) if work == "loop" else stored(work, number, Path(sys.argv[3]))))
