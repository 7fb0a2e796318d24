"""Any minute of the past, from a store that was written by hand: what was so, who was told, when nobody watched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.alerting.moments import Moment
from infratest.monitor import past, story
from infratest.monitor.keeping import BEGINS, ENDED, MYSELF
from infratest.store.database import changes, connection, ledger, meta, people
from infratest.store.database.changes import Change
from infratest.store.database.connection import Transaction
from infratest.store.database.ledger import Delivery
from infratest.store.database.people import Note
from infratest.store.directory import StateDir

WALL, ID = 1_795_996_800.0, "a.feature#b@web"
RULE = "stack.yaml:9: monitor.tell[0]"


def at(seconds: float) -> Moment:
    return Moment(seconds, WALL + seconds)


def delivery(seconds: float, outcome: str, kind: str, level: str, reason: str = "") -> Delivery:
    return Delivery(at(seconds), outcome, "oncall", ID, f"{ID}/1/{kind}", kind, level, RULE, reason)


@pytest.fixture
def t(tmp_path: Path) -> Iterator[Transaction]:
    """Have a store: a monitor from 0 to 500 and from 900 to 1500, a problem from 100 on, told, acknowledged, over."""
    with connection.opened(StateDir(tmp_path / "state")) as store:
        with store.transaction() as t:
            changes.add(t, [Change(at(0), ID, "-", "ok"), Change(at(100), ID, "ok", "critical", "no answer"),
                            Change(at(1000), ID, "critical", "ok")])  # fmt: skip
            ledger.add(t, [
                delivery(100, "queued", "problem", "critical", "no answer"),
                delivery(100, "attempted", "problem", "critical", "no answer"),
                delivery(101, "refused", "problem", "critical", "503"),
                delivery(110, "attempted", "problem", "critical", "no answer"),
                delivery(111, "delivered", "problem", "critical", "no answer"),
                Delivery(at(200), "withheld", "oncall", ID, reason="acknowledged by ada: on it"),
                Delivery(at(300), "withheld", "oncall", ID, reason=""),
                delivery(1000, "queued", "recovery", "ok"),
                delivery(1001, "delivered", "recovery", "ok"),
            ])  # fmt: skip
            people.add_notes(t, [Note(at(0), BEGINS, MYSELF), Note(at(5), "a new host", MYSELF, "web"),
                                 Note(at(500), ENDED, MYSELF),
                                 Note(at(900), BEGINS, MYSELF), Note(at(950), "deployed", "ada", "web")])  # fmt: skip
            meta.write_watched(t, WALL + 1500)
        with store.sight() as sight:
            yield sight


@pytest.mark.parametrize(
    ("seconds", "state", "outcomes", "withheld"),
    [
        (50, "ok", [], {}),
        (100, "critical", ["attempted"], {}),
        (105, "critical", ["refused"], {}),
        (150, "critical", ["delivered"], {}),
        (250, "critical", ["delivered"], {"oncall": "acknowledged by ada: on it"}),
        (350, "critical", ["delivered"], {}),
        (700, "unknown", ["delivered"], {}),
        (950, "critical", ["delivered"], {}),
        (1200, "ok", ["delivered", "delivered"], {}),
        (1590, "ok", ["delivered", "delivered"], {}),
        (1700, "unknown", ["delivered", "delivered"], {}),
        (-10, "unknown", [], {}),
    ],
)
def test_a_minute(t: Transaction, seconds: float, state: str, outcomes: list[str], withheld: dict[str, str]):
    then = past.explained(t, ID, WALL + seconds, fresh=100.0)
    assert then["state"] == state
    assert [each["outcome"] for each in then["told"]] == outcomes
    assert {each["route"] for each in then["told"]} <= {RULE}
    assert then["withheld"] == withheld


def test_where_nobody_watched_the_last_that_is_known_is_said(t: Transaction):
    assert past.explained(t, ID, WALL + 700, 100.0)["reason"] == (
        "nobody watched at that time; the last that is known: critical: no answer"
    )
    assert [each["text"] for each in past.explained(t, ID, WALL + 960, 100.0)["notes"]][-1] == "deployed"
    assert past.known(t) == [ID]


def test_what_happened_in_order(t: Transaction):
    found = story.events(t, (), WALL, WALL + 2000, "shop.prod")
    assert [(each["labels"]["kind"], each["value"]) for each in found] == [
        ("result", "ok"), ("lifecycle", BEGINS), ("lifecycle", "a new host"), ("result", "critical"),
        ("told", "refused"), ("told", "delivered"),
        ("lifecycle", ENDED), ("lifecycle", BEGINS), ("note", "deployed"), ("result", "ok"), ("told", "delivered"),
    ]  # fmt: skip
    assert [each["value"] for each in story.events(t, ("note",), WALL, WALL + 2000, "shop.prod")] == ["deployed"]
    rows = story.of_result(t, ID, WALL + 50, WALL + 2000)
    assert [(row["before"], row["after"]) for row in rows] == [("-", "ok"), ("ok", "critical"), ("critical", "ok")]
    drawn = story.drawn_states(rows, WALL + 50, WALL + 1250)
    assert (len(drawn), drawn[:3], drawn[10], drawn[-1]) == (60, "..C", "C", "."), drawn


def test_numbers_are_drawn_as_bars():
    rows = [{"time": float(each), "value": float(each % 30)} for each in range(60)]
    drawn = story.drawn_numbers(rows, 0.0, 60.0)
    assert (len(drawn), drawn[0], drawn[29], drawn[30]) == (60, "▁", "█", "▁")
    assert story.drawn_numbers([{"time": 1.0, "value": float("nan")}], 0.0, 60.0) == " " * 60
    assert story.drawn_numbers([{"time": 60.0, "value": 5.0}], 0.0, 60.0) == " " * 59 + "▁"
