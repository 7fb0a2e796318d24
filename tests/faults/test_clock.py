"""The controller's clock jumps between runs: nothing is healed, forgotten or removed by that, no time is negative.

The installed commands under faketime, which moves the wall clock alone.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.worlds.installed import Ended, Place

DAY = 86400.0
STACK = """\
stack: shop
provider: local
hosts: {web: {groups: [web]}}
heal:
  touch:
    when: {tags: "@web", state: critical}
    confirm: 2
    do: [{run: "touch ../healed"}]
    budget: {tries: 2, per: 1h}
    at-most: 100%
    mode: auto
"""
FEATURE = """\
@web
Feature: The shop
  Scenario: there
    Then the file "/nowhere/at/all" exists
"""


@pytest.fixture
def place(place: Place) -> Place:
    place.write({"stack.yaml": STACK, "ok.feature": FEATURE})
    return place


def at(place: Place, jump: str, command: str, status: int) -> Ended:
    """Run a command with the clock moved, as by `+400d`."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    assert library, "faketime is needed: apt-get install faketime"
    moved = {"FAKETIME": jump, "LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if jump else {}
    before, place.variables = place.variables, place.variables | moved
    try:
        done = place.run(command)
    finally:
        place.variables = before
    assert done.status == status, done
    assert not re.search(r"-\d+(\.\d+)? ?(ms|s|min|h|days)\b", done.all), done.all
    return done


def since(place: Place, jump: str, command: str = "infratest check --format json ok.feature") -> float:
    report = json.loads(at(place, jump, command, 2).out)
    assert report["duration"] >= 0
    return float(report["results"][0]["since"])


def stored(place: Place, name: str) -> dict:
    return dict(json.loads((place.folder / ".infratest" / name).read_text()))


def test_since_is_never_in_the_future(place: Place) -> None:
    begin = time.time()
    first = since(place, "")
    assert begin - 1 <= first <= time.time()
    assert since(place, "+400d") == pytest.approx(first, abs=1)  # a year later it is still so
    (place.folder / ".infratest" / "last-shop.json").unlink()
    assert since(place, "+400d") - begin >= 399 * DAY
    back = since(place, "")
    assert begin <= back <= time.time()
    line = at(place, "", "check_infratest ok.feature", 2).out
    shown = re.findall(r"since (\d{4}-\d\d-\d\d \d\d:\d\d)", line)
    assert shown == [time.strftime("%Y-%m-%d %H:%M", time.gmtime(back))]


def test_failures_seen_in_the_future_confirm_nothing_and_hold_up_nothing(place: Place) -> None:
    at(place, "+400d", "infratest check ok.feature", 2)
    (first,) = stored(place, "counts.json")["shop"].values()
    assert first["failures"] == 1
    at(place, "", "infratest check ok.feature", 2)
    (row,) = stored(place, "counts.json")["shop"].values()
    assert (row["failures"], row["last"] <= time.time()) == (1, True)  # a row that begins now, not one of two
    at(place, "", "infratest check ok.feature", 2)
    (row,) = stored(place, "counts.json")["shop"].values()
    assert row["failures"] == 2


@pytest.mark.parametrize("jump", ["+400d", "-400d"])
def test_a_report_of_another_time_heals_nothing(place: Place, jump: str) -> None:
    for _ in range(2):
        at(place, "", "infratest check --format json:report.json ok.feature", 2)
    healed = place.root / "healed"
    at(place, jump, "infratest heal report.json", 3)
    assert not healed.exists()
    audit = [json.loads(line) for line in (place.folder / ".infratest" / "heal.jsonl").read_text().splitlines()]
    refused = [gate["reason"] for gate in audit[-1]["gates"] if gate["name"] == "fresh"]
    assert len(refused) == 1
    assert ("in the future: a clock is wrong" if jump[0] == "-" else "stale: seen ") in refused[0]


def test_a_pause_survives_a_clock_that_is_set_back(place: Place) -> None:
    at(place, "", "infratest heal pause 2h", 0)
    for _ in range(2):
        at(place, "-400d", "infratest check --heal ok.feature", 2)
    assert not (place.root / "healed").exists()
    (audit,) = [json.loads(line) for line in (place.folder / ".infratest" / "heal.jsonl").read_text().splitlines()][-1:]
    (pause,) = [gate for gate in audit["gates"] if gate["name"] == "pause"]
    assert (pause["passed"], "paused until" in pause["reason"]) == (False, True)


@pytest.mark.parametrize("jump", ["+400d", "-400d"])
def test_what_is_live_is_not_reaped_by_a_clock(place: Place, jump: str) -> None:
    place.write({"stack.yaml": "stack: shop\nprovider: {name: fake}\nhosts: {web: {}}\n"})
    at(place, "", "infratest up", 0)
    at(place, jump, "infratest reap", 0)
    status = json.loads(at(place, jump, "infratest status --format json", 0).out)
    assert [host["state"] for host in status["hosts"]] == ["running"]
    assert {"kind": "host", "name": "web"} in status["live"]
    at(place, "", "infratest destroy", 0)
