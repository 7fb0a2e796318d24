from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.model import Cost, Evidence, Observation, Report, Result, StepResult, worst_first


def result(id: str, state: str, blocked_by: str | None = None, **more: object) -> Result:
    return Result(id, "f.feature", "s", 1, "h", state, blocked_by=blocked_by, **more)


def report(*results: Result, **more: object) -> Report:
    return Report("shop", "prod", "2026-01-31T12:00:00Z", 1.0, results, **more)


@pytest.mark.parametrize(
    "results, problem, state, exit",
    [
        ([], "", "unknown", 3),
        ([("ok", None)], "", "ok", 0),
        ([("ok", None)], "a file could not be read", "unknown", 3),
        ([("critical", None)], "a file could not be read", "critical", 2),
        ([("warning", None), ("ok", None)], "", "warning", 1),
        ([("skipped", None)], "", "unknown", 3),
        ([("skipped", None), ("ok", None)], "", "ok", 0),
        # A host that is down is critical; what it blocks does not decide.
        ([("critical", None), ("unknown", "x"), ("ok", None)], "", "critical", 2),
        ([("warning", None), ("unknown", "x")], "", "warning", 1),
        # Nothing but blocked: nothing is known.
        ([("unknown", "x")], "", "unknown", 3),
    ],
)
def test_state_and_exit(results, problem, state, exit):
    given = report(*(result(str(n), *pair) for n, pair in enumerate(results)), problem=problem)
    assert (given.state, given.exit) == (state, exit)


def test_counts_a_blocked_result_as_blocked_only():
    given = report(result("a", "ok"), result("b", "unknown", "x"), result("c", "unknown"), result("d", "skipped"))
    assert given.counts == {"ok": 1, "warning": 0, "critical": 0, "unknown": 1, "skipped": 1, "blocked": 1, "waived": 0}
    assert sum(given.counts.values()) == len(given.results)


def test_worst_first():
    given = [
        result("ok", "ok"), result("skipped", "skipped"), result("blocked", "unknown", "x"), result("w", "warning"),
        result("u1", "unknown"), result("c", "critical"), result("u2", "unknown"),
    ]  # fmt: skip
    assert [item.id for item in worst_first(given)] == ["c", "u1", "u2", "w", "blocked", "skipped"]


TEXTS = st.text(max_size=20)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
STATES = st.sampled_from(["ok", "warning", "critical", "unknown", "skipped"])
OBSERVATIONS = st.builds(
    Observation, TEXTS, st.none() | FLOATS, TEXTS, TEXTS, TEXTS, st.none() | FLOATS, st.none() | FLOATS
)
EVIDENCE = st.builds(Evidence, TEXTS, TEXTS, st.none() | st.integers(0, 255), TEXTS, FLOATS)
STEPS = st.builds(
    StepResult, TEXTS, st.integers(0), STATES, TEXTS, st.lists(OBSERVATIONS, max_size=2), st.lists(EVIDENCE, max_size=2)
)
RESULTS = st.builds(
    Result, TEXTS, TEXTS, TEXTS, st.integers(0), TEXTS, STATES, TEXTS, st.lists(TEXTS, max_size=2),
    st.dictionaries(TEXTS, TEXTS, max_size=2), st.lists(TEXTS, max_size=2), st.none() | TEXTS, st.none() | FLOATS,
    st.lists(STEPS, max_size=2), st.integers(1, 9), FLOATS,
)  # fmt: skip
REPORTS = st.builds(
    Report, TEXTS, TEXTS, TEXTS, FLOATS, st.lists(RESULTS, max_size=3), st.booleans(),
    st.builds(Cost, st.integers(0), st.integers(0), st.integers(0)), st.lists(TEXTS, max_size=2), TEXTS,
)  # fmt: skip


@given(REPORTS)
def test_a_report_is_read_back_from_its_json(given):
    again = Report.from_dict(json.loads(json.dumps(given.as_dict("1"))))
    assert again == given
    assert hash(again) == hash(given)
    assert (again.state, again.counts) == (given.state, given.counts)


def test_the_keys_of_the_interface_in_its_order():
    document = report(result("a", "ok", steps=[StepResult("t", 1, "ok", "", [Observation("n", 1.0)])])).as_dict("0.1.0")
    assert list(document) == [
        "infratest", "schema", "stack", "env", "production", "started", "duration", "state", "exit", "counts",
        "results", "cost", "notes", "problem",
    ]  # fmt: skip
    assert list(document["results"][0]) == [
        "id", "feature", "scenario", "line", "host", "groups", "labels", "tags", "state", "reason", "blocked_by",
        "since", "steps", "attempts", "duration",
    ]  # fmt: skip
    step = document["results"][0]["steps"][0]
    assert list(step) == ["text", "line", "state", "reason", "observations", "evidence"]
    assert list(step["observations"][0]) == ["name", "value", "unit", "warning", "critical", "range"]


@pytest.mark.parametrize(
    "data",
    [
        [], {}, {"stack": "s"}, None,
        report().as_dict("1") | {"results": [{}]},
        report().as_dict("1") | {"results": [result("a", "ok").as_dict() | {"state": "fine"}]},
        report().as_dict("1") | {"results": [result("a", "ok").as_dict() | {"steps": [{"state": "?"}]}]},
    ],
)  # fmt: skip
def test_what_is_no_report(data):
    with pytest.raises((KeyError, TypeError)):
        Report.from_dict(data)


def test_equal_values_have_equal_hashes():
    assert Observation("a", 1) == Observation("a", 1.0)
    assert hash(Observation("a", 1)) == hash(Observation("a", 1.0))
    one, other = result("a", "ok", labels={"x": "1", "y": "2"}), result("a", "ok", labels={"y": "2", "x": "1"})
    assert one == other
    assert hash(one) == hash(other)
    assert Observation("a", 1.0) != Cost()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), None])
def test_what_is_no_number_is_not_reached(value):
    assert Observation("a", value).value is None


def test_changed_leaves_the_first_one_alone():
    first = result("a", "ok")
    assert first.changed(state="critical").state == "critical"
    assert first.state == "ok"


def test_costs_add_up():
    assert Cost(1, 2, 3) + Cost(10, 20, 30) == Cost(11, 22, 33)


@pytest.mark.parametrize(
    "tags, runbook", [((), None), (("web",), None), (("runbook:https://x/y:1",), "https://x/y:1"), (("runbook:",), "")]
)
def test_runbook(tags, runbook):
    assert result("a", "ok", tags=tags).runbook == runbook
