"""What the ground of the monitor costs, in this process: numbers into SQLite, and a result through the pure functions.

    python monitor.py blocks|rows|loop COUNT FILE      prints one JSON object

`blocks` and `rows` keep COUNT hours of 60 random doubles: as one block an hour, and as a row an event with its labels
as JSON, as events.jsonl has them. `loop` looks once at each of COUNT results, every hundredth red, on an agenda.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from pathlib import Path

from infratest.alerting.due import Agenda, Asked, due
from infratest.alerting.moments import Moment
from infratest.alerting.owed import Receiver, Route, owed
from infratest.alerting.policy import DEFAULT
from infratest.alerting.problems import Picture
from infratest.alerting.status import Look, advance, begun
from infratest.alerting.subject import Subject
from infratest.store.blocks import head, packed, unpacked

HOUR, MINUTES = 1_764_432_000, 60


def hours(count: int) -> list[list[tuple[float, float]]]:
    draw = random.Random(1)
    return [
        [(HOUR + 60 * minute + draw.randrange(1000) / 1000, draw.random()) for minute in range(MINUTES)]
        for _ in range(count)
    ]


def stored(kind: str, count: int, path: Path) -> dict[str, float]:
    """Keep so many hours in a new file, in a commit of a hundred each."""
    made = hours(count)
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    base.execute("PRAGMA page_size=8192")
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=NORMAL")
    base.execute(
        "CREATE TABLE block (series INTEGER, hour INTEGER, body BLOB, PRIMARY KEY (series, hour)) WITHOUT ROWID"
    )
    base.execute("CREATE TABLE event (time REAL, key TEXT, value REAL, labels TEXT)")
    base.execute("CREATE INDEX by_key ON event (key, time)")
    spent = time.process_time()
    for series, points in enumerate(made):
        if kind == "blocks":
            base.execute("INSERT INTO block VALUES (?, ?, ?)", (series, HOUR, packed(points)))
        else:
            base.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", [row(series, *point) for point in points])
        if series % 100 == 99:
            base.commit()
    base.commit()
    spent = time.process_time() - spent
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found = {"numbers": count * MINUTES, "cpu": spent, "bytes": path.stat().st_size}
    if kind == "blocks":
        bodies = [body for (body,) in base.execute("SELECT body FROM block ORDER BY series")]
        if [unpacked(body) for body in bodies] != made:
            sys.exit("what was kept is not what was packed")
        begin = time.process_time()
        for body in bodies:
            head(body)
        found["head us"] = (time.process_time() - begin) / count * 1e6
    return found


def row(series: int, moment: float, value: float) -> tuple[float, str, float, str]:
    host = f"web-{series}"
    labels = {
        "stack": "shop", "env": "prod", "host": host, "feature": "features/web.feature", "scenario": "nginx answers",
        "id": f"features/web.feature#nginx-answers@{host}", "kind": "metric", "name": "time",
    }  # fmt: skip
    return moment, f"shop.prod.{host}.web.nginx_answers.time", value, json.dumps(labels)


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
