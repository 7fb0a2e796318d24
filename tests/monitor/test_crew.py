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


def test_a_host_that_hangs_holds_up_no_other_and_is_looked_at_by_one_alone():
    go_on, at_once, most = threading.Event(), [], []
    done: SimpleQueue[Findings] = SimpleQueue()

    def look(which: Errand) -> Findings:
        at_once.append(which.unit)
        most.append(at_once.count(which.unit))
        if which.unit == "hangs":
            assert go_on.wait(60)
        at_once.remove(which.unit)
        return Findings(which)

    crew = Crew(4, look, done.put)
    for _ in range(3):
        crew.send(errand("hangs"))
    for number in range(20):
        crew.send(errand(f"web-{number}"))
    others = {done.get(timeout=60).errand.unit for _ in range(20)}
    assert others == {f"web-{number}" for number in range(20)}
    assert crew.busy("hangs")
    assert crew.queued == 2
    go_on.set()
    assert [done.get(timeout=60).errand.unit for _ in range(3)] == ["hangs"] * 3
    assert max(most) == 1, "one host was looked at by two threads at once"
    crew.end()


def test_no_more_threads_than_said():
    go_on, began = threading.Event(), SimpleQueue()
    done: SimpleQueue[Findings] = SimpleQueue()

    def look(which: Errand) -> Findings:
        began.put(which.unit)
        assert go_on.wait(60)
        return Findings(which)

    crew = Crew(3, look, done.put)
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

    crew = Crew(1, look, done.put)
    crew.send(errand("gone", "a@gone", "b@gone"))
    crew.send(errand("odd"))
    errors = {found.errand.ids: found.error for found in (done.get(timeout=60), done.get(timeout=60))}
    assert errors["a@gone", "b@gone"] == "gone: connection refused"
    assert errors["s@odd",].startswith("a defect in infratest: ZeroDivisionError: division by zero (test_crew.py:")
    crew.end()


def test_after_the_end_nobody_begins():
    done: SimpleQueue[Findings] = SimpleQueue()
    crew = Crew(2, Findings, done.put)
    crew.end()
    crew.send(errand("web"))
    assert not crew.busy("web")
    assert (crew.queued, done.empty()) == (0, True)
