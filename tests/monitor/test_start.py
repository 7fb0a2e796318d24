"""A monitor as its stack file declares it: a real store, a real receiver, and a life that goes on after its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infratest.alerting.status import Acknowledge
from infratest.errors import StateError, UserError
from infratest.monitor import answers
from infratest.monitor.monitor import Monitor
from infratest.monitor.start import started
from infratest.project.prepare import Request
from infratest.project.session import Session
from infratest.store.database import changes, ledger, numbers
from infratest.store.database.connection import looked_into
from infratest.store.directory import StateDir
from tests.monitor.test_monitor import FEATURE, THERE, HandClock
from tests.worlds import small_project

STACK = """\
stack: shop
provider: local
hosts: {{here: {{labels: {{team: web}}}}}}
monitor:
  attempts: 2
  flap: off
  receivers:
    oncall: {{webhook: {{url: "http://127.0.0.1:{port}/"}}}}
  tell: [{{when: "label.team=web or state=unknown", to: oncall, on: [problem, recovery, ack]}}]
"""


class Sink(ThreadingHTTPServer):
    """Takes what a webhook sends, and keeps it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[dict[str, object]] = []
        self.status = 200


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.taken.append(body | {"sent under": self.headers["Idempotency-Key"]})
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def project(tmp_path: Path, sink: Sink) -> Path:
    there = tmp_path / "there"
    there.touch()
    files = {
        "stack.yaml": STACK.format(port=sink.server_address[1]),
        "features/x.feature": FEATURE.format(there=there),
    }
    return small_project.write(tmp_path, files)


@contextmanager
def life(project: Path, clock: HandClock, boot: str = "one") -> Iterator[Monitor]:
    session = Session(stack_path=project / "stack.yaml", env=None)
    with started(session, Request(face="check"), clock, boot) as monitor:
        yield monitor


def after(monitor: Monitor, clock: HandClock, seconds: float) -> None:
    """Move the clock; have what is due looked at, what follows handed over, and what came of that taken in."""
    clock.now += seconds
    monitor.turn(0)
    while monitor.busy:
        monitor.turn(20)


def notices(sink: Sink) -> list[tuple[object, object]]:
    return [(each["kind"], each["level"]) for one in sink.taken for each in one["notices"]]


def test_a_problem_is_told_kept_and_known_after_a_new_start(project: Path, sink: Sink):
    clock = HandClock()
    with life(project, clock) as monitor:
        after(monitor, clock, 0)
        (project / "there").unlink()
        after(monitor, clock, 90)
        after(monitor, clock, 15)
        assert notices(sink) == [("problem", "critical")]
        after(monitor, clock, 15)
    with life(project, clock, boot="two") as monitor:
        after(monitor, clock, 30)
        assert answers.problems(monitor.book, monitor.timepiece.now())["problems"][0]["id"] == THERE
        monitor.book.event(THERE, Acknowledge(monitor.timepiece.now(), "ada", "on it"))
        after(monitor, clock, 1)
        assert notices(sink)[1:] == [("ack", "critical")], "the problem is not told again"
        (project / "there").touch()
        for _ in range(3):
            after(monitor, clock, 30)
        assert notices(sink)[2:] == [("recovery", "ok")]
        after(monitor, clock, 15)
    keys = [one["sent under"] for one in sink.taken]
    assert len(set(keys)) == len(keys)
    with looked_into(StateDir(project / ".infratest")) as store, store.sight() as t:
        assert [(each.before, each.after) for each in changes.changes(t, THERE)] == [
            ("-", "ok"), ("ok", "critical"), ("critical", "ok"),
        ]  # fmt: skip
        told = ledger.deliveries(t, THERE)
        assert [each.outcome for each in told if each.key] == ["queued", "attempted", "delivered"] * 3
        assert [each.reason for each in told if each.outcome == "withheld"] == ["acknowledged by ada: on it", ""]
        (key,) = [key for key, labels, unit in numbers.keys(t) if labels["name"] == "disk / used"]
        assert len(numbers.points(t, key, 0, 1e15)) >= 4
        assert ledger.entries(t) == {}, "what is over is owed to nobody"


def test_what_a_receiver_did_not_take_is_owed_after_a_new_start(project: Path, sink: Sink):
    clock = HandClock()
    (project / "there").unlink()
    sink.status = 503
    with life(project, clock) as monitor:
        after(monitor, clock, 0)
        after(monitor, clock, 15)
        ((_, entry),) = monitor.book.entries.items()
        assert (entry.level, entry.tries) == ("ok", 1)
    sink.status = 200
    with life(project, clock) as monitor:
        after(monitor, clock, 5)
        assert notices(sink) == []
        after(monitor, clock, 10)
        assert notices(sink) == [("problem", "critical")]


def test_a_second_monitor_of_one_store_is_refused(project: Path):
    with (
        life(project, HandClock()),
        pytest.raises(StateError, match="another monitor"),
        life(project, HandClock()),
    ):
        pass


def test_a_mistake_in_the_rules_is_told_before_anything_begins(project: Path):
    stack = project / "stack.yaml"
    stack.write_text(stack.read_text().replace("label.team=web", "label.tem=web"))
    with pytest.raises(UserError, match=r"stack.yaml:9: .*tem"), life(project, HandClock()):
        pass
    assert not (project / ".infratest" / "monitor.db").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('listen: {statsd: "127.0.0.1:0"}', "`listen` is another one"),
        ("store: {keep: {size: 1GiB}}", "`store` is another one"),
        ("jobs: 3", "`jobs` is another one"),
    ],
)
def test_a_change_of_what_it_begins_with_is_refused_aloud(project: Path, line: str, words: str):
    clock = HandClock()
    with life(project, clock) as monitor:
        written = (project / "stack.yaml").read_text()
        (project / "stack.yaml").write_text(f"{written}  {line}\n")
        monitor.reading()(monitor)
        told = monitor.book.results["monitor#project@-"]
        assert (told.state, f"{words}: begin the monitor anew" in told.reason) == ("unknown", True), told
        clock.now += 1
        (project / "stack.yaml").write_text(written)
        monitor.reading()(monitor)
        assert monitor.book.statuses["monitor#project@-"].state == "ok"
