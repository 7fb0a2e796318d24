"""What brings a look forward, by the kernel, the engine and the web: it moves when is looked, and no state."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from infratest.errors import ProviderError, UserError
from infratest.local_program import listened
from infratest.monitor.hinting import Hints, hints_of
from infratest.monitor.hints.base import PROCESS, Hint
from infratest.monitor.hints.processes import Processes
from infratest.monitor.hints.units import Units
from infratest.monitor.monitor import Monitor
from infratest.monitor.start import started
from infratest.plan.tasks import reachable_id
from infratest.project.prepare import Request
from infratest.project.session import Session
from infratest.providers.container.engine import DOCKER, HOST_LABEL, Engine
from infratest.providers.container.events import Events, _host
from tests.monitor.test_monitor import FEATURE, FULL, STACK, THERE, Desk
from tests.worlds import small_project
from tests.worlds.hearing import LONG, hearing
from tests.worlds.monitor_world import until
from tests.worlds.tiny_container import engine, found

NAME = "hintling"
WATCHED = """\
stack: hinted
provider: local
hosts: {here: {}}
monitor: {interval: 24h, attempts: 1, flap: off, hints: [processes], receivers: {}, tell: []}
"""
RUNS = f"""\
Feature: f
  Scenario: runs
    Then the process "{NAME}" is running
  Scenario: else
    Then the directory "/" exists
"""
RUNNING, ELSE = "features/x.feature#runs@here", "features/x.feature#else@here"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "there").touch()
    feature = FEATURE.format(there=tmp_path / "there")
    return Desk(small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": feature})).after(0)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program of a name that no other process has."""
    return Path(shutil.copy(shutil.which("sleep") or "", tmp_path / NAME))


@contextmanager
def running(program: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([program, "1000"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def life(project: Path) -> Iterator[tuple[Monitor, Hints]]:
    """Give a monitor at work and its hints, in a thread as in a process of its own, that has looked at all once."""
    session = Session(stack_path=project / "stack.yaml", env=None)
    with started(session, Request(face="check")) as monitor, hints_of(monitor, session) as hints:
        thread = threading.Thread(target=monitor.run)
        thread.start()
        try:
            until(lambda: all(each.looked is not None for each in looks(monitor)), "the first look at all")
            yield monitor, hints
        finally:
            monitor.end()
            thread.join()


def looks(monitor: Monitor) -> list:
    return [monitor.book.statuses[id] for id, each in [*monitor.book.subjects.items()] if each.looked_at]


def begun(desk: Desk) -> dict[str, float | None]:
    return {id: desk.monitor.book.asked[id].begun for id in (THERE, FULL)}


def test_a_hint_makes_a_look_due_and_changes_no_state(desk: Desk):
    book = desk.monitor.book
    before = dict(book.statuses)
    desk.clock.now += 5
    book.hint([THERE, "features/x.feature#none@here"], desk.monitor.timepiece.now())
    assert book.statuses == before
    assert not book.changes, "nothing of it is written, and nobody told"
    first = begun(desk)
    desk.after(0)
    assert begun(desk) == first | {THERE: desk.monitor.timepiece.now().steady}, "that one alone"
    assert desk.handed == []


def test_a_host_is_looked_at_for_hints_once_a_second_at_most(desk: Desk):
    now = desk.monitor.timepiece.now
    desk.clock.now += 5
    begin = now().steady
    book, seen = desk.monitor.book, set()
    for _ in range(100):  # ten a second for ten seconds, of one result or of the other
        book.hint([THERE], now())
        desk.after(0)
        book.hint([FULL], now())
        desk.after(0.1)
        seen |= {time for time in begun(desk).values() if time is not None and time >= begin}
    times = sorted(round(time - begin, 3) for time in seen)
    assert len(times) in (10, 11)
    assert all(later - sooner >= 0.999 for sooner, later in pairwise(times))


def test_what_is_hinted_while_it_is_looked_at_is_looked_at_again(desk: Desk):
    book, now = desk.monitor.book, desk.monitor.timepiece.now
    desk.clock.now += 5
    book.begin([THERE], now(), now().steady + 60)
    desk.clock.now += 0.5
    book.hint([THERE], now())
    book.end([THERE], now())
    assert book.agenda.time_of(THERE) == now().steady + 0.5, "a second after the look that may have missed it"


def test_a_thousand_hints_are_one_word_to_the_loop(desk: Desk):
    hints = Hints(desk.monitor, {})
    for _ in range(1000):
        hints.tell(Hint("here"))
        hints.tell(Hint("nobody"))
        hints.tell(Hint("", PROCESS, "none"))
    assert desk.monitor.inbox.qsize() == 1
    desk.clock.now += 5
    desk.after(0)
    assert set(begun(desk).values()) == {desk.monitor.timepiece.now().steady}


class Torn:
    """A source that hears nothing for long."""

    def __init__(self) -> None:
        self.begun, self.ended = 0, threading.Event()

    def run(self, told: Callable[[Hint], None]) -> None:
        self.begun += 1
        told(Hint("here"))
        if self.begun < 4:
            raise ProviderError("the engine is gone")
        self.ended.wait()

    def end(self) -> None:
        self.ended.set()


def test_a_source_that_hears_no_more_is_begun_again_and_told_once(desk: Desk, caplog: pytest.LogCaptureFixture):
    source = Torn()
    with Hints(desk.monitor, {"provider": source}, pause=0.001):
        until(lambda: source.begun == 4, "it is begun again")
    told = "monitor: hints: provider: the engine is gone; what is looked at is looked at in time"
    assert [record.getMessage() for record in caplog.records] == [told]


def test_a_process_that_ends_is_heard_of_by_the_kernel(program: Path):
    names = [NAME, "nobody-has-this"]
    source = Processes(lambda: names, scan=1000.0)
    with running(program) as first, running(program) as second, hearing(source) as came:
        until(lambda: len(source._held) == 2, "both are known")
        first.kill()
        assert came.get(timeout=LONG) == Hint("", PROCESS, NAME)
        first.wait()
        until(lambda: [*source._held] == [second.pid], "the other one is known still")
        second.kill()
        assert came.get(timeout=LONG) == Hint("", PROCESS, NAME)
    assert source._held == {}


def test_a_process_that_begins_is_heard_of_with_the_next_scan(program: Path):
    source = Processes(lambda: [NAME], scan=0.05)
    with hearing(source) as came:
        until(lambda: source._seen, "a first scan")
        with running(program):
            assert came.get(timeout=LONG) == Hint("", PROCESS, NAME)


@contextmanager
def bus(folder: Path, says: bytes) -> Iterator[str]:
    """A system bus that lets anybody in, takes what is asked, and then says this and no more; give its address."""
    address = str(folder / "bus")
    with socket.create_server(address, family=socket.AF_UNIX) as listener:

        def serve() -> None:
            with listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(says)

        threading.Thread(target=serve, daemon=True).start()
        yield address


@pytest.mark.parametrize("says", [b"", b"REJECTED EXTERNAL\r\n", b"OK 1\r\n" + b"l" * 400])
def test_a_bus_that_says_nothing_that_is_understood_is_an_error_and_no_hint(tmp_path: Path, says: bytes):
    came: list[Hint] = []
    with bus(tmp_path, says) as address, pytest.raises(OSError, match=r"bus|Broken pipe|reset"):
        Units(lambda: ["ssh.service"], address).run(came.append)
    assert came == []


def test_a_monitor_sees_at_once_that_a_process_is_gone(tmp_path: Path, program: Path):
    project = small_project.write(tmp_path, {"stack.yaml": WATCHED, "features/x.feature": RUNS})
    with running(program) as process, life(project) as (monitor, _):
        book = monitor.book
        assert (book.statuses[RUNNING].state, book.asked[ELSE].hint) == ("ok", None)
        process.kill()
        process.wait()
        until(lambda: book.statuses[RUNNING].state == "critical", "it is looked at again, a day before its time")
        assert book.asked[ELSE].hint is None, "what does not look at it waits for its time"


def test_what_could_never_give_a_hint_is_refused(tmp_path: Path):
    hosts = "hosts: {a: {address: 192.0.2.1}}"
    for hint, words in (
        (
            "processes",
            "{folder}/stack.yaml:4: monitor.hints: processes are those of this machine, and no host of this",
        ),
        ("units", "{folder}/stack.yaml:4: monitor.hints: units are those of this machine"),
        ("provider", "{folder}/stack.yaml:4: monitor.hints: provider: existing says nothing of its hosts by itself"),
    ):
        text = f"stack: s\nprovider: existing\n{hosts}\nmonitor: {{hints: [{hint}]}}\n"
        project = small_project.write(tmp_path / hint, {"stack.yaml": text, "features/x.feature": RUNS})
        with pytest.raises(UserError) as raised, life(project):
            pass
        assert str(raised.value).startswith(words.format(folder=project)), raised.value


def test_who_reads_the_project_anew_cannot_change_what_gives_hints(tmp_path: Path):
    project = small_project.write(tmp_path, {"stack.yaml": WATCHED, "features/x.feature": RUNS})
    with life(project) as (monitor, _):
        (project / "stack.yaml").write_text(WATCHED.replace("hints: [processes], ", ""))
        monitor.reading()(monitor)
        assert "`hints` are others: begin the monitor anew" in monitor.book.results["monitor#project@-"].reason


def test_a_program_that_is_listened_to_ends_with_its_listener():
    with listened(["sh", "-c", "echo $$; exec sleep 1000"]) as lines:
        pid = int(next(iter(lines)))
        assert Path(f"/proc/{pid}").exists()
        lines.end()
        assert list(lines) == []
    until(lambda: not alive(pid), "it has ended")


def test_a_program_that_is_listened_to_ends_with_a_listener_that_is_killed():
    script = (
        "import sys; from infratest.local_program import listened\n"
        "with listened(['sh', '-c', 'echo $$; exec sleep 1000']) as lines:\n"
        "    [print(line, flush=True) for line in lines]\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    until(lambda: not alive(pid), "it has ended")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_engine_that_is_not_there_says_so_and_no_more():
    gone = Engine(kind=DOCKER, program="docker", environment={"DOCKER_HOST": "unix:///there/is/none.sock"})
    with Events(gone, "infratest.state=x") as said, pytest.raises(ProviderError, match=r"^docker tells no more events"):
        list(said)


@pytest.mark.parametrize(
    ("event", "host"),
    [
        # As docker 20.10 writes them, and podman 4.3; a look by the engine itself is an event as well.
        ({"Type": "container", "Action": "die", "Actor": {"ID": "1", "Attributes": {HOST_LABEL: "web"}}}, "web"),
        ({"Type": "container", "Status": "died", "ID": "1", "Attributes": {HOST_LABEL: "web"}}, "web"),
        ({"Type": "container", "Action": "exec_start: sh", "Actor": {"Attributes": {HOST_LABEL: "web"}}}, ""),
        ({"Type": "container", "Action": "die", "Actor": {"ID": "1", "Attributes": {}}}, ""),
        ({"Type": "container", "Action": "die", "Actor": {"ID": "1", "Attributes": None}}, ""),
        ({"Action": "die", "Actor": "odd"}, ""),
        (["odd"], ""),
    ],
)
def test_which_host_an_event_is_about(event, host):
    assert _host(event) == host


@pytest.mark.hosts
@pytest.mark.timeout(900)
def test_a_monitor_sees_at_once_that_the_engine_has_stopped_a_host(tmp_path: Path):
    stack = "stack: hinted\nprovider: container\nhosts: {a: {}, b: {}}\n" + WATCHED[WATCHED.index("monitor:") :]
    feature = 'Feature: f\n  Scenario: root\n    Then the directory "/" exists\n'
    project = small_project.write(
        tmp_path, {"stack.yaml": stack.replace("[processes]", "[provider]"), "features/x.feature": feature}
    )
    found()
    try:
        assert small_project.run(project, "infratest", "up").returncode == 0
        (name,) = engine("ps", "--filter", "name=infratest-hinted-a-", "--format", "{{.Names}}").split()
        with life(project) as (monitor, hints):
            a, b, book = "features/x.feature#root@a", "features/x.feature#root@b", monitor.book
            until(lambda: hints._sources["provider"]._heard is not None, "the engine is listened to")
            engine("kill", name)
            until(
                lambda: book.statuses[reachable_id("a")].state == "critical", "it is looked at, a day before its time"
            )
            assert book.asked[b].hint is None
            before = book.asked[a].hint
            engine("start", name)
            until(lambda: book.asked[a].hint > before, "it is looked at once more")
    finally:
        small_project.run(project, "infratest", "destroy")
