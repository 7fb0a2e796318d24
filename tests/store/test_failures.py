"""Failures in a row, counted once for each run, whoever hands the report in."""

from __future__ import annotations

import json
import os

import pytest

from infratest.errors import StateError, UserError
from infratest.model import Report
from infratest.store import drilling
from infratest.store.directory import StateDir
from infratest.store.failures import Row, load, record_run, settle, started
from tests.worlds.heal_world import NOON, make_report, make_result, result_id

ID = result_id("web-1")
#: What a drill leaves that was killed: by now another process may have its number.
KILLED = f'{{"shop/prod": {{"began": {NOON}, "pid": {os.getpid()}, "started": "1"}}}}'


def record(state: StateDir, *states: str, start: float = NOON, every: float = 60.0) -> Row:
    row = Row()
    for number, word in enumerate(states):
        blocked = "a#b@web-1" if word == "blocked" else None
        result = make_result("unknown" if blocked else word, blocked_by=blocked)
        at = start + number * every
        row = record_run(state, make_report([result], at), at)[ID]
    return row


@pytest.mark.parametrize(
    "states, failures, since",
    [
        (["critical"], 1, NOON),
        (["critical", "critical", "critical"], 3, NOON),
        (["ok"], 0, None),
        (["critical", "ok"], 0, None),
        (["critical", "ok", "critical"], 1, NOON + 120),
        (["critical", "unknown"], 0, NOON),
        (["critical", "unknown", "critical"], 1, NOON),
        (["critical", "blocked", "critical"], 1, NOON),
        (["critical", "skipped", "critical"], 1, NOON),
        (["unknown", "unknown"], 0, None),
        (["unknown", "critical"], 1, NOON + 60),
        (["warning", "warning"], 2, NOON),
        (["warning", "critical"], 1, NOON),
        (["critical", "warning", "critical"], 1, NOON),
    ],
)
def test_a_row_counts_the_same_failing_state(
    state: StateDir, states: list[str], failures: int, since: float | None
) -> None:
    row = record(state, *states)
    assert (row.failures, row.since) == (failures, since)
    assert load(state, "shop/prod")[ID] == row


def test_failures_far_apart_are_no_row(state: StateDir) -> None:
    assert record(state, "critical", "critical", every=2 * 86400.0).failures == 2
    assert record(state, "critical", start=NOON + 10 * 86400.0).failures == 1


def test_the_same_report_counts_once(state: StateDir) -> None:
    report = make_report([make_result("critical")])
    assert record_run(state, report, NOON)[ID].failures == 1
    assert record_run(state, report, NOON + 5)[ID].failures == 1
    read_back = Report.from_dict(json.loads(json.dumps(report.as_dict("0"))))
    assert record_run(state, read_back, NOON + 9)[ID].failures == 1


def test_an_older_report_says_nothing_new(state: StateDir) -> None:
    record(state, "ok", start=NOON)
    older = make_report([make_result("critical")], NOON - 300)
    assert record_run(state, older, NOON + 5)[ID] == Row(last=NOON)


def test_a_row_of_a_clock_that_was_set_back_is_begun_anew(state: StateDir) -> None:
    record(state, "critical", "critical", start=NOON + 9000)
    assert record(state, "critical") == Row(state="critical", failures=1, since=NOON, last=NOON, looks="c")
    # Clocks that differ a little are no clock that was set back.
    ahead = make_report([make_result("critical")], NOON + 50)
    assert record_run(state, ahead, NOON)[ID].failures == 2
    assert record_run(state, make_report([make_result("ok")], NOON + 5), NOON + 5)[ID].failures == 2


def test_environments_and_ids_are_counted_apart(state: StateDir) -> None:
    record(state, "critical", "critical")
    dev = record_run(state, make_report([make_result("critical")], NOON, "dev"), NOON)
    assert dev[ID].failures == 1
    other = record_run(state, make_report([make_result("critical", host="web-2")], NOON + 60), NOON + 60)
    assert (other[ID].failures, other[result_id("web-2")].failures) == (2, 1)


def test_a_healed_id_begins_anew(state: StateDir) -> None:
    record(state, "critical", "critical")
    settle(state, "shop/prod", ID, NOON + 70)
    assert load(state, "shop/prod")[ID] == Row(last=NOON + 70)
    assert record(state, "critical", start=NOON + 120).failures == 1


def test_what_nobody_looks_at_is_forgotten(state: StateDir) -> None:
    record(state, "critical")
    later = NOON + 31 * 86400.0
    rows = record_run(state, make_report([make_result("ok", host="web-2")], later), later)
    assert list(rows) == [result_id("web-2")]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"shop/prod": {"a": {"fails": 1}}}', '{"shop/prod": []}', '{"shop/prod": {"a": 1}}']
)
def test_a_file_that_is_not_ours_is_named(state: StateDir, text: str) -> None:
    state.write("counts.json", text)
    with pytest.raises(StateError, match=r"counts\.json does not hold what infratest writes there; remove it"):
        record(state, "critical")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-31T12:00:00", None])
def test_a_report_without_a_start_is_refused(text: str | None) -> None:
    with pytest.raises(UserError, match="report: started is"):
        started(Report("shop", "", text or "", 0.0, []))


def test_what_others_see_while_a_drill_has_something_broken_confirms_nothing_afterwards(state: StateDir) -> None:
    def drilled(at: float) -> Row:
        return record_run(state, make_report([make_result("critical")], at), at, drill=True)[ID]

    drilling.begin(state, "shop/prod", NOON)
    assert drilled(NOON + 10).drill
    assert record(state, "critical", start=NOON + 20).drill, "a monitor has looked"
    assert drilled(NOON + 30).drill
    drilling.end(state, "shop/prod", NOON, NOON + 35)
    assert record(state, "critical", start=NOON + 34).drill, "it is counted late"
    row = record(state, "critical", start=NOON + 36)
    assert (row.drill, row.failures, row.failed("critical", 5), row.since) == (False, 1, 1, NOON + 36)


@pytest.mark.parametrize("place, at", [("shop/dev", NOON), ("other/prod", NOON), ("shop/prod", NOON + 1)])
def test_what_is_no_doing_of_a_drill_counts_as_ever(state: StateDir, place: str, at: float) -> None:
    drilling.begin(state, place, at)
    assert not record(state, "critical").drill


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"shop/prod": {}}', '{"env": "prod", "began": 0}', pytest.param(KILLED, id="killed")]
)
def test_a_drill_that_was_killed_is_over(state: StateDir, text: str) -> None:
    state.write(drilling.FILE, text)
    assert not record(state, "critical", "critical").drill
