"""The queue of a sender: it delays nobody, tries again, loses the oldest where it must, and says what it lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event as Flag
from types import SimpleNamespace

from infratest.deadline import Deadline
from infratest.errors import SendError
from infratest.gherkin.suite import Scenario
from infratest.model import Result
from infratest.monitor.monitor import PROJECT
from infratest.monitor.sending import DEAD, Sending, Way
from infratest.monitor.start import started
from infratest.plan.tasks import Task
from infratest.project.exported import service_names
from infratest.project.prepare import Request
from infratest.project.session import Session
from infratest.senders.base import Handed, Seen, Sender
from infratest.testing.waiting import wait_until
from tests.intakes.listening import Listening, listening
from tests.monitor.test_monitor import THERE, project  # noqa: F401 - a fixture
from tests.senders.seen import LONG, NOW, number, result


class Tool(Sender):
    """Another tool, that is away until it is let in, and cannot hold what is called so."""

    at_once = 10

    def __init__(self, there: bool = True) -> None:
        super().__init__(None, Path())
        self.there, self.calls = Flag(), 0
        self.error: str = ""
        self.keys: list[str] = []
        if there:
            self.there.set()

    def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
        self.calls += 1
        self.there.wait(LONG)
        if self.error:
            raise SendError(self.error)
        kept = [each.events[0].key for each in seen if "odd" not in each.events[0].key]
        self.keys += kept
        return Handed(len(seen), len(seen) - len(kept), "odd is no name")


def some(count: int, begin: int = 0) -> list[Seen]:
    return [number(f"n.{begin + each}") for each in range(count)]


def test_all_arrives_in_its_order_some_at_once():
    tool = Tool()
    way = Way(tool)
    way.offer(some(25))
    assert wait_until(lambda: way.figures.sent == 25, LONG)
    assert tool.keys == [f"n.{each}" for each in range(25)]
    assert way.judged() == ("ok", "")
    way.end(Deadline(LONG))


def test_one_that_hangs_holds_nobody_up_and_the_oldest_is_lost_counted_and_told():
    tool = Tool(there=False)
    way = Way(tool, most=100)
    way.offer(some(1))
    assert wait_until(lambda: tool.calls == 1, LONG)
    way.offer(some(500, 1))  # returns while the tool hangs
    figures = way.figures
    assert (figures.waiting, figures.lost, figures.sent) == (100, 401, 0)
    state, reason = way.judged()
    assert state == "critical"
    assert "401 results lost since the monitor began" in reason
    tool.there.set()
    assert wait_until(lambda: way.figures.sent == 100, LONG)
    assert tool.keys == ["n.0", *(f"n.{each}" for each in range(402, 501))]
    way.end(Deadline(LONG))


def test_what_is_not_taken_is_sent_again_and_told():
    tool = Tool()
    tool.error = "nobody is there"
    way = Way(tool, pause=0.01)
    way.offer(some(3))
    assert wait_until(lambda: tool.calls >= DEAD, LONG)
    assert wait_until(lambda: way.judged()[0] == "critical", LONG)
    assert "nobody is there" in way.judged()[1]
    tool.error = ""
    assert wait_until(lambda: way.figures.sent == 3, LONG)
    assert tool.keys == ["n.0", "n.1", "n.2"]
    assert way.judged() == ("ok", "")
    way.end(Deadline(LONG))


def test_what_it_cannot_hold_is_a_warning_and_counted():
    way = Way(Tool())
    way.offer([number("odd"), number("n.1")])
    assert wait_until(lambda: way.figures.sent == 1, LONG)
    assert way.figures.left == 1
    state, reason = way.judged()
    assert state == "warning"
    assert "1 result left out since the monitor began: odd is no name" in reason
    all_ = Sending({"tool": way}, "shop", "prod")
    (event,) = all_.losses(100.0, NOW)
    assert (event.key, event.value) == ("shop.prod.-.monitor.send.left.tool", 1.0)
    assert all_.losses(101.0, NOW) == []  # a minute is not over
    assert all_.losses(1000.0, NOW) == []  # nothing more
    (told,) = all_.results()
    assert (told.id, told.state) == ("monitor#send/tool@-", "warning")
    all_.end(LONG)


def test_the_end_waits_for_what_waits_and_not_for_a_tool_that_is_away():
    tool = Tool()
    way = Way(tool)
    way.offer(some(50))
    way.end(Deadline(LONG))
    assert len(tool.keys) == 50
    away = Tool()
    away.error = "nobody is there"
    way = Way(away)
    way.offer(some(1))
    assert wait_until(lambda: away.calls, LONG)
    way.end(Deadline(LONG))
    assert away.keys == []


class Project:
    """What is watched, by these senders."""

    tasks: Mapping[str, Task] = {}
    prepared = SimpleNamespace(plan=SimpleNamespace(hosts={}), scenarios=())

    def __init__(self, **senders: Sender) -> None:
        self.senders = {name: (None, sender) for name, sender in senders.items()}


def test_senders_that_are_declared_anew_keep_their_queue_or_lose_it_counted(caplog):
    kept, gone, new = Tool(there=False), Tool(), Tool()
    gone.error = "nobody is there"
    all_ = Sending({}, "shop", "prod")
    all_.watch(Project(a=gone, b=kept))
    looked = [(result(), NOW), (result(), NOW + 1)]
    all_.offer(looked, [])
    assert wait_until(lambda: kept.calls and gone.calls, LONG)
    all_.losses(0.0, NOW)
    all_.watch(Project(a=kept, c=new))  # its place in the file is another one now
    assert [*all_.figures()] == ["a", "c"]
    assert all_.figures()["a"].waiting == 2, "it hangs, and misses nothing"
    all_.offer([(result(), NOW + 2)], [])
    kept.there.set()
    assert wait_until(lambda: (all_.figures()["a"].sent, all_.figures()["c"].sent) == (3, 1), LONG)
    assert wait_until(lambda: "a is in `send` no longer: 2 results that waited for it lost" in caplog.text, LONG)
    (event,) = all_.losses(100.0, NOW)
    assert (event.key, event.value) == ("shop.prod.-.monitor.send.lost.a", 2.0)
    assert all_.losses(200.0, NOW) == []
    assert len(gone.keys) == 0
    all_.end(LONG)


STATE = "one.-.here.x.there.state"


def line(*ports: int) -> str:
    return "  send: [" + ", ".join(f'{{graphite: "127.0.0.1:{port}"}}' for port in ports) + "]\n"


def test_a_change_of_send_is_taken_in_by_a_reload_or_refused_aloud(project, caplog):  # noqa: F811
    stack = project / "stack.yaml"
    text = stack.read_text()
    with listening("graphite") as one, listening("graphite") as two:
        stack.write_text(text + line(one.port))
        with started(Session(stack_path=stack), Request(face="check")) as monitor:

            def arrives_at(here: Listening) -> None:
                before = len(here.events)

                def seen(here: Listening) -> bool:
                    monitor.book.hint([THERE], monitor.timepiece.now())
                    monitor.turn(0.1)
                    return any(event.key == STATE for event in here.events[before:])

                here.until(seen)

            arrives_at(one)
            way = monitor.sending.ways["graphite"]  # type: ignore[union-attr]
            stack.write_text(text + line(two.port, one.port))
            monitor.reload()
            assert {"monitor#send/graphite@-", "monitor#send/graphite-2@-"} <= monitor.book.subjects.keys()
            assert monitor.sending.ways["graphite-2"] is way  # type: ignore[union-attr]
            arrives_at(two)
            arrives_at(one)
            stack.write_text(text + line(two.port).replace("graphite", "grafite"))
            monitor.reload()
            assert "could not be read anew" in caplog.text
            assert "grafite" in caplog.text
            assert monitor.book.statuses[PROJECT].state == "unknown"
            arrives_at(two)
            stack.write_text(text)
            monitor.reload()
            assert monitor.sending.figures() == {}  # type: ignore[union-attr]
            assert "monitor#send/graphite@-" not in monitor.book.subjects


def task(feature: str, name: str, host: str, row: int | None = None) -> Task:
    return Task(Scenario(feature, "f", name, 1, row=row), host)


def test_a_service_keeps_its_name_when_the_last_host_of_another_goes_or_is_skipped():
    tasks = [task("a.feature", "one", "web-1"), task("b.feature", "one", "db")]
    known = [each.scenario for each in tasks]
    assert service_names(tasks, known) == {"a.feature#one@web-1": "a.feature#one", "b.feature#one@db": "b.feature#one"}
    assert service_names(tasks[:1], known) == {"a.feature#one@web-1": "a.feature#one"}
    assert service_names(tasks[:1], known[:1]) == {"a.feature#one@web-1": "one"}


def test_services_have_the_names_of_the_export_and_rows_are_one():
    kept: list[Seen] = []

    class Keeping(Tool):
        def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
            kept.extend(seen)
            return Handed(len(seen))

    all_ = Sending({"tool": Way(Keeping())}, "shop", "prod")
    tasks = [task("a.feature", "one", "web-1"), task("b.feature", "one", "web-1"), task("a.feature", "two", "-"),
             task("a.feature", "rows", "web-1", 1), task("a.feature", "rows", "web-1", 2)]  # fmt: skip
    all_.name(tasks, ["web-1"], [each.scenario for each in tasks])
    ids = [*(each.id for each in tasks), "reachable@web-1", "monitor#project@-"]
    states = ["ok", "ok", "ok", "critical", "ok", "ok", "ok"]
    looked: list[tuple[Result, float]] = [
        (result(state, id=id, host=id.rpartition("@")[2]), NOW) for id, state in zip(ids, states, strict=True)
    ]
    all_.offer(looked, [])
    all_.end(LONG)
    services = [None if each.service is None else (each.service.host, each.service.name, each.service.state)
                for each in kept]  # fmt: skip
    assert services == [
        ("web-1", "a.feature#one", "ok"), ("web-1", "b.feature#one", "ok"), ("infratest-shop-prod", "two", "ok"),
        ("web-1", "rows", "critical"), ("web-1", "rows", "critical"), ("web-1", "", "ok"), None,
    ]  # fmt: skip
