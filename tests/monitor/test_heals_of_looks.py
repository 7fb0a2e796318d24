"""What a monitor hands to the heal engine, on a real project of this machine, with a clock that is moved by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from infratest import rfc3339
from infratest.alerting.downtime import Downtime, Fixed
from infratest.alerting.moments import Anchor
from infratest.alerting.subject import HEALS, Subject, of_receiver
from infratest.errors import Ended, UserError
from infratest.heal import proposals, verifying
from infratest.heal.means import NotKnown
from infratest.heal.pause import pause, resume
from infratest.heal.records import TRIED, HealRecord, applied
from infratest.model import Report
from infratest.monitor import around, healing
from infratest.monitor.crew import Errand, Findings
from infratest.monitor.healing import PATIENCE as IN_USE
from infratest.monitor.healing import Healing
from infratest.monitor.memory import Memory
from infratest.monitor.monitor import ANSWER, PROJECT
from infratest.monitor.ruled import ruled
from infratest.monitor.uncounted import Uncounted
from infratest.monitor.watched import Watched
from infratest.monitor.work import Work
from infratest.project.heal import Resident, heal_report
from infratest.project.session import Session
from infratest.store import failures, history
from infratest.store.directory import StateDir
from infratest.testing.waiting import wait_until
from tests.monitor.test_monitor import FULL, THERE, Desk, HandClock
from tests.worlds import small_project
from tests.worlds.heal_world import make_result, make_rule

#: The stack's name is its own: marks lie on this machine.
STACK = """\
stack: {name}
provider: local
hosts: {{here: {{}}}}
monitor: {{interval: 10s, retry: 5s, attempts: 2, flap: off, tell: []}}
heal:
  put-it-there:
    when: {{tags: "@web", state: critical}}
    confirm: {confirm}
    do: [{{run: "touch {there}"}}]
    mode: {mode}
{more}"""
FEATURE = """\
Feature: f
  @web
  Scenario: there
    Then the file "{there}" exists
  {tag}
  Scenario: full
    Then the disk "/" is less than 101 % full
"""
#: Seconds that anything may take before it is said not to happen.
PATIENCE = 120.0


class Clock(HandClock):
    """Time that is moved by hand from a little before now: what was seen then is fresh."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.time() - 400

    def time(self) -> float:
        return self.began + self.now


class Healer(Desk):
    """A monitor at work that heals."""

    def __init__(
        self,
        project: Path,
        kept: tuple[Memory, Anchor | None] = (Memory(), None),
        clock: HandClock | None = None,
        answer: float = ANSWER,
    ) -> None:
        super().__init__(project, kept=kept, clock=clock or Clock())
        self.there = project / "there"
        self.healing = Healing(self.monitor, answer)
        self.monitor.heal(self.healing)

    def end(self) -> None:
        self.healing.end()
        self.healing.wait(PATIENCE)

    @property
    def state(self) -> StateDir:
        return StateDir(self.project / ".infratest")

    def healed(self, seconds: float) -> Healer:
        """Move the clock, and have what is found attended to."""
        self.after(seconds)
        wait_until(self._idle, PATIENCE)
        self.monitor.turn(0)
        return self

    def _idle(self) -> bool:
        self.monitor.turn(0)  # the engine asks the loop
        return not self.healing.busy

    def handed_over(self, seconds: float) -> Healer:
        """Move the clock, and turn until the engine has what was found; from then on the loop stands."""
        self.clock.now += seconds
        wait_until(lambda: self.monitor.turn(0) or self.healing.busy, PATIENCE)
        return self

    def saw(self, state: str, id: str = THERE) -> Healer:
        """Have it see a result so, in no turn of the loop."""
        self.clock.now += 1
        now, result = self.monitor.timepiece.now(), self.monitor.book.results[id]
        self.healing.see([(result.changed(state=state), now.wall)], self.monitor.book, now)
        wait_until(self._idle, PATIENCE)
        return self

    @property
    def said(self) -> tuple[str | None, str]:
        """How heals are, by the monitor's own word, and why."""
        status = self.monitor.book.statuses[HEALS]
        return status.seen, status.reason

    def refused(self) -> list[str]:
        """Return why nothing was done, in the audit's words."""
        found = [one for one in self.state.read("heal.jsonl") if one["event"] == "refused"]
        return [gate["reason"] for one in found for gate in one["gates"] if not gate["passed"]]

    @property
    def place(self) -> str:
        return f"shop-{self.project.name}"

    def row(self, id: str = THERE) -> failures.Row:
        return failures.load(self.state, self.place).get(id, failures.Row())


def write(
    folder: Path, tag: str = "", confirm: str = "2", mode: str = "auto", tags: str = "@web", more: str = ""
) -> Path:
    """Write a project. Args: tag: of the scenario that is well. confirm, mode, tags: of the rule. more: other rules."""
    there = folder / "there"
    stack = STACK.format(name=f"shop-{folder.name}", there=there, confirm=confirm, mode=mode, more=more)
    stack = stack.replace('"@web"', f'"{tags}"')
    return small_project.write(
        folder, {"stack.yaml": stack, "features/x.feature": FEATURE.format(there=there, tag=tag)}
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "there").touch()
    return write(tmp_path)


@pytest.fixture
def healer(project: Path) -> Iterator[Healer]:
    made = Healer(project)
    yield made
    made.end()


def test_a_rule_that_cannot_be_read_is_refused_and_the_old_ones_are_gone_by(project: Path, healer: Healer) -> None:
    write(project, tags="@web and")
    healer.monitor.reload()
    healer.there.unlink()
    healer.healed(10).healed(10)
    assert healer.there.exists(), "healed by the rule of before"
    status = healer.monitor.book.statuses[PROJECT]
    assert status.state == "unknown"
    assert "rule put-it-there: tags '@web and' is no tag expression" in status.reason
    with pytest.raises(UserError, match="is no tag expression"):
        Desk(project)


def test_what_is_wrong_with_a_rule_is_said_and_takes_no_other_rule_away() -> None:
    web, named = Subject("f#a@w", "w", tags=("web",)), Subject("f#b@w", "w", tags=("heal:nobody",))
    rules = [make_rule(name="broken", when_tags="@web and"), make_rule(name="good", when_tags="@web")]
    found = ruled(rules, [web, named])
    assert found.looks == {web.id: 1}
    broken, nobody = found.wrong
    assert "rule broken: tags '@web and' is no tag expression" in broken
    assert nobody.startswith("f#b: tag @heal:nobody: unknown heal rule 'nobody'")


def test_counts_that_cannot_be_read_are_told_and_end_no_monitor(project: Path) -> None:
    counts = project / ".infratest" / failures.FILE
    counts.parent.mkdir(mode=0o700)
    counts.write_text("no JSON")
    healer = Healer(project).healed(0).healed(10)
    state, reason = healer.said
    assert state == "critical"
    assert failures.FILE in reason
    counts.unlink()
    assert healer.healed(10).said == ("ok", "")
    healer.end()


WINDOW = "{failures: 3, of: 5}"


def test_each_green_between_two_failures_is_one_look_of_a_window(project: Path) -> None:
    healer = Healer(write(project, confirm=WINDOW, mode="observe")).healed(0)
    for _ in range(3):
        healer.there.unlink()
        healer.healed(10)
        healer.there.touch()
        for _ in range(6):
            healer.healed(10)
    healer.there.unlink()
    row = healer.healed(10).row()
    assert (row.failures, row.failed("critical", 5)) == (1, 1), row
    healer.end()


def at_work(project: Path) -> tuple[Healer, Path]:
    """Return a healer that is in the midst of an act, about another scenario; and what lets the act go on."""
    go, other = project / "go", project / "other"
    blocks = f"""  blocks:
    when: {{tags: "@slow", state: critical}}
    confirm: 1
    do: [{{run: "touch {project}/begun; while ! [ -e {go} ]; do sleep 0.05; done; touch {other}"}}]
    mode: auto
"""
    write(project, tag="@web", more=blocks)
    feature = f'  @slow\n  Scenario: other\n    Then the file "{other}" exists\n'
    with (project / "features" / "x.feature").open("a") as file:
        file.write(feature)
    other.touch()
    healer = Healer(project).healed(0)
    healer.there.unlink()
    other.unlink()
    healer.clock.now += 10
    wait_until(lambda: healer.monitor.turn(0) or (project / "begun").exists(), PATIENCE)
    assert healer.row().failures == 1
    return healer, go


def test_what_is_seen_while_the_engine_is_busy_counts_look_by_look(project: Path) -> None:
    healer, go = at_work(project)
    healer.there.touch()
    healer.after(10).after(10)
    healer.there.unlink()
    healer.after(10)
    go.touch()
    row = healer.healed(0).row()
    assert (project / "other").exists(), "the engine was busy with it"
    assert (row.failures, healer.there.exists()) == (1, False), row
    healer.end()


def test_what_was_held_is_attended_to_once_the_engine_is_no_longer_busy(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others were looked at while it was: nothing is looked at again for that, so that it came a whole interval
    later."""
    healer, go = at_work(project)
    book = healer.monitor.book
    held = book.newest[THERE].wall
    healer.healing._hold([THERE])
    healer.monitor.turn(0)
    attended: list[tuple[str, float]] = []

    def attend(session: Session, report: Report, dry_run: bool, **more: object) -> tuple[Report, list[HealRecord]]:
        attended.extend((one.id, rfc3339.seconds(report.started)) for one in report.results)
        return report, []

    monkeypatch.setattr(healing, "heal_report", attend)
    go.touch()
    wait_until(lambda: not healer.healing.busy, PATIENCE)
    healer.healing.see([], book, healer.monitor.timepiece.now())
    wait_until(healer._idle, PATIENCE)
    assert attended == [(THERE, pytest.approx(held, abs=0.01))]
    healer.end()


def test_an_act_that_outlasts_the_end_holds_up_no_count(project: Path) -> None:
    healer, go = at_work(project)
    healer.clock.now += 10
    book, now = healer.monitor.book, healer.monitor.timepiece.now()
    healer.healing.see([(book.results[FULL].changed(state="critical"), now.wall)], book, now)
    healer.healing.end()
    healer.healing.wait(0.0)
    counted = healer.row(FULL).failures
    go.touch()
    healer.end()
    assert counted == 1
    assert (project / "other").exists(), "the act was under way"


def test_a_green_that_could_not_be_counted_is_counted_later(healer: Healer) -> None:
    healer.healed(0).there.unlink()
    assert healer.healed(10).row().failures == 1
    counts = healer.state.path / failures.FILE
    before = counts.read_text()
    counts.write_text("no JSON")
    healer.there.touch()
    assert healer.healed(10).said[0] == "critical"
    counts.write_text(before)
    healer.there.unlink()
    row = healer.healed(10).row()
    assert (row.failures, healer.there.exists()) == (1, False), row
    assert healer.said == ("ok", "")


def test_a_green_ends_a_row_that_somebody_elses_check_began(healer: Healer) -> None:
    healer.healed(0)
    result, now = healer.monitor.book.results[THERE], healer.clock.time() + 1
    report = Report(healer.place, "", rfc3339.written(now), 0.0, [result.changed(state="critical")])
    failures.record_run(healer.state, report, now)
    assert healer.row().failures == 1
    healer.healed(10).there.unlink()
    row = healer.healed(10).row()
    assert (row.failures, healer.there.exists()) == (1, False), row


def test_a_look_that_tells_of_a_heal_before_is_kept_as_of_when_it_was(healer: Healer) -> None:
    healer.healed(0)
    was = make_result("critical", "here", id=THERE)
    made = HealRecord(
        time=1.0, rule=make_rule(name="put-it-there"), outcome=TRIED, gates=(), rung=0, remedy="run", before=was
    )
    verifying.add(healer.state, healer.place, made, "1-1-0", healer.clock.time(), {})
    looked = healer.saw("ok").clock.time()
    assert [one["verified"] for one in healer.state.read("heal.jsonl")] == [True]
    assert history.last(healer.state, healer.place)[THERE].time == pytest.approx(looked, abs=0.01)


@pytest.mark.parametrize("counted", [False, True])
def test_what_a_rule_has_healed_is_judged_although_it_is_for_others_since(project: Path, counted: bool) -> None:
    healer = Healer(write(project, tags="@db"))
    was = make_result("critical", "here", id=THERE)
    made = HealRecord(
        time=1.0, rule=make_rule(name="put-it-there"), outcome=TRIED, gates=(), rung=0, remedy="run", before=was
    )
    verifying.add(healer.state, healer.place, made, "1-1-0", healer.clock.time(), {})
    healer.healed(0)
    if counted:  # by another process: what is known of the counts is read anew
        failures.settle(healer.state, healer.place, FULL, healer.clock.time())
    healer.healed(10).healed(10).healed(10)
    assert [one["verified"] for one in healer.state.read("heal.jsonl")] == [True]
    healer.end()


def test_a_look_of_the_engines_own_is_kept_as_of_when_that_was_and_what_it_saw_beside_it_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else history says of before what was seen since: that it was well while it failed."""
    healer = Healer(write(project, tag="@web")).healed(0)
    began, again = time.time(), time.time() - 60

    def attend(session: Session, report: Report, dry_run: bool, **more: object) -> tuple[Report, list[HealRecord]]:
        (was,) = report.results
        beside = healer.monitor.book.results[FULL].changed(state="critical")
        made = HealRecord(
            time=1.0, rule=make_rule(), outcome=TRIED, gates=(), rung=0, remedy="run", before=was, later=True,
            seen=again, after=was.changed(state="ok"), worse=(FULL,), beside=(beside,),
        )  # fmt: skip
        return applied(report, [made]), [made]

    monkeypatch.setattr(healing, "heal_report", attend)
    healer.saw("critical")
    kept = history.last(healer.state, healer.place)
    assert (kept[THERE].state, kept[THERE].time) == ("ok", pytest.approx(again, abs=0.01))
    assert kept[FULL].state == "critical"
    assert kept[FULL].time >= began - 0.01
    healer.end()


def test_what_was_left_out_in_between_has_not_ended_a_row(healer: Healer) -> None:
    healer.healed(0).saw("critical").saw("skipped")
    assert healer.row().since is not None
    assert healer.saw("ok").row().since is None, "a green ends the problem"


def test_a_report_that_the_engine_refuses_leaves_the_others_counted(project: Path) -> None:
    healer = Healer(write(project, tag="@web")).healed(0)
    book, now = healer.monitor.book, healer.monitor.timepiece.now()
    edited = book.results[THERE].changed(state="critical", host="elsewhere")
    failed = book.results[FULL].changed(state="critical")
    healer.healing.see([(edited, now.wall + 1), (failed, now.wall + 2)], book, now)
    wait_until(healer._idle, PATIENCE)
    assert healer.row(FULL).failures == 1
    healer.end()


def test_a_green_of_while_another_monitor_worked_is_counted(healer: Healer) -> None:
    healer.healed(0).there.unlink()
    assert healer.healed(10).row().failures == 1
    healer.shelf.ours = False
    healer.there.touch()
    assert healer.healed(10).row().failures == 1, "it has no business there"
    healer.shelf.ours = True
    healer.there.unlink()
    row = healer.healed(10).row()
    assert (row.failures, healer.there.exists()) == (1, False), row


def test_what_waits_is_bounded_and_keeps_what_a_window_counts() -> None:
    failed = make_result("critical")
    well = make_result("ok")
    waiting = Uncounted()
    for at, result in enumerate([failed, *[well] * 50, failed, failed, *[well] * 50]):
        waiting.add(result, float(at), 5)
    before, newest = waiting.take()
    assert [one.state[0] for one, _ in (*before, *newest)] == list("cooooo" + "cc" + "ooooo")
    assert not any(one.steps for one, _ in before)
    assert newest[0] == (well, 102.0)
    assert len(waiting) == 0
    waiting.add(failed, 103.0, 1)
    waiting.back([*before, *newest])
    assert [at for _, at in (*waiting.take()[0],)][-1] == 102.0
    for at in range(1000):
        waiting.add(failed, float(at), 1)
    before, newest = waiting.take()
    assert len(before) + len(newest) == failures.LOOKS
    waiting.add(failed, 1.0, 1)
    waiting.fit(())
    assert len(waiting) == 0


def test_an_errand_of_which_nothing_came_takes_no_rule_away(project: Path) -> None:
    healer = Healer(write(project, tags="not @slow"))
    now = healer.monitor.timepiece.now()
    healer.monitor.inbox.put(Findings(Errand("here", (THERE,), now), error="there are no workers"))
    healer.monitor.turn(0)
    seen = healer.monitor.book.results[THERE]
    assert (seen.state, seen.host, tuple(seen.tags)) == ("unknown", "here", ("web",))
    healer.healed(10).there.unlink()
    healer.healed(10).healed(5)
    assert healer.there.exists()
    assert healer.said == ("ok", "")
    healer.end()


def test_no_rule_is_for_what_the_monitor_says_of_itself() -> None:
    own = [Subject(of_receiver("oncall"), looked_at=False), Subject("heartbeat:backup@-", looked_at=False)]
    watched = [Subject("f#a@w", "w"), Subject("reachable@w", "w", looked_at=False), *own]
    assert set(ruled([make_rule(when_tags="not @slow")], watched).looks) == {"f#a@w", "reachable@w"}


def told(healer: Healer) -> list[tuple[str, str]]:
    """Return how heals were said to be, as history has it."""
    return [
        (each.before, each.after) for changes in healer.shelf.written for each in changes.changes if each.id == HEALS
    ]


def test_a_heal_that_waits_is_told_once_whatever_is_started_again(project: Path) -> None:
    healer = Healer(write(project, mode="propose")).healed(0)
    healer.there.unlink()
    state, reason = healer.healed(10).healed(5).healed(5).said
    assert (state, reason.startswith("waits for approval: run touch")) == ("warning", True)
    healer.end()
    book = healer.monitor.book.whole()
    kept = Memory(statuses=dict(book.statuses), results=dict(book.results))
    second = Healer(project, kept=(kept, healer.monitor.timepiece.anchor()), clock=healer.clock)
    assert second.healed(1).said == (state, reason)
    second.healed(10)
    assert told(second) == []
    write(project, tags="@db")
    second.monitor.reload()
    assert second.healed(1).healed(1).said == ("ok", ""), "there is no rule for it any longer"
    second.end()


def two_hosts(project: Path, **words: str) -> Path:
    """Write a project of two hosts, each with a file of its own; the second one's is there."""
    write(project, **words)
    for name, before, after in (
        ("stack.yaml", "{here: {}}", "{here: {groups: [one]}, other: {groups: [two]}}"),
        ("features/x.feature", f'"{project}/there"', f'"{project}/there-{{host.name}}"'),
    ):
        text = (project / name).read_text()
        (project / name).write_text(text.replace(before, after))
    (project / "there-other").touch()
    return project


def test_a_heal_that_waits_does_so_while_a_gate_is_closed_for_a_moment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healer = Healer(two_hosts(project, mode="propose")).healed(0)
    for _ in range(25):
        healer.healed(1)
    state, reason = healer.said
    assert (state, reason.startswith("waits for approval: run touch")) == ("warning", True)
    healer.saw("unknown").monitor.turn(0)
    assert healer.said == (state, reason), "an unknown look says nothing of a proposal"
    healer.end()
    book = healer.monitor.book.whole()
    kept = Memory(statuses=dict(book.statuses), results=dict(book.results))
    monkeypatch.setattr(around, "AT_ONCE", 0)  # the other host is looked at when it is due
    second, before = (
        Healer(project, kept=(kept, healer.monitor.timepiece.anchor()), clock=healer.clock),
        len(healer.refused()),
    )
    for _ in range(22):
        second.healed(1)
    closed = second.refused()[before:]
    assert any(reason.startswith("others were not looked at") for reason in closed), "a gate was closed"
    assert (second.said, told(second)) == ((state, reason), [])
    (proposal,) = proposals.every(second.state, second.place)
    proposals.deny(second.state, second.place, proposal.id, "ann", "not now", time.time())
    for _ in range(10):
        second.healed(1)
    assert second.said == ("ok", ""), "it waits for nobody any longer"
    second.end()


def test_that_somebody_is_at_work_on_the_stack_is_told_only_after_long(healer: Healer) -> None:
    healer.healed(0)
    with healer.state.lock(purpose="up"):
        healer.there.unlink()
        for _ in range(3):
            assert healer.healed(10).said == ("ok", "")
        state, reason = healer.healed(IN_USE).healed(1).said
    assert state == "critical"
    assert f"process {os.getpid()} (up)" in reason
    healer.healed(10).healed(1)
    assert healer.there.exists()
    assert healer.said == ("ok", "")


def test_a_loop_that_does_not_answer_has_nothing_healed(project: Path) -> None:
    healer = Healer(write(project, confirm="1"), answer=0.01).healed(0)
    healer.there.unlink()
    healer.handed_over(10)
    wait_until(lambda: not healer.monitor.inbox.empty(), PATIENCE)
    healer.monitor.turn(0)  # it is told how all others are, and no more
    wait_until(lambda: not healer.healing.busy, PATIENCE)
    (reason,) = healer.refused()
    assert reason.startswith("whether it is in a downtime, or acknowledged, is not known: monitor: process ")
    healer.healed(1)
    assert (healer.said, healer.there.exists()) == (("ok", ""), False)
    healer.end()


def test_a_heal_in_hand_goes_by_no_rule_that_was_taken_back(project: Path) -> None:
    healer = Healer(write(project, confirm="1")).healed(0)
    healer.there.unlink()
    healer.handed_over(10)
    write(project, confirm="1", mode="observe")
    healer.monitor.adopt(healer.read())
    healer.healed(0)
    assert healer.refused() == ["the rules were read anew since it was looked at"]
    assert not healer.there.exists()
    healer.end()


def looked_around(healer: Healer) -> bool:
    """Have the file of one host seen to be gone; return whether the other is looked at sooner for that."""
    (healer.project / "there-here").unlink(missing_ok=True)
    other = THERE.replace("@here", "@other")
    before = healer.monitor.book.asked[other].hint
    healer.clock.now += 2
    healer.monitor.book.hint([THERE], healer.monitor.timepiece.now())
    healer.healed(0)
    assert healer.monitor.book.newest[THERE] == healer.monitor.timepiece.now()
    return healer.monitor.book.asked[other].hint != before


def test_an_undo_asks_what_people_want_of_what_is_worse_watched_or_not(healer: Healer) -> None:
    book, now = healer.healed(0).monitor.book, healer.monitor.timepiece.now()
    elsewhere = THERE.replace("@here", "@elsewhere")
    asked = [(THERE, False), (elsewhere, False), (THERE, True), (elsewhere, True)]
    found = [healing._why_left_alone(book, id, now, beside) for id, beside in asked]
    assert found == ["", "it is watched no longer", "", ""]
    book.plan([Downtime("works", Fixed(now.wall, now.wall + 3600.0), frozenset([THERE, elsewhere]))])
    assert all("works" in healing._why_left_alone(book, id, now, True) for id in (THERE, elsewhere))


@pytest.mark.parametrize("known", [False, True])
def test_what_people_are_told_once_more_sets_off_no_look_and_is_no_mark_in_history(healer: Healer, known: bool) -> None:
    monitor = healer.healed(0).monitor
    inbox = monitor.inbox.qsize()
    record = HealRecord(
        time=1.0, rule=make_rule(name="put-it-there"), outcome=TRIED, gates=(), rung=0, remedy="run", later=True,
        before=make_result("critical", "here", id=THERE), worse=(FULL,), undone="not undone", known=known,
    )  # fmt: skip
    healer.healing._told([record], lambda *words: " ".join(words))
    assert monitor.inbox.qsize() - inbox == (0 if known else 1)


def test_that_the_monitor_ends_is_no_wish_of_people(healer: Healer) -> None:
    """Of what is seen then they have mended nothing."""
    healer.healed(0)
    watched = cast(Watched, healer.monitor.watched)
    result, work = (
        make_result("critical", "here", id=THERE),
        Work(watched, {}, [], ruled(watched.session.stack.heal, [])),
    )
    now = healer.monitor.timepiece.now()
    healer.end()
    why = healer.healing._left_alone(work, result)
    assert (why, type(why)) == ("the monitor that heals ends", NotKnown)
    healer.monitor.book.plan([Downtime("works", Fixed(now.wall, now.wall + 3600.0), frozenset([THERE]))])
    assert type(healing._why_left_alone(healer.monitor.book, THERE, now)) is str


def test_for_what_cannot_be_healed_nobody_else_is_looked_at(project: Path) -> None:
    (two_hosts(project, mode="observe") / "there-here").touch()
    healer = Healer(project).healed(0)
    assert not looked_around(healer), "the rule observes alone"
    acting = (project / "stack.yaml").read_text().replace("mode: observe", "mode: propose")
    (project / "stack.yaml").write_text(acting)
    healer.monitor.reload()
    pause(healer.state, 3600.0)
    assert not looked_around(healer), "heals are paused"
    resume(healer.state)
    book = healer.monitor.book
    now = healer.monitor.timepiece.now().wall
    book.plan([Downtime("works", Fixed(now, now + 3600.0), frozenset([THERE]))])
    assert not looked_around(healer), "it is in a downtime"
    book.plan([])
    assert looked_around(healer)
    healer.end()


def test_what_others_were_looked_at_for_is_attended_to_again_and_not_looked_at(project: Path) -> None:
    (two_hosts(project, mode="propose", confirm="1") / "there-here").touch()
    healer = Healer(project).healed(0)
    book, now = healer.monitor.book, healer.monitor.timepiece.now
    healer.clock.now += 2
    book.hint([THERE.replace("@here", "@other")], now())
    healer.healed(0)
    (project / "there-here").unlink()
    healer.clock.now += 0.5  # so that the other host is not looked at yet again
    book.hint([THERE], now())
    seen = now()
    reason = healer.healed(0).refused()[0]
    assert reason.startswith("others were not looked at since it failed: other")
    healer.healed(1).healed(0).monitor.turn(0)
    assert healer.said[0] == "warning", "it is proposed"
    assert book.newest[THERE] == seen
    assert book.statuses[THERE].window.count(True) == 1, "no other attempt, before its time"
    healer.end()


def test_what_is_known_of_others_is_worked_out_once_for_all_that_was_seen(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healer = Healer(write(project, tag="@web", mode="observe")).healed(0)
    known: list[object] = []

    def attend(session: Session, report: Report, dry: bool, *, resident: Resident) -> object:
        known.append(resident.known)
        return heal_report(session, report, dry, resident=resident)

    monkeypatch.setattr(healing, "heal_report", attend)
    book, now = healer.monitor.book, healer.monitor.timepiece.now()
    failed = book.results[THERE].changed(state="critical"), book.results[FULL].changed(state="critical")
    healer.healing.see([(result, now.wall + at) for at, result in enumerate(failed, 1)], book, now)
    wait_until(healer._idle, PATIENCE)
    assert len(known) == 2
    assert known[0] is known[1]
    healer.end()


def test_right_after_a_restart_what_waits_for_its_group_is_attended_to_once_that_was_looked_at(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_hosts(project, mode="propose", confirm="1")
    stack = (project / "stack.yaml").read_text()
    (project / "stack.yaml").write_text(stack.replace("[two]", "[one]"))
    (project / "there-here").touch()
    first = Healer(project).healed(0)
    first.end()
    (project / "there-here").unlink()
    book = first.monitor.book.whole()
    kept = Memory(statuses=dict(book.statuses), results=dict(book.results))
    monkeypatch.setattr(around, "AT_ONCE", 0)
    healer = Healer(project, kept=(kept, first.monitor.timepiece.anchor()), clock=first.clock)
    newest, other = healer.monitor.book.newest, THERE.replace("@here", "@other")
    healer.clock.now += 1
    healer.monitor.book.hint([THERE], healer.monitor.timepiece.now())
    healer.healed(0)
    closed = [gate for one in healer.state.read("heal.jsonl") for gate in one["gates"] if not gate["passed"]]
    assert {"seen", "blast radius"} <= {gate["name"] for gate in closed}
    assert other not in newest
    seen = newest[THERE]
    monkeypatch.setattr(around, "AT_ONCE", 50)
    healer.healed(0).healed(1).healed(0).monitor.turn(0)
    assert other in newest
    assert (healer.said[0], newest[THERE]) == ("warning", seen), "it is proposed, as it was seen last"
    healer.end()


def test_an_engine_that_asks_a_loop_which_ends_waits_for_nobody(
    healer: Healer, caplog: pytest.LogCaptureFixture
) -> None:
    healer.healed(0).there.unlink()
    healer.handed_over(10)
    wait_until(lambda: not healer.monitor.inbox.empty(), PATIENCE)
    healer.monitor.end()
    healer.monitor.run()
    healer.end()
    with pytest.raises(Ended, match="ends, and answers no more"):
        healer.monitor.ask(lambda monitor: None)
    assert not healer.healing.busy
    assert caplog.messages == [], "nothing is wrong with it"
    assert healer.row().failures == 1, "it is counted"


def test_what_waits_for_the_engine_at_the_end_is_counted_greens_too(healer: Healer) -> None:
    healer.healed(0).there.unlink()
    assert healer.healed(10).row().failures == 1
    counts = healer.state.path / failures.FILE
    before = counts.read_text()
    counts.write_text("no JSON")
    healer.there.touch()
    assert healer.healed(10).said[0] == "critical", "it waits until it can be counted"
    counts.write_text(before)
    healer.end()
    assert (healer.row().state, healer.row().failures) == ("ok", 0)


def test_one_that_may_not_work_any_longer_counts_nothing_at_its_end(healer: Healer) -> None:
    healer.healed(0).there.unlink()
    healer.shelf.ours = False
    healer.healed(10).end()
    assert healer.row().failures == 0
