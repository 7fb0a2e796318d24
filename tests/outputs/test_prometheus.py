"""Metrics as `--format prometheus` writes them, read by the parser of Prometheus' own client library."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from infratest.cleaning import clean
from infratest.model import Observation, Report, Result, StepResult
from infratest.outputs.prometheus import LONGEST, Prometheus
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN

STARTED = "2026-11-28T09:00:00.500Z"


def result(
    state: str = OK, scenario: str = "nginx answers", host: str = "web-1", slug: str = "nginx-answers", **more: object
) -> Result:
    key = "features/web.feature"
    return Result(f"{key}#{slug}@{host}", key, scenario, 5, host, state, **more)  # type: ignore[arg-type]


def metrics(*results: Result, **more: object) -> dict[str, list[tuple[dict[str, str], float]]]:
    report = Report("shop", "prod", STARTED, 0.25, results, **more)  # type: ignore[arg-type]
    found = text_string_to_metric_families(Prometheus().render(report))
    return {family.name: [(sample.labels, sample.value) for sample in family.samples] for family in found}


def test_a_report():
    seen = StepResult("x", 6, OK, observations=[Observation("disk / used", 71.5, "%"), Observation("gone", None)])
    blocked = result(UNKNOWN, slug="shop/2", blocked_by="features/web.feature#nginx-answers@web-1")
    found = metrics(result(CRITICAL, steps=[seen, seen]), blocked, result(SKIPPED, host="-"))
    of = {"stack": "shop", "env": "prod", "host": "web-1", "feature": "features/web.feature"}
    assert found["infratest_scenario_state"] == [
        ({**of, "scenario": "nginx-answers"}, 2),
        ({**of, "scenario": "shop/2"}, 4),
        ({**of, "host": "-", "scenario": "nginx-answers"}, 5),
    ]
    assert found["infratest_scenario_value"] == [
        ({**of, "scenario": "nginx-answers", "name": "disk / used", "unit": "%"}, 71.5)
    ]
    place = {"stack": "shop", "env": "prod"}
    assert found["infratest_run_state"] == [(place, 2)]
    assert found["infratest_run_problem"] == [(place, 0)]
    assert found["infratest_run_timestamp_seconds"] == [(place, 1795856400.5)]
    assert found["infratest_run_duration_seconds"] == [(place, 0.25)]


def test_what_could_not_be_run():
    found = metrics(problem="no such sentence")
    assert (found["infratest_run_state"][0][1], found["infratest_run_problem"][0][1]) == (3, 1)
    assert "infratest_scenario_state" not in found


@given(name=st.text(max_size=600))
def test_any_name_is_read_as_it_is_shown(name):
    seen = StepResult("x", 6, OK, observations=[Observation(name, 1.0)])
    ((labels, value),) = metrics(result(steps=[seen]))["infratest_scenario_value"]
    assert value == 1
    assert labels["name"] == clean(name, LONGEST).encode("utf-8", "replace").decode()
