"""What it costs a monitor to look at COUNT results, but for the looks themselves: its own loop, in this process.

    python turns.py COUNT MINUTES FOLDER      prints one JSON object

All of `monitor.Monitor` is at work: agenda and errands, the threads that go on them, `advance`, `due` and `owed` by its
book, a settling each second, and each turn's commit into a store of SQLite. Only the looks are none: the results of a
host's 20 scenarios, made before and every hundredth of them red, come back as they are. Each is due once a minute; the
clock is moved on to what is next, so that nobody waits. Of the first minutes, in which everything is new and the red
ones are told, nothing is counted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infratest.alerting.ledger import Notice
from infratest.alerting.owed import Receiver, Route
from infratest.alerting.subject import Subject, of_receiver
from infratest.clock import Clock
from infratest.model import Result
from infratest.monitor.book import Book
from infratest.monitor.crew import Errand, Findings
from infratest.monitor.keeping import Keeping, claim
from infratest.monitor.memory import Memory
from infratest.monitor.monitor import BEAT, OWN, Monitor, Outcome
from infratest.monitor.timepiece import Timepiece
from infratest.stack.monitor import Heartbeat
from infratest.store.database.connection import opened
from infratest.store.database.ledger import DELIVERED
from infratest.store.database.retention import Keep
from infratest.store.directory import StateDir

PER_HOST, MINUTE = 20, 60.0
#: Minutes before what is counted: a status remembers three looks, and is written with each until then.
WARM = 4


class Moved(Clock):
    """A clock that is moved on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.seconds

    def time(self) -> float:
        return 1_764_432_000.0 + self.seconds


class Ready:
    """What is watched: results that are there already."""

    routes: Sequence[Route] = (Route(lambda subject, state: state == "critical", ("oncall",)),)
    receivers: Sequence[Receiver] = (Receiver("oncall"),)
    heartbeats: dict[str, Heartbeat] = {}
    left: dict[str, str] = {}
    place, seconds = "bench", MINUTE

    def __init__(self, count: int) -> None:
        names = [f"web-{number // PER_HOST}" for number in range(count)]
        ids = [f"x.feature#s-{number % PER_HOST}@{name}" for number, name in enumerate(names)]
        looked_at = [Subject(id, name) for id, name in zip(ids, names, strict=True)]
        self.subjects = [*looked_at, Subject(of_receiver("oncall"), policy=OWN, looked_at=False)]
        self._units = dict(zip(ids, names, strict=True))
        self._results = {
            id: Result(id, "x.feature", "s", 2, self._units[id], *(("critical", "no") if not place % 100 else ("ok",)))
            for place, id in enumerate(ids)
        }
        self.given = self.looks = 0

    def findings(self, now: float) -> Sequence[Result]:
        return ()

    def unit(self, id: str) -> str:
        self.given += 1
        return self._units[id]

    def look(self, errand: Errand) -> Findings:
        self.looks += len(errand.ids)
        return Findings(errand, tuple([self._results[id] for id in errand.ids]))


def resident() -> float:
    """Return the MiB of this process's memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def passed(monitor: Monitor, watched: Ready, clock: Moved, until: float) -> None:
    """Have the monitor work until a time, each turn when it is due, at the latest with the next beat."""
    while clock.seconds < until:
        next = monitor.book.next()
        wait = BEAT if next is None else min(BEAT, next - monitor.timepiece.now().steady)
        clock.seconds = min(until, clock.seconds + max(0.0, wait))
        monitor.turn(0)
        while watched.looks < watched.given or not monitor.inbox.empty():
            monitor.turn(1.0)


def main(count: int, minutes: int, folder: Path) -> None:
    before = resident()
    clock, watched, told = Moved(), Ready(count), 0
    with opened(StateDir(folder)) as store:
        claim(store, "bench", "")
        timepiece = Timepiece(None, clock, "this boot")
        keeping = Keeping(store, "bench", "", Keep())

        def hand_over(message: tuple[Notice, ...]) -> None:
            nonlocal told
            told += len(message)
            monitor.inbox.put(Outcome(message, DELIVERED))

        monitor = Monitor(watched, Book(Memory()), keeping, timepiece, hand_over, lambda: watched)
        passed(monitor, watched, clock, WARM * MINUTE)
        looks, spent = watched.looks, time.process_time()
        passed(monitor, watched, clock, (WARM + minutes) * MINUTE)
        spent, looks = time.process_time() - spent, watched.looks - looks
        if told != -(-count // 100) or monitor.unwritten or looks < count * minutes:
            sys.exit(f"{told} told, {looks} looks: {monitor.unwritten or 'not as they should be'}")
        print(json.dumps({"cpu": spent, "runs": looks, "MiB": resident(), "more MiB": resident() - before}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
