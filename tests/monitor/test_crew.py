"""Threads that look at hosts: so many at once, one for each host, and none that hangs holds up another host."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from infratest.alerting.moments import Moment
from infratest.errors import TransportError
from infratest.monitor.crew import Crew, Errand, Findings

NOW = Moment(0.0, 0.0)


def errand(unit: str, *ids: str) -> Errand:
    return Errand(unit, ids or (f"s@{unit}",), NOW)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> Moment:
        return Moment(self.time, self.time)


def test_a_host_that_hangs_holds_up_no_other_and_is_looked_at_by_one_alone():
    go_on, began, at_once, most = threading.Event(), threading.Event(), [], []
    done: SimpleQueue[Findings] = SimpleQueue()

    def look(which: Errand) -> Findings:
        at_once.append(which.unit)
        if which.unit == "hangs":
            began.set()
        most.append(at_once.count(which.unit))
        if which.unit == "hangs":
            assert go_on.wait(60)
        at_once.remove(which.unit)
        return Findings(which)

    crew = Crew(4, look, done.put, Hands())
    crew.send(errand("hangs", "a"))
    assert began.wait(60)
    for ids in (("b", "c"), ("c", "a"), ("d",)):
        crew.send(errand("hangs", *ids))
    for number in range(20):
        crew.send(errand(f"web-{number}"))
    others = {done.get(timeout=60).errand.unit for _ in range(20)}
    assert others == {f"web-{number}" for number in range(20)}
    assert crew.busy("hangs")
    assert crew.queued == 1, "however often it is to be looked at"
    go_on.set()
    assert [done.get(timeout=60).errand.ids for _ in range(2)] == [("a",), ("b", "c", "d")]
    assert max(most) == 1, "one host was looked at by two threads at once"
    crew.end()


def test_no_more_threads_than_said():
    go_on, began = threading.Event(), SimpleQueue()
    done: SimpleQueue[Findings] = SimpleQueue()

    def look(which: Errand) -> Findings:
        began.put(which.unit)
        assert go_on.wait(60)
        return Findings(which)

    crew = Crew(3, look, done.put, Hands())
    for number in range(8):
        crew.send(errand(f"web-{number}"))
    first = {began.get(timeout=60) for _ in range(3)}
    assert len(first) == 3
    assert began.empty()
    assert crew.queued == 5
    go_on.set()
    assert len([done.get(timeout=60) for _ in range(8)]) == 8
    crew.end()


def test_what_goes_wrong_is_said_of_all_that_was_asked():
    done: SimpleQueue[Findings] = SimpleQueue()

    def look(which: Errand) -> Findings:
        if which.unit == "gone":
            raise TransportError("gone: connection refused")
        raise ZeroDivisionError("division by zero")

    crew = Crew(1, look, done.put, Hands())
    crew.send(errand("gone", "a@gone", "b@gone"))
    crew.send(errand("odd"))
    errors = {found.errand.ids: found.error for found in (done.get(timeout=60), done.get(timeout=60))}
    assert errors["a@gone", "b@gone"] == "gone: connection refused"
    assert errors["s@odd",].startswith("a defect in infratest: ZeroDivisionError: division by zero (test_crew.py:")
    crew.end()


def test_after_the_end_nobody_begins():
    done: SimpleQueue[Findings] = SimpleQueue()
    crew = Crew(2, Findings, done.put, Hands())
    crew.end()
    crew.send(errand("web"))
    assert not crew.busy("web")
    assert (crew.queued, done.empty()) == (0, True)


def test_an_errand_begins_when_somebody_is_on_it_and_is_late_while_nobody_is():
    clock, began = Hands(), SimpleQueue()
    go_on = {name: threading.Event() for name in ("one", "two")}
    done: SimpleQueue[Findings] = SimpleQueue()

    def look(which: Errand) -> Findings:
        began.put(which)
        if which.unit in go_on:
            assert go_on[which.unit].wait(60)
        return Findings(which)

    def sent(unit: str, *ids: str) -> None:
        crew.send(Errand(unit, ids, clock()))

    crew = Crew(2, look, done.put, clock)
    sent("one", "a")
    sent("two", "a")
    assert {began.get(timeout=60).unit for _ in range(2)} == {"one", "two"}
    clock.time = 10.0
    assert crew.late(10.0) == 0.0, "nothing waits"
    sent("one", "a")
    clock.time = 30.0
    assert crew.late(30.0) == 20.0, "all hang: nobody has come back since"
    sent("three", "a")
    clock.time = 40.0
    sent("three", "a", "b")
    go_on["two"].set()
    assert done.get(timeout=60).errand.unit == "two"
    found = done.get(timeout=60).errand
    assert (found.ids, found.begun.steady) == (("a", "b"), 40.0)
    clock.time = 90.0
    assert (crew.queued, crew.late(90.0)) == (1, 0.0), "one host hangs, and others are looked at"
    sent("two", "a")
    sent("four", "a")
    assert {done.get(timeout=60).errand.unit for _ in range(2)} == {"two", "four"}
    go_on["one"].set()
    assert done.get(timeout=60).errand.begun.steady == 0.0
    sent("five", "a")
    assert done.get(timeout=60).errand.unit == "five"
    assert crew.queued == 0, "what was to be seen of the one that hung has been seen"
    crew.end()


def test_what_waits_for_somebody_is_late():
    clock, go_on, began = Hands(), threading.Event(), threading.Event()
    done: SimpleQueue[Findings] = SimpleQueue()

    def look(which: Errand) -> Findings:
        began.set()
        assert go_on.wait(60)
        return Findings(which)

    crew = Crew(1, look, done.put, clock)
    crew.send(Errand("one", ("a",), clock()))
    assert began.wait(60)
    clock.time = 5.0
    crew.send(Errand("two", ("a",), clock()))
    for time in (25.0, 70.0):
        clock.time = time
        crew.send(Errand("two", ("a",), clock()))
        assert crew.late(time) == time - 5.0
    go_on.set()
    assert [done.get(timeout=60).errand.begun.steady for _ in range(2)] == [0.0, 70.0]
    crew.end()
