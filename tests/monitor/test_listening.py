"""A monitor that listens: what real clients send it is in its store, and what it knows is there to be fetched."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infratest.alerting.moments import Moment
from infratest.clock import REAL, Clock
from infratest.errors import NotKept, UserError
from infratest.intakes._arrivals import Arrivals
from infratest.intakes.base import Intake
from infratest.monitor import answers
from infratest.monitor.book import Book
from infratest.monitor.exposition import Self, exposition
from infratest.monitor.memory import Memory
from infratest.monitor.monitor import Monitor
from infratest.monitor.start import started
from infratest.monitor.taking import Taking
from infratest.options import fields
from infratest.outsiders import get, names, options_of
from infratest.project.prepare import Request
from infratest.project.session import Session
from infratest.store.database import numbers, people
from infratest.store.database.connection import looked_into
from infratest.store.directory import StateDir
from infratest.store.events import Event
from tests.intakes.listening import LONG
from tests.monitor.test_monitor import HandClock
from tests.worlds import small_project

STACK = """\
stack: shop
provider: local
hosts: {here: {}}
monitor:
  receivers: {ops: {webhook: {url: "http://127.0.0.1:9/"}}}
  tell: []
  heartbeats:
    backup: {every: 10 min, grace: 1 min}
    nightly: {at: "0 3 * * *", grace: 30 min, runs-at-most: 1h}
  listen:
    statsd: {address: "127.0.0.1:STATSD", every: 1s}
    graphite: "127.0.0.1:GRAPHITE"
    http: "127.0.0.1:HTTP"
"""
FEATURE = """\
Feature: f
  Scenario: full "of\\ odd" things
    Then the disk "/" is less than 101 % full
  Scenario: gone
    Then the file "/there/is/none" exists
"""
BACKUP = "monitor#heartbeat/backup@-"


def free(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


class Ports:
    """Where one project's monitor listens."""

    def __init__(self) -> None:
        self.statsd, self.graphite, self.http = free(socket.SOCK_DGRAM), free(), free()
        self.url = f"http://127.0.0.1:{self.http}"


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.fixture
def project(tmp_path: Path, ports: Ports) -> Path:
    text = STACK
    for name in ("statsd", "graphite", "http"):
        text = text.replace(name.upper(), str(getattr(ports, name)))
    return small_project.write(tmp_path, {"stack.yaml": text, "features/x.feature": FEATURE})


@contextmanager
def life(project: Path, clock: Clock = REAL, boot: str | None = None) -> Iterator[Monitor]:
    session = Session(stack_path=project / "stack.yaml", env=None)
    with started(session, Request(face="check"), clock, boot) as monitor:
        yield monitor


@contextmanager
def running(project: Path) -> Iterator[Monitor]:
    """Give a monitor whose loop runs in a thread, as in a process of its own."""
    with life(project) as monitor:
        thread = threading.Thread(target=monitor.run)
        thread.start()
        try:
            yield monitor
        finally:
            monitor.end()
            thread.join()


def curl(*words: str) -> str:
    done = subprocess.run(
        ["curl", "-sS", "--noproxy", "*", *words], capture_output=True, text=True, timeout=LONG, check=True
    )
    return done.stdout


def kept(project: Path) -> dict[str, float]:
    """Return the newest number of each series from outside."""
    with looked_into(StateDir(project / ".infratest")) as store, store.sight() as t:
        return {key: numbers.points(t, key, 0, 1e15)[-1][1] for key, labels, _ in numbers.keys(t) if labels.get("from")}


def until(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_real_clients_send_is_in_the_store(project: Path, ports: Ports):
    with running(project):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(b"shop.stock:7|g\nshop.time:20|ms", ("127.0.0.1", ports.statsd))
        for words, text in (
            (["nc", "-u", "-w1", "127.0.0.1", str(ports.statsd)], b"shop.sold:5|g\n"),
            (["nc", "-N", "127.0.0.1", str(ports.graphite)], f"shop.visitors 12 {time.time():.0f}\n".encode()),
        ):
            subprocess.run(words, input=text, timeout=LONG, check=True)
        assert json.loads(curl("-d", '{"key": "shop.orders", "value": 3}', f"{ports.url}/in/events"))["taken"] == 1
        # What was acknowledged is written.
        assert kept(project)["shop.orders"] == 3.0
        until(lambda: {"shop.stock", "shop.sold", "shop.visitors", "shop.time"} <= kept(project).keys())
        found = kept(project)
    assert (found["shop.stock"], found["shop.sold"], found["shop.visitors"], found["shop.time"]) == (7, 5, 12, 0.02)
    with looked_into(StateDir(project / ".infratest")) as store, store.sight() as t:
        ((_, labels, unit),) = [each for each in numbers.keys(t) if each[0] == "shop.time"]
    assert (labels, unit) == ({"stack": "shop", "env": "", "from": "statsd", "kind": "metric"}, "s")


def test_what_came_until_the_end_is_kept(project: Path, ports: Ports):
    stack = project / "stack.yaml"
    stack.write_text(stack.read_text().replace("every: 1s", "every: 1h"))
    with running(project), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.sendto(b"last:7|g", ("127.0.0.1", ports.statsd))
    assert kept(project) == {"last": 7.0}


def test_prometheus_own_reader_understands_what_is_exposed(project: Path, ports: Ports):
    with running(project) as monitor:
        until(lambda: all(its.seen for id, its in monitor.book.statuses.items() if id.startswith("features/")))
        curl("-d", '{"key": "x", "value": NaN}', f"{ports.url}/in/events")
        curl("-d", '{"key": "y", "value": 1}', f"{ports.url}/in/events")
        text = curl(f"{ports.url}/metrics")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    states = {sample.labels["id"]: sample for sample in families["infratest_result_state"].samples}
    odd = states["features/x.feature#full-of-odd-things@here"]
    assert odd.value == 0
    assert odd.labels | {"id": ""} == {
        "stack": "shop", "env": "", "host": "here", "scenario": 'full "of\\ odd" things', "id": "",
    }  # fmt: skip
    assert "monitor#heartbeat/backup@-" not in states, "what is not due for the first time is not exposed"
    assert families["infratest_result_soft"].type == "gauge"
    (taken,) = families["infratest_intake_events"].samples
    assert (taken.name, taken.labels["intake"], taken.value) == ("infratest_intake_events_total", "http", 1.0)
    (refused,) = families["infratest_intake_refused"].samples
    assert (refused.labels["reason"], refused.value) == ("no finite number", 1.0)
    assert families["infratest_monitor_store_bytes"].samples[0].value > 8192
    assert {name for name in families if name.startswith("infratest_monitor_")} == {
        "infratest_monitor_late_seconds", "infratest_monitor_turn_age_seconds", "infratest_monitor_looks_waiting",
        "infratest_monitor_events_waiting", "infratest_monitor_notices_owed", "infratest_monitor_store_bytes",
    }  # fmt: skip


def test_the_bytes_of_a_store_elsewhere_are_not_said_to_be_none(tmp_path: Path):
    (tmp_path / "monitor.db").write_bytes(b"x" * 100)
    (tmp_path / "monitor.db-wal").write_bytes(b"x" * 20)
    now = Moment(1.0, 2.0)
    for store, values in ((f"{tmp_path}/monitor.db", [120.0]), ("postgresql://db.example/infratest", [])):
        text = exposition(Book(Memory()), Arrivals(), Self("shop", "", 0, now, store), now)
        families = {family.name: family for family in text_string_to_metric_families(text)}
        assert [one.value for one in families["infratest_monitor_store_bytes"].samples] == values


def test_prometheus_is_told_the_hosts(project: Path, ports: Ports):
    with running(project) as monitor:
        until(lambda: all(its.seen for id, its in monitor.book.statuses.items() if id.startswith("features/")))
        labels = {"stack": "shop", "host": "here"}
        assert json.loads(curl(f"{ports.url}/sd")) == [{"targets": ["127.0.0.1:9100"], "labels": labels}]
        assert json.loads(curl(f"{ports.url}/sd/9187"))[0]["targets"] == ["127.0.0.1:9187"]


def test_health_turns_bad_when_no_turn_is_written(project: Path, ports: Ports):
    clock = HandClock()
    with life(project, clock, "one") as monitor:
        monitor.turn(0)
        assert json.loads(curl(f"{ports.url}/health")) == {"age": 0.0}
        clock.now += 31
        assert curl("-o", "/dev/null", "-w", "%{http_code}", f"{ports.url}/health") == "503"
        while monitor.busy:
            monitor.turn(20)


def test_a_heartbeat_is_on_time_late_and_on_time_again(project: Path, ports: Ports):
    clock = HandClock()
    with life(project, clock, "one") as monitor:

        def after(seconds: float) -> tuple[str, str]:
            clock.now += seconds
            monitor.turn(0)
            while monitor.busy:
                monitor.turn(20)
            status = monitor.book.statuses[BACKUP]
            return status.state, status.reason.partition(":")[0]

        def signal_of(kind: str) -> None:
            arrivals = monitor.taking.arrivals  # type: ignore[union-attr]
            assert arrivals.signal("http", "backup", kind)[0] == ""

        assert after(0)[0] == "ok", "it is not due yet"
        assert answers.state_of(monitor.book, BACKUP) == "skipped"
        signal_of("ok")
        after(1)
        assert answers.state_of(monitor.book, BACKUP) == "ok"
        assert after(660) == ("critical", "late")
        signal_of("ok")
        assert after(1)[0] == "ok"
        signal_of("fail")
        assert after(1)[0] == "critical"
    with life(project, clock, "one") as monitor:
        monitor.turn(0)
        assert monitor.book.statuses[BACKUP].state == "critical", "it is known after a new start"
        while monitor.busy:
            monitor.turn(20)
    with looked_into(StateDir(project / ".infratest")) as store, store.sight() as t:
        assert people.heartbeats(t)["backup"]["outcome"] == "fail"


def test_a_heartbeat_by_curl(project: Path, ports: Ports):
    with running(project) as monitor:
        assert json.loads(curl("-X", "POST", f"{ports.url}/in/heartbeat/backup")) == {
            "heartbeat": "backup", "signal": "ok",
        }  # fmt: skip
        assert monitor.book.statuses[BACKUP].seen == "ok"


def test_a_hint_by_curl_has_a_host_looked_at_now(project: Path, ports: Ports):
    full = "features/x.feature#full-of-odd-things@here"
    with running(project) as monitor:
        book = monitor.book
        until(lambda: book.statuses[full].looked is not None)
        before = book.statuses[full].looked
        assert json.loads(curl("-X", "POST", f"{ports.url}/in/hint/here")) == {"host": "here", "results": 3}
        until(lambda: book.statuses[full].looked > before)  # long before its time
        assert "did you mean 'here'" in curl("-X", "POST", f"{ports.url}/in/hint/heer")


def test_an_address_that_is_taken_is_one_clear_message(project: Path, ports: Ports):
    with socket.create_server(("127.0.0.1", ports.http)), pytest.raises(UserError) as raised, life(project):
        pass
    assert str(raised.value) == (
        f"monitor: http: 127.0.0.1:{ports.http} cannot be listened on: Address already in use; is something else there "
        "already? Name another address"
    )
    with running(project):
        assert "age" in curl(f"{ports.url}/health"), "what was opened before it is closed again"


def test_what_is_wrong_in_listen_is_told_before_anything_begins(project: Path):
    stack = project / "stack.yaml"
    for written, words in (
        ("udp: x", "unknown intake 'udp'"),
        ('graphite: "0.0.0.0:2003"', "address: 0.0.0.0 is beyond loopback"),
        ("graphite: {address: x}", "'x' is no HOST:PORT"),
        ("statsd: {address: '127.0.0.1:1', evry: 3s}", "unknown key 'evry'"),
    ):
        stack.write_text(STACK.partition("  listen:")[0] + f"  listen:\n    {written}\n")
        with pytest.raises(UserError, match=r"stack.yaml:11: monitor.listen.") as raised, life(project):
            pass
        assert words in str(raised.value)
    assert not (project / ".infratest" / "monitor.db").exists()


def test_what_could_not_be_written_is_not_acknowledged_and_not_lost(project: Path):
    clock = HandClock()
    with life(project, clock, "one") as monitor:
        monitor.turn(0)
        while monitor.busy:
            monitor.turn(20)
        taking = monitor.taking
        assert isinstance(taking, Taking)
        whole, monitor.writing.store = monitor.writing.store, _Full()
        _, ticket = taking.arrivals.offer("http", [Event(clock.time(), "x", 1.0, "", {})])
        monitor.turn(0)
        assert not ticket.kept(LONG)
        monitor.writing.store = whole
        monitor.turn(0)
        while monitor.busy:
            monitor.turn(20)
    assert kept(project) == {"x": 1.0}


class _Full:
    """A store on a disk that is full."""

    ours = True

    def write(self, *_: object) -> None:
        raise NotKept("monitor.db: no space left on device")

    def tend(self, *_: object) -> None:
        pass


def test_what_was_refused_is_a_number_of_its_own(project: Path):
    clock = HandClock()
    with life(project, clock, "one") as monitor:
        monitor.turn(0)
        taking = monitor.taking
        assert isinstance(taking, Taking)
        taking.arrivals.refuse("statsd", "lost by the kernel", 5)
        clock.now += 61
        monitor.turn(0)
        while monitor.busy:
            monitor.turn(20)
    with looked_into(StateDir(project / ".infratest")) as store, store.sight() as t:
        ((_, value),) = numbers.points(t, "shop.-.-.monitor.refused.statsd.lost_by_the_kernel", 0, 1e15)
    assert value == 5.0


PROGRAM = """\
import sys
from pathlib import Path
from infratest.monitor.start import started
from infratest.project.prepare import Request
from infratest.project.session import Session
with started(Session(stack_path=Path(sys.argv[1])), Request(face="check")) as monitor:
    print("ready", flush=True)
    monitor.run()
"""


def test_nothing_that_was_acknowledged_is_lost_by_a_kill(project: Path, ports: Ports):
    for number in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(project / "stack.yaml")], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            words = json.dumps([{"key": f"x{number}", "value": number}, {"key": f"y{number}", "value": number}])
            assert json.loads(curl("-d", words, f"{ports.url}/in/events"))["taken"] == 2
            os.kill(process.pid, signal.SIGKILL)
    found = kept(project)
    assert found == {f"{name}{number}": float(number) for name in "xy" for number in range(5)}


def test_every_intake_has_an_address_that_may_stand_alone():
    for name in names("intake"):
        kind = get("intake", name)
        options = options_of(kind)
        assert issubclass(kind, Intake)
        assert options is not None
        assert fields(options)["address"].about["short"] is True
