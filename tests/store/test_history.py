from __future__ import annotations

import json
import multiprocessing

import pytest

from infratest.errors import StateError
from infratest.model import Report, Result
from infratest.store import history
from infratest.store.directory import StateDir
from infratest.store.history import FORGET, Last


def result(id: str = "f#s@web-1", state: str = "ok", **more: object) -> Result:
    return Result(id, "f", "s", 1, id.rpartition("@")[2], state, groups=("web",), **more)


def report(*results: Result, env: str = "prod") -> Report:
    return Report("shop", env, "2026-01-31T12:00:00Z", 0.0, results)


#: When the run of `report` began: 2026-01-31T12:00:00Z.
BEGAN = 1769860800.0


def known(
    state: str = "ok", since: float = 100.0, time: float = 200.0, blocked: bool = False, began: float = BEGAN
) -> dict[str, Last]:
    item = Last("f#s@web-1", "web-1", ("web",), state, blocked, since, time, began)
    return {item.id: item}


@pytest.mark.parametrize(
    "before, now_state, blocked_by, since",
    [
        ({}, "ok", None, 300.0),
        (known("ok"), "ok", None, 100.0),
        (known("ok"), "critical", None, 300.0),
        (known("critical"), "critical", None, 100.0),
        (known("critical", since=900.0, time=900.0), "critical", None, 300.0),  # the clock was set back
        (known("unknown"), "unknown", "reachable@web-1", 300.0),
        (known("unknown", blocked=True), "unknown", "reachable@web-1", 100.0),
    ],
)
def test_since(before, now_state, blocked_by, since):
    given = report(result(state=now_state, blocked_by=blocked_by))
    assert history.with_since(given, before, 300.0).results[0].since == since
    assert history.updated(before, given, 300.0)["f#s@web-1"].since == since


@pytest.mark.parametrize(
    "before, state, blocked_by, began",
    [
        ({}, "ok", None, BEGAN),
        ({}, "unknown", "reachable@web-1", BEGAN),  # the first that was asked
        (known(began=7.0), "critical", None, BEGAN),
        (known(began=7.0), "unknown", None, 7.0),  # it could not look: what was since the one before is still unseen
        (known(began=7.0), "unknown", "reachable@web-1", 7.0),
        (known(began=0.0), "unknown", None, BEGAN),  # kept by an older version
    ],
)
def test_a_window_begins_with_the_last_run_that_has_looked(before, state, blocked_by, began):
    given = report(result(state=state, blocked_by=blocked_by))
    assert history.began(history.updated(before, given, 300.0)) == {"f#s@web-1": began}


def test_what_an_older_version_kept_has_no_begin(tmp_path):
    state = StateDir(tmp_path)
    history.save(state, report(result()), 100.0)
    path = tmp_path / "last-shop@prod.json"
    kept = json.loads(path.read_text())
    del kept["results"][0]["began"]
    path.write_text(json.dumps(kept))
    assert history.began(history.last(state, "shop/prod")) == {}
    assert set(history.last(state, "shop/prod")) == {"f#s@web-1"}


def test_the_report_given_is_left_alone():
    given = report(result())
    history.with_since(given, {}, 300.0)
    assert given.results[0].since is None


def test_what_was_not_asked_stays_until_it_is_too_old():
    other = report(result("f#t@web-1"))
    assert set(history.updated(known(time=200.0), other, 200.0 + FORGET)) == {"f#s@web-1", "f#t@web-1"}
    assert set(history.updated(known(time=200.0), other, 201.0 + FORGET)) == {"f#t@web-1"}
    assert set(history.updated(known(time=201.0 + FORGET), other, 200.0)) == {"f#t@web-1"}


def test_saved_and_read(tmp_path):
    state = StateDir(tmp_path / "state")
    history.save(state, report(result(state="critical")), 100.0)
    history.save(state, report(result(state="critical")), 200.0)
    assert history.last(state, "shop/prod") == known("critical", since=100.0, time=200.0)


def test_environments_are_kept_apart(tmp_path):
    state = StateDir(tmp_path)
    history.save(state, report(result(state="critical")), 100.0)
    history.save(state, report(result(), env=""), 100.0)
    assert history.last(state, "shop/prod")["f#s@web-1"].state == "critical"
    assert history.last(state, "shop")["f#s@web-1"].state == "ok"
    assert history.last(state, "shop/dev") == {}


def test_members():
    items = known() | {"x": Last(id="x", host="db", groups=("data",), state="ok", blocked=False, since=1.0, time=1.0)}
    assert history.members(items, "web") == {"web-1": [items["f#s@web-1"]]}
    assert history.members(items, "nobody") == {}


def test_nothing_is_made_by_reading(tmp_path):
    assert history.last(StateDir(tmp_path / "state"), "shop") == {}
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"schema": 2, "results": []}', '{"schema": 1, "results": {}}',
        '{"schema": 1, "results": [1, null, {}, {"id": "x"}]}', "\xff\xfe",
        '{"schema": 1, "results": [{"id": "x", "host": "h", "groups": [], "state": "fine", "blocked": false, '
        '"since": 1, "time": 1}]}',
        '{"schema": 1, "results": [{"id": "x", "host": "h", "groups": [], "state": "ok", "blocked": false, '
        '"since": "soon", "time": 1}]}',
    ],
)  # fmt: skip
def test_a_file_that_is_not_ours_is_no_history(tmp_path, text):
    (tmp_path / "last-shop.json").write_bytes(text.encode("latin-1"))
    assert history.last(StateDir(tmp_path), "shop") == {}


def _save_some(path, number, barrier):
    barrier.wait()
    for count in range(10):
        history.save(StateDir(path), report(result(f"f#{number}-{count}@web-1")), 100.0)


def test_runs_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    workers = [context.Process(target=_save_some, args=(tmp_path, number, barrier)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert len(history.last(StateDir(tmp_path), "shop/prod")) == 30


def test_a_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="name another with --state"):
        history.save(StateDir(tmp_path / "file" / "state"), report(result()), 1.0)


def test_looks_of_before_leave_what_was_seen_since(tmp_path):
    state = StateDir(tmp_path)
    a, b, c = (f"f#s@web-{n}" for n in (1, 2, 3))
    history.save(state, report(result(a), result(b, "critical"), result(c)), 300.0)
    looks = [(report(result(a, "critical"), result(b, "critical")), 200.0), (report(result(c, "warning")), 350.0)]
    history.save_all(state, looks, 400.0)
    found = history.last(state, "shop/prod")
    assert [(found[id].state, found[id].since, found[id].time) for id in (a, b, c)] == [
        ("ok", 300.0, 300.0),
        ("critical", 300.0, 300.0),
        ("warning", 350.0, 350.0),
    ]
    history.save_all(state, [(report(result(a, "critical")), 250.0)], 260.0)
    assert history.last(state, "shop/prod")[a].state == "critical", "the clock was set back since"
