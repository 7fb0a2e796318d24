"""Monitors that take over from one that is killed: how long nobody watches, and who is told what twice.

    seconds, doubled, again = takeovers(folder, rounds)

Two monitors of one project are on one PostgreSQL: one works, the other waits. What is watched turns bad, or well again,
and a moment later, drawn by chance from an interval before it can be seen to one after it was told, the one that works
is killed (SIGKILL). The time is from there to the end of the other one's first turn in which all was looked at and
kept; then the killed one comes back, and waits. Several such pairs are at it at once.
"""

from __future__ import annotations

import http.server
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import environment
from benchmarks.monitors import PATIENCE, Running, begun, project
from benchmarks.problem import BenchError
from tests.worlds import servers

EXTRAS = "postgres"
PAIRS, INTERVAL = 4, 2.0
ID = "x.feature#there@here"
STACK = """\
stack: {name}
provider: local
hosts: {{here: {{}}}}
monitor:
  interval: {interval:g}s
  attempts: 1
  flap: off
  store: {{url: "postgresql://admin@127.0.0.1:{database}/postgres", password-file: password}}
  receivers: {{oncall: {{webhook: {{url: "http://127.0.0.1:{receiver}/"}}}}}}
  tell: [{{when: "state=critical", to: oncall, on: [problem, recovery]}}]
features: [x.feature]
"""
FEATURE = 'Feature: f\n  Scenario: there\n    Then the file "{path}" exists\n'


@dataclass(frozen=True)
class Told:
    """A notice that a receiver was sent. key: its own; the same one again is no new notice."""

    key: str
    kind: str


@dataclass(frozen=True)
class Takeovers:
    """What came of all rounds.

    Args:
        seconds: of each. doubled: notices that say what the one before them said, by another key. again: those that
        were sent once more by the same key, which their receiver knows.
    """

    seconds: Sequence[float]
    doubled: int
    again: int


def there() -> bool:
    """Whether this machine has the PostgreSQL that is started for it."""
    return servers.POSTGRESQL.exists()


def takeovers(folder: Path, rounds: int) -> Takeovers:
    """Have so many rounds of each pair. Raises BenchError: what should come does not."""
    environment.ours(EXTRAS)  # made once, not by each of the threads
    with servers.postgresql() as database, ThreadPoolExecutor(PAIRS) as pool:
        pairs = [pool.submit(_pair, folder / f"pair-{number}", database, rounds, number) for number in range(PAIRS)]
        found = [pair.result() for pair in pairs]
    seconds = [each for one, _ in found for each in one]
    counted = [counts(told) for _, told in found]
    return Takeovers(seconds, sum(doubled for doubled, _ in counted), sum(again for _, again in counted))


def counts(told: Sequence[Told]) -> tuple[int, int]:
    """Return how many notices of one result were doubled, and how many sent again; in the order in which they came."""
    keys, doubled, again, last = set[str](), 0, 0, ""
    for each in told:
        if each.key in keys:
            again += 1
            continue
        doubled += each.kind == last
        keys.add(each.key)
        last = each.kind
    return doubled, again


def _pair(folder: Path, database: int, rounds: int, number: int) -> tuple[list[float], list[Told]]:
    folder.mkdir(parents=True)
    there, draw = folder / "there", random.Random(number)
    there.touch()
    with _receiver() as (port, told):
        stack = STACK.format(name=f"pair-{number}", interval=INTERVAL, database=database, receiver=port)
        places = [project(folder / name, stack, FEATURE.format(path=there)) for name in ("west", "east")]
        for place in places:
            (place / "password").write_text(f"{servers.PASSWORD}\n")
        works = begun(places[0], EXTRAS)
        monitors, seconds = [works], []
        try:
            works.looked_at([ID])
            waits = _waiting(places[1], works)
            monitors.append(waits)
            for _ in range(rounds):
                before = len({each.key for each in list(told)})
                there.unlink() if there.exists() else there.touch()
                time.sleep(draw.uniform(0, 2 * INTERVAL))
                at = time.monotonic()
                works.process.kill()
                works.process.wait()
                seconds.append(Running(waits.folder, waits.process, at).looked_at([ID]) - at)
                _until(partial(_more, told, before), f"a notice: {waits.log[-500:]}")
                works, waits = waits, _waiting(works.folder, waits)
                monitors.append(waits)
        finally:
            for each in monitors:
                each.process.kill()
                each.process.wait()
        return seconds, list(told)


def _waiting(place: Path, works: Running) -> Running:
    """Begin a monitor that waits for another one, and return once it says so."""
    words, log = f"process {works.process.pid} on ", place / "monitor.log"
    before = log.read_text().count(words) if log.exists() else 0
    made = begun(place, EXTRAS)
    try:
        while made.log.count(words) == before:
            made.expect("that another one works")
            time.sleep(0.05)
    except BaseException:
        made.process.kill()
        raise
    return made


def _more(told: Sequence[Told], before: int) -> bool:
    return len({each.key for each in list(told)}) > before


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise BenchError(f"it never came: {what}")
        time.sleep(0.05)


@contextmanager
def _receiver() -> Iterator[tuple[int, list[Told]]]:
    """Give the port of a receiver, and the notices that it was sent."""
    told: list[Told] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.extend(Told(each["key"], each["kind"]) for each in body["notices"] if each["id"] == ID)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing: standard error is for whoever reads the benchmark."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], told
    finally:
        server.shutdown()
        server.server_close()
