"""The monitor's loop on a real project of this machine, with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from infratest.alerting.ledger import Notice
from infratest.alerting.moments import Anchor, Moment
from infratest.clock import Clock
from infratest.errors import StateError, StoreDamaged, UnknownName
from infratest.monitor import answers, post
from infratest.monitor.book import UNSENT, Book
from infratest.monitor.changes import Changes
from infratest.monitor.memory import Memory
from infratest.monitor.monitor import PROJECT, Monitor, Outcome
from infratest.monitor.start import Project
from infratest.monitor.timepiece import Timepiece
from infratest.monitor.writing import Store
from infratest.plan.digest import digests
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.receivers.base import Message
from tests.worlds import small_project

FEATURE = """\
Feature: f
  Scenario: there
    Then the file "{there}" exists
  Scenario: full
    Then the disk "/" is less than 101 % full
"""
THERE, FULL = "features/x.feature#there@here", "features/x.feature#full@here"


class HandClock(Clock):
    """Time that is moved by hand, and waits for nobody."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return 1_764_432_000.0 + self.now

    def monotonic(self) -> float:
        return 50.0 + self.now


class Shelf:
    """A store that keeps what it is given in order, and may be full."""

    def __init__(self) -> None:
        self.written: list[Changes] = []
        self.full, self.ours, self.renewed = False, True, 0
        self.damage, self.untended, self.begun_anew = "", "", 0
        self.aside: tuple[str, ...] = ()
        self.overgrown = ""

    def write(self, changes: Changes, anchor: Anchor) -> None:
        if self.full:
            raise StateError("monitor.db: no space left on device")
        if self.damage:
            raise StoreDamaged(self.damage)
        self.written.append(changes)

    def begin_anew(self, whole: Changes, anchor: Anchor) -> None:
        self.begun_anew += 1
        self.write(whole, anchor)

    def renew(self) -> None:
        self.renewed += 1

    def tend(self, now: Moment, states: Mapping[str, str]) -> None:
        self.states = dict(states)
        if self.untended:
            raise StateError(self.untended)


class Desk:
    """A monitor at work, and what its receiver was handed.

    Args:
        store: where what it knows is kept; its `shelf` without one. kept: by an earlier life. clock: of that.
    """

    def __init__(
        self,
        project: Path,
        store: Store | None = None,
        kept: tuple[Memory, Anchor | None] = (Memory(), None),
        clock: HandClock | None = None,
    ) -> None:
        self.clock, self.shelf, self.handed = clock or HandClock(), Shelf(), []
        self.outcome = "delivered"
        self.project = project
        timepiece, book = Timepiece(kept[1], self.clock, boot="one"), Book(kept[0])
        self.monitor = Monitor(self.read(), book, store or self.shelf, timepiece, self.hand_over, self.read, size=2)

    def read(self) -> Project:
        return Project.project(Session(stack_path=self.project / "stack.yaml"), Request(face="check"))

    def hand_over(self, message: tuple[Notice, ...]) -> None:
        self.handed += [(each.kind, each.level, each.id, each.reason) for each in message]
        self.monitor.inbox.put(Outcome(message, self.outcome))

    def after(self, seconds: float) -> Desk:
        """Move the clock, have what is due looked at, and what follows told."""
        self.clock.now += seconds
        self.monitor.turn(0)
        while any(asked.until is not None for asked in self.monitor.book.asked.values()):
            self.monitor.turn(20)
        self.monitor.turn(0)  # what was handed over has its answer now
        return self


STACK = """\
stack: one
provider: local
hosts: {here: {}}
monitor:
  attempts: 2
  flap: off
  receivers:
    oncall: {webhook: {url: "http://127.0.0.1:9/"}}
  tell: [{to: oncall}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    there = tmp_path / "there"
    there.touch()
    small_project.write(
        tmp_path,
        {
            "stack.yaml": STACK,
            "features/x.feature": FEATURE.format(there=there),
        },
    )
    return tmp_path


def test_a_failure_is_soft_then_hard_then_told_then_over(project: Path):
    desk = Desk(project).after(0)
    statuses = desk.monitor.book.statuses
    assert [statuses[id].seen for id in (THERE, FULL)] == ["ok", "ok"]
    (project / "there").unlink()
    desk.after(90)
    assert (statuses[THERE].state, statuses[THERE].soft, desk.handed) == ("ok", True, [])
    desk.after(15)
    assert (statuses[THERE].state, statuses[THERE].soft) == ("critical", False)
    ((kind, level, id, reason),) = desk.handed
    assert (kind, level, id) == ("problem", "critical", THERE)
    assert "there" in reason
    (project / "there").touch()
    desk.after(90)
    assert [each[:3] for each in desk.handed[1:]] == [("recovery", "ok", THERE)]
    told = [each.outcome for changes in desk.shelf.written for each in changes.deliveries]
    assert told == ["queued", "attempted", "delivered"] * 2
    numbers = [each for changes in desk.shelf.written for each in changes.numbers]
    assert {each.result.id for each in numbers} >= {FULL}
    assert all(0 < each.value <= 100 for each in numbers if each.result.id == FULL)


def test_an_attempt_is_written_before_anything_is_handed_over(project: Path):
    desk = Desk(project)
    written = []
    desk.monitor._hand_over = lambda message: written.append(  # what was written when it is handed over
        [each.outcome for changes in desk.shelf.written for each in changes.deliveries]
    )
    (project / "there").unlink()
    desk.after(0).after(15)
    assert written == [["queued", "attempted"]]


def test_a_full_disk_stops_neither_checks_nor_tellings_and_nothing_is_lost(project: Path, caplog):
    desk = Desk(project).after(0)
    desk.shelf.full = True
    (project / "there").unlink()
    desk.after(90).after(15)
    assert [each[:2] for each in desk.handed] == [("problem", "critical")]
    assert [record.message for record in caplog.records] == ["monitor.db: no space left on device"], "told once"
    desk.shelf.full = False
    desk.after(5)
    told = [each.outcome for changes in desk.shelf.written for each in changes.deliveries]
    assert told == ["queued", "attempted", "delivered"]


def test_a_broken_feature_leaves_the_old_ones_watched_and_is_told(project: Path):
    desk = Desk(project).after(0)
    (project / "features" / "x.feature").write_text("Feature: f\n  Scenary: there\n")
    desk.monitor.reload()
    desk.after(90)
    assert desk.monitor.book.statuses[THERE].seen == "ok"
    ((kind, level, id, reason),) = desk.handed
    assert (kind, level, id) == ("problem", "unknown", PROJECT)
    assert "x.feature:2" in reason
    text = FEATURE.format(there=project / "there").replace("Scenario: full", "Scenario: room")
    (project / "features" / "x.feature").write_text(text)
    desk.monitor.reload()
    desk.after(90)
    assert desk.handed[-1][:3] == ("recovery", "ok", PROJECT)
    assert FULL not in desk.monitor.book.statuses
    assert desk.monitor.book.statuses["features/x.feature#room@here"].seen == "ok"


def test_a_receiver_that_refuses_is_told_to_nobody_but_by_itself_known(project: Path):
    desk = Desk(project)
    desk.outcome = "refused"
    (project / "there").unlink()
    desk.after(0).after(15)
    for _ in range(3):
        desk.after(50)
    statuses = desk.monitor.book.statuses
    assert statuses["monitor#receiver/oncall@-"].state == "critical"
    assert {each[2] for each in desk.handed} == {THERE}
    desk.outcome = "delivered"
    desk.after(100)
    assert statuses["monitor#receiver/oncall@-"].state == "ok"


def test_what_was_not_looked_at_yet_is_not_known_and_what_is_wrong_is_told_with_who_knows(project: Path):
    desk = Desk(project)
    book, timepiece = desk.monitor.book, desk.monitor.timepiece
    assert answers.status(book, timepiece.now())["state"] == "unknown"
    assert answers.status(book, timepiece.now())["counts"] == {"unknown": 3, "ok": 2}
    desk.after(0)
    assert answers.status(book, timepiece.now()) == {"state": "ok", "counts": {"ok": 5}, "results": []}
    assert answers.problems(book, timepiece.now()) == {"state": "ok", "problems": []}
    (project / "there").unlink()
    desk.after(90)
    soft = answers.status(book, timepiece.now())
    assert soft["state"] == "ok"
    assert [(each["id"], each["state"], each["soft"], each["failures"]) for each in soft["results"]] == [
        (THERE, "ok", True, "1 of 2")
    ]
    desk.after(15)
    (problem,) = answers.problems(book, timepiece.now())["problems"]
    assert (problem["id"], problem["state"], problem["blocks"]) == (THERE, "critical", [])
    assert problem["told"] == [
        {"receiver": "oncall", "level": "critical", "on_its_way": None, "tries": 0, "doubtful": False}
    ]
    whole = answers.result(book, THERE, timepiece.now())
    assert whole["looked_at"] == timepiece.now().wall
    assert whole["evidence"][0]["state"] == "critical"
    soonest = answers.due(book, timepiece.now())
    assert [each["id"] for each in soonest] == sorted([THERE, FULL], key=lambda id: (book.agenda.time_of(id), id))
    with pytest.raises(UnknownName, match="did you mean"):
        answers.result(book, THERE + "x", timepiece.now())


def test_what_is_told_of_retry_is_what_is_done(project: Path):
    """Nothing that failed is looked at less often than what did not: the interval bounds `retry`, 15 s by itself."""
    (project / "stack.yaml").write_text(STACK.replace("  attempts: 2\n", "  attempts: 2\n  interval: 4s\n"))
    desk = Desk(project).after(0)
    book = desk.monitor.book
    (project / "there").unlink()
    desk.after(6)
    assert book.statuses[THERE].soft
    told = answers.result(book, THERE, desk.monitor.timepiece.now())["policy"]
    assert (told["interval"], told["retry"]) == (4.0, 4.0)
    desk.after(4)
    assert book.statuses[THERE].state == "critical"


def test_what_was_seen_last_is_answered_until_it_is_stale(project: Path):
    desk = Desk(project).after(0)
    (project / "there").unlink()
    desk.after(60)
    book, now = desk.monitor.book, desk.monitor.timepiece.now
    both = {THERE: "", FULL: ""}
    found = answers.latest(book, both, now())
    assert (found["missing"], [one["state"] for one in found["results"]], found["age"]) == ("", ["critical", "ok"], 0)
    assert found["results"][0]["since"] == desk.clock.time(), "since it was seen: it is not confirmed"
    desk.clock.now += 119
    assert answers.latest(book, both, now())["missing"] == ""
    desk.clock.now += 2
    assert answers.latest(book, both, now())["missing"] == f"what the monitor knows of {THERE} is 121 s old"
    assert answers.latest(book, {"x#y@-": ""}, now())["missing"] == "the monitor does not watch x#y@-"


def test_what_was_seen_of_what_is_asked_no_longer_is_no_answer(project: Path):
    desk = Desk(project).after(0)
    book, now, feature = desk.monitor.book, desk.monitor.timepiece.now, project / "features" / "x.feature"

    def missing() -> str:
        plan = prepare(Session(stack_path=project / "stack.yaml"), Request(face="check")).plan
        return str(answers.latest(book, digests(plan), now())["missing"])

    assert missing() == ""
    feature.write_text(feature.read_text().replace("101 %", "1 %"))
    changed = f"the monitor watches {FULL} as it was before its files changed (HUP reads them anew), or by another -D"
    assert missing() == changed
    desk.clock.now += 1
    desk.monitor.reload()
    assert missing() == f"the monitor has not looked at {FULL} yet", "what it has seen is by the limit of before"
    assert answers.latest(book, {THERE: ""}, now())["missing"] == "", "and of what did not change it is known"
    desk.after(120)
    assert (missing(), book.results[FULL].state) == ("", "critical")


def test_a_loop_that_stood_still_has_not_missed_what_nobody_could_see(project: Path, monkeypatch):
    desk = Desk(project).after(0)
    statuses = desk.monitor.book.statuses
    for _ in range(3):
        desk.after(130)  # as where the process is stopped, or the disk holds up a turn
    assert desk.handed == []
    monkeypatch.setattr(desk.monitor._crew, "send", lambda errand: None)  # from here on nothing comes
    for seconds in (4, 130, 119):
        desk.clock.now += seconds
        desk.monitor.turn(0)
        assert (statuses[THERE].state, desk.handed) == ("ok", [])
    desk.clock.now += 6
    desk.monitor.turn(0)
    assert (statuses[THERE].state, statuses["reachable@here"].state) == ("unknown", "unknown"), "once, and no more"


def test_of_two_readings_the_one_that_began_last_counts(project: Path):
    desk, file = Desk(project).after(0), project / "features" / "x.feature"
    text = file.read_text()
    slow = desk.monitor.reading()  # its provider takes its time
    file.write_text(text.replace("Scenario: full", "Scenario: room"))
    quick = desk.monitor.reading()
    quick(desk.monitor)
    slow(desk.monitor)
    assert "features/x.feature#room@here" in desk.monitor.book.subjects
    slow = desk.monitor.reading()
    file.write_text("Feature: f\n  Scenary: there\n")
    quick = desk.monitor.reading()
    desk.clock.now += 1
    slow(desk.monitor)
    desk.clock.now += 1
    quick(desk.monitor)
    assert desk.monitor.book.statuses[PROJECT].state == "unknown"


def test_what_could_not_be_read_anew_is_over_where_a_later_life_has_read_it(project: Path):
    desk, file = Desk(project).after(0), project / "features" / "x.feature"
    whole = file.read_text()
    file.write_text("Feature: f\n  Scenary: there\n")
    desk.clock.now += 1
    desk.monitor.reload()
    desk.after(1)
    assert [each[:3] for each in desk.handed] == [("problem", "unknown", PROJECT)]
    file.write_text(whole)
    book = desk.monitor.book
    memory = Memory(dict(book.statuses), dict(book.results), dict(book.entries), dict(book.sent))
    desk.clock.now += 1
    later = Desk(project, kept=(memory, desk.monitor.timepiece.anchor()), clock=desk.clock).after(1)
    assert [each[:3] for each in later.handed] == [("recovery", "ok", PROJECT)]


def test_a_receiver_that_goes_with_a_message_in_hand_leaves_the_monitor_at_work(project: Path, monkeypatch):
    desk, held = Desk(project), []
    monkeypatch.setattr(desk.monitor, "_hand_over", held.append)  # it hangs
    (project / "there").unlink()
    desk.after(0).after(15)
    ((notice,),) = held
    stack = project / "stack.yaml"
    stack.write_text(stack.read_text().replace("oncall", "pager"))
    desk.monitor.reload()
    desk.after(2)
    desk.monitor.inbox.put(Outcome((notice,), "lost", "it did not answer in time"))
    desk.after(1)
    assert [each.receiver for message in held for each in message] == ["oncall", "pager"]


def test_while_another_one_may_tell_nobody_is_told_or_blamed_and_all_is_told_at_once_after(project: Path):
    desk = Desk(project)
    desk.shelf.ours = False
    (project / "there").unlink()
    desk.after(0).after(15)
    for _ in range(5):
        desk.after(61)
    (entry,) = desk.monitor.book.entries.values()
    assert (desk.handed, entry.tries, entry.unsure) == ([], 0, False)
    desk.shelf.ours = True
    desk.after(1)
    assert [each[:3] for each in desk.handed] == [("problem", "critical", THERE)]


def test_a_message_is_not_handed_over_where_another_one_may_tell():
    found: list[tuple[str, str, float]] = []
    message = Message(stack="one", env="", sent=0.0, items=())
    post.deliver(None, message, lambda *came: found.append(came), ours=lambda: False).join(60)
    assert found == [(UNSENT, post.NOT_OURS, 0.0)]
