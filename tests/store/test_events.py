from __future__ import annotations

import fcntl
import json
import multiprocessing

import pytest

from infratest.errors import StateError, UserError
from infratest.model import Observation, Report, Result, StepResult
from infratest.store import events
from infratest.store.directory import StateDir
from infratest.store.events import Event


def result(**changes: object) -> Result:
    disk = StepResult("x", 6, "ok", "", [Observation("disk / used", 71.0, "%"), Observation("free", None, "B")])
    made = Result(
        "features/web.feature#nginx-answers@web-1",
        "features/web.feature",
        "nginx answers",
        5,
        "web-1",
        "ok",
        steps=[disk],
    )
    return made.changed(**changes)


def report(*results: Result, started: str = "2026-01-31T12:00:00Z") -> Report:
    return Report("shop", "prod", started, 0.5, results)


LABELS = {
    "stack": "shop",
    "env": "prod",
    "host": "web-1",
    "feature": "features/web.feature",
    "scenario": "nginx answers",
    "id": "features/web.feature#nginx-answers@web-1",
}


def test_of_report():
    assert [event.as_dict() for event in events.of_report(report(result()))] == [
        {
            "time": 1769860800.5,
            "key": "shop.prod.web-1.web.nginx_answers.state",
            "value": "ok",
            "unit": "",
            "labels": LABELS | {"kind": "result"},
        },
        {
            "time": 1769860800.5,
            "key": "shop.prod.web-1.web.nginx_answers.disk_used",
            "value": 71.0,
            "unit": "%",
            "labels": LABELS | {"kind": "metric", "name": "disk / used"},
        },
    ]


def test_blocked_is_unknown_and_names_its_blocker():
    event = events.of_report(report(result(state="unknown", blocked_by="reachable@web-1", steps=())))[0]
    assert event.value == "unknown"
    assert event.labels["blocked_by"] == "reachable@web-1"


def test_a_number_seen_twice_is_one_event():
    twice = result(steps=[*result().steps, *result().steps])
    assert len(events.of_report(report(twice))) == 2


@pytest.mark.parametrize(
    "changes, key",
    [
        ({"host": "web.example.org"}, "shop.prod.web_example_org.web.nginx_answers.state"),
        ({"host": "-"}, "shop.prod.-.web.nginx_answers.state"),
        ({"feature": "features/edge/dns.feature"}, "shop.prod.web-1.edge.dns.nginx_answers.state"),
        ({"feature": "@linux-baseline"}, "shop.prod.web-1.linux-baseline.nginx_answers.state"),
        ({"id": "f#umlaut-größe/2@web-1"}, "shop.prod.web-1.web.umlaut_größe_2.state"),
        ({"id": "reachable@web-1", "feature": "", "scenario": "reachable"}, "shop.prod.web-1.-.reachable.state"),
    ],
)
def test_keys(changes, key):
    assert events.of_report(report(result(**changes)))[0].key == key


@pytest.mark.parametrize("other", ["features/edge_dns.feature", "features/edge dns.feature"])
def test_no_result_is_taken_for_another_whose_key_looks_alike(other):
    """What was last green is looked for among the events."""
    both = [result(feature=one, id=f"{one}#s@web-1") for one in ("features/edge/dns.feature", other)]
    told = events.of_report(report(*both))
    assert len({event.key for event in told}) == 4
    again = [one.changed(feature="features/edge dns.feature") for one in both]  # to a graph they are one
    told = events.of_report(report(*again))
    assert (len({event.key for event in told}), len(told)) == (2, 4)


@pytest.mark.parametrize("started", ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00.000Z"])
def test_time_is_the_end_of_the_run(started):
    assert events.ended(report(started=started)) == 1769860800.5


@pytest.mark.parametrize("started", ["yesterday", "2026-01-31T12:00:00"])
def test_a_start_that_is_no_time(started):
    with pytest.raises(UserError, match=f"report: started '{started}' is not a time"):
        events.of_report(report(started=started))


def test_lifecycle():
    event = events.lifecycle("shop", "", "up", "web-1", 12.3456, 1769860800.0, "failed", error="no image")
    assert event == Event(
        time=1769860800.0,
        key="shop.-.web-1.lifecycle.up",
        value=12.346,
        unit="s",
        labels={
            "stack": "shop", "env": "", "host": "web-1", "kind": "lifecycle", "verb": "up", "outcome": "failed",
            "error": "no image",
        },
    )  # fmt: skip


def test_heal():
    event = events.heal("shop", "prod", result(), "healed", 1769860800.0, rule="restart-nginx")
    assert event.key == "shop.prod.web-1.web.nginx_answers.heal"
    assert event.value == "healed"
    assert event.labels == LABELS | {"kind": "heal", "rule": "restart-nginx"}


def test_appended_events_are_lines_of_json(tmp_path):
    state = StateDir(tmp_path / "state")
    events.append(state, events.of_report(report(result())))
    events.append(state, [events.heal("shop", "prod", result(), "healed", 1.0)])
    lines = (tmp_path / "state" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["labels"]["kind"] for line in lines] == ["result", "metric", "heal"]


def test_nothing_is_made_for_no_events(tmp_path):
    events.append(StateDir(tmp_path / "state"), [])
    assert not (tmp_path / "state").exists()


def large(tmp_path) -> StateDir:
    state = StateDir(tmp_path)
    with (tmp_path / "events.jsonl").open("wb") as file:
        file.truncate(events.SIZE)
    return state


def test_a_file_over_its_size_becomes_the_old_one(tmp_path):
    state = large(tmp_path)
    events.append(state, [Event(time=1.0, key="a", value=1.0)])
    assert (tmp_path / "events.1.jsonl").stat().st_size == events.SIZE
    assert state.read("events.jsonl") == [Event(time=1.0, key="a", value=1.0).as_dict()]


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("INFRATEST_KEEP_AGE", "2 h", 1),
        ("INFRATEST_KEEP_AGE", "4 h", 2),
        ("INFRATEST_KEEP_SIZE", "20 B", 1),
        ("INFRATEST_KEEP_SIZE", "1 KiB", 2),
    ],
)
def test_how_long_and_how_much_is_kept_can_be_set(tmp_path, monkeypatch, name, value, kept):
    """Three hours lie between two events."""
    monkeypatch.setenv(name, value)
    state = StateDir(tmp_path / "state")
    for time in (1000.0, 1000.0 + 3 * 3600):
        events.append(state, [Event(time=time, key="a", value=1.0)])
    assert len(state.read("events.jsonl")) == kept
    assert (tmp_path / "state" / "events.1.jsonl").exists() is (kept == 1)


@pytest.mark.parametrize("value", ["0 B", "-1MiB", "much", "5"])
def test_a_size_that_is_none_is_told(tmp_path, monkeypatch, value):
    monkeypatch.setenv("INFRATEST_KEEP_SIZE", value)
    state = StateDir(tmp_path / "state")
    events_of = [Event(time=1.0, key="a", value=1.0)]
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "events.jsonl").write_text("")
    with pytest.raises(StateError, match="INFRATEST_KEEP_SIZE"):
        events.append(state, events_of)


def test_a_file_that_another_process_is_renaming_is_left_to_it(tmp_path):
    state = large(tmp_path)
    with (tmp_path / "events.jsonl").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        events.append(state, [Event(time=1.0, key="a", value=1.0)])
    assert not (tmp_path / "events.1.jsonl").exists()
    assert [record["key"] for record in state.read("events.jsonl")] == ["a"]


def _append_some(path, number, barrier):
    state = StateDir(path)
    barrier.wait()
    for count in range(20):
        events.append(state, [Event(time=1.0, key=f"{number}.{count}", value="x" * 200)])


def test_processes_at_once_lose_no_event(tmp_path):
    state = large(tmp_path)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    workers = [context.Process(target=_append_some, args=(tmp_path, number, barrier)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    # The large file was one line of zeros without an end; an event that came before the renaming went behind it.
    kept = {record["key"] for name in ("events.jsonl", "events.1.jsonl") for record in state.read(name)}
    assert kept == {f"{number}.{count}" for number in range(3) for count in range(20)}


def test_a_state_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="name another with --state"):
        events.append(StateDir(tmp_path / "file" / "state"), [Event(time=1.0, key="a", value=1.0)])
