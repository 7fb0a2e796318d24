"""Sentences about a monitor's store, asked of real files: figures against Python's own, and what is not known."""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
from pathlib import Path

import pytest

from infratest.errors import FactError
from infratest.project import stored
from infratest.store.database import meta, numbers, retention
from infratest.store.database.connection import looked_into, opened
from infratest.store.directory import StateDir
from infratest.store.events import Event
from tests.monitor.test_listening import Ports, curl, ports, project, running  # noqa: F401 - fixtures
from tests.worlds import small_project
from tests.worlds.otlp_client import exporting

STACK = "stack: shop\nprovider: local\nhosts: {here: {}}\n"
FEATURE = """\
Feature: f
  Scenario: enough orders
    Then the metric "shop.orders" over the last 5 min is more than 10, warning 20
  Scenario: somebody sends
    Then the metric "shop.orders" has a value in the last 5 min
  Scenario: backup
    Then the heartbeat "backup" is on time
"""


def keep(
    folder: Path, points: list[tuple[float, float]], ago: float = 0.0, key: str = "shop.orders", unit: str = ""
) -> None:
    """Have a store that a monitor wrote so many seconds ago, with these numbers."""
    with opened(StateDir(folder)) as store, store.transaction() as t:
        meta.write_watched(t, time.time() - ago)
        numbers.keep(t, [Event(at, key, value, unit, {"kind": "metric"}) for at, value in points])


def metric(folder: Path, seconds: float, key: str = "shop.orders") -> dict[str, object]:
    return stored.metric(str(folder), "shop", (key, f"{seconds:g}"))


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_python(tmp_path, seed):
    draw, now = random.Random(seed), time.time()
    points = sorted((now - draw.uniform(0, 7200), draw.uniform(-1e6, 1e6)) for _ in range(500))
    keep(tmp_path, points)
    for seconds in (600, 3600, 7000):
        within = [value for at, value in points if at >= now - seconds]
        # The window is of a moment later: what is at its very edge may be out of it by now.
        seen = metric(tmp_path, seconds + (time.time() - now))
        assert abs(int(str(seen["count"])) - len(within)) <= 1
        if seen["count"] == len(within):
            assert seen["mean"] == pytest.approx(statistics.fmean(within))
            assert (seen["least"], seen["greatest"]) == (min(within), max(within))
            assert (seen["first"], seen["newest"], seen["whole"]) == (within[0], within[-1], True)


def test_of_hours_whose_numbers_are_gone_their_figures_are_known(tmp_path):
    now = time.time()
    hour = int(now // 3600) * 3600
    keep(tmp_path, [(hour - 7200 + 60 * minute, float(minute)) for minute in range(60)])
    with opened(StateDir(tmp_path)) as store:
        for _ in range(20):
            with store.transaction() as t:
                numbers.pack(t, now)
                retention.trim(t, retention.Keep(raw=1800.0), now)
        with store.transaction() as t:
            assert numbers.points(t, "shop.orders", 0, 1e15) == []
            numbers.keep(t, [Event(now - 1, "shop.orders", 100.0, "", {})])
    seen = metric(tmp_path, now - (hour - 7300))
    assert (seen["count"], seen["mean"]) == (61, pytest.approx((sum(range(60)) + 100) / 61))
    assert (seen["least"], seen["greatest"], seen["newest"], seen["whole"]) == (0.0, 100.0, 100.0, False)


def test_a_key_is_found_by_what_it_was_called(tmp_path):
    keep(tmp_path, [(time.time() - 1, 3.0)], key="shop_orders.a", unit="s")
    seen = metric(tmp_path, 60, "shop orders.a")
    assert (seen["there"], seen["newest"], seen["unit"]) == (True, 3.0, "s")
    assert metric(tmp_path, 60, "shop.other") == {"there": False}


@pytest.mark.parametrize("ago", [61.0, -61.0])
def test_a_store_that_nobody_writes_says_nothing(tmp_path, ago):
    keep(tmp_path, [(time.time() - 1, 3.0)], ago)
    with pytest.raises(FactError, match=r"no monitor runs on .*: it wrote last 20"):
        metric(tmp_path, 300)
    with pytest.raises(FactError, match="no monitor runs on"):
        stored.heartbeat(str(tmp_path), "shop", ("backup",))


def test_a_store_of_another_environment_says_nothing(tmp_path):
    keep(tmp_path, [(time.time() - 1, 3.0)])
    with opened(StateDir(tmp_path)) as store, store.transaction() as t:
        meta.write_place(t, "shop/dev")
    with pytest.raises(FactError, match=r"is of shop/dev, and this is shop$"):
        metric(tmp_path, 300)


def test_without_a_store_or_with_a_damaged_one_nothing_is_known(tmp_path):
    with pytest.raises(FactError, match="the monitor's store cannot be asked"):
        metric(tmp_path, 300)
    keep(tmp_path, [])
    (tmp_path / "monitor.db").write_bytes(b"no database" * 1000)
    with pytest.raises(FactError, match="the monitor's store cannot be asked"):
        metric(tmp_path, 300)


def checked(folder: Path, *words: str) -> dict[str, tuple[str, str]]:
    done = small_project.run(folder, "infratest", "check", "--format", "json", *words)
    report = json.loads(done.stdout)
    assert {result["host"] for result in report["results"]} == {"-"}, "they are asked once, and not of each host"
    return {result["scenario"]: (result["state"], result["reason"]) for result in report["results"]}


def test_the_installed_command_asks_a_real_store(tmp_path):
    folder = small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE})
    unknown = checked(folder)
    assert {state for state, _ in unknown.values()} == {"unknown"}
    assert "store" in unknown["enough orders"][1]
    now = time.time()
    keep(folder / ".infratest", [(now - 200, 10.0), (now - 100, 20.0), (now - 1000, 999.0)])
    found = checked(folder)
    assert found["enough orders"][0] == "warning"
    assert "is on average 15, of 2 values in the last 5 min" in found["enough orders"][1]
    assert found["somebody sends"][0] == "ok"
    assert found["backup"][0] == "unknown"
    assert 'no heartbeat "backup" is watched' in found["backup"][1]


def test_what_is_sent_to_a_running_monitor_is_what_a_check_sees(project: Path, ports: Ports):  # noqa: F811
    (project / "features" / "y.feature").write_text(FEATURE)
    with running(project):
        for value in (25, 35):
            curl("-d", json.dumps({"key": "shop.orders", "value": value}), f"{ports.url}/in/events")
        curl("-X", "POST", f"{ports.url}/in/heartbeat/backup")
        found = checked(project, "features/y.feature")
        assert found["enough orders"] == ("ok", "")
        assert found["somebody sends"] == ("ok", "")
        assert found["backup"] == ("ok", "")
        curl("-X", "POST", f"{ports.url}/in/heartbeat/backup/fail")
        assert checked(project, "features/y.feature:7")["backup"][0] == "critical"


OF_ORDERS = """\
Feature: f
  Scenario: enough orders
    Then the metric "shop.orders" over the last 5 min is more than 10
  Scenario: cards
    Then the metric "shop.orders.by_card" over the last 5 min is more than 10
  Scenario: quick
    Then the metric "shop.answer.max" over the last 5 min is less than 300 ms long
"""


def test_what_an_sdk_exports_is_what_a_check_sees(project: Path, ports: Ports, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    (project / "features" / "y.feature").write_text(OF_ORDERS)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{ports.url}/in/otlp")
    with running(project), exporting() as provider:
        meter = provider.get_meter("shop")
        orders = meter.create_counter("shop.orders", unit="{order}")
        orders.add(25)
        orders.add(3, {"by": "card"})
        meter.create_histogram("shop.answer", unit="ms").record(20)
        assert provider.force_flush()
        found = checked(project, "features/y.feature")
    assert (found["enough orders"], found["quick"]) == (("ok", ""), ("ok", ""))
    assert found["cards"][0] == "critical"
    assert "is on average 3" in found["cards"][1]
    with looked_into(StateDir(project / ".infratest")) as store, store.sight() as t:
        its = {key: (labels, unit) for key, labels, unit in numbers.keys(t)}
    assert its["shop.answer.max"][1] == "s"
    labels = {"stack": "shop", "from": "http", "kind": "metric", "by": "card", "service_name": "shop"}
    assert its["shop.orders.by_card"][0].items() >= labels.items()


def test_it_is_asked_again_until_it_holds_and_must_hold_for_as_long_as_is_said(project: Path, ports: Ports):  # noqa: F811
    text = 'Feature: f\n  Scenario: s\n    Then the metric "late" has a value in the last 2 min within 60 s\n'
    (project / "features" / "y.feature").write_text(text)
    with running(project):
        words = ("-d", '{"key": "late", "value": 1}', f"{ports.url}/in/events")
        timer = threading.Timer(1.0, curl, words)
        timer.start()
        assert checked(project, "features/y.feature", "--timeout", "80s")["s"] == ("ok", "")
        timer.join()
