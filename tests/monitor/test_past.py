"""Any minute of the past, from a store that was written by hand: what was so, who was told, when nobody watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from infratest.alerting.moments import Anchor, Moment
from infratest.errors import NotKept
from infratest.model import Result
from infratest.monitor import past, story
from infratest.monitor.changes import Changes, Number
from infratest.monitor.keeping import BEGINS, ENDED, MYSELF, Keeping, begun
from infratest.store.database import changes, connection, ledger, meta, numbers, people
from infratest.store.database.changes import Change
from infratest.store.database.connection import Transaction
from infratest.store.database.ledger import Delivery
from infratest.store.database.people import Note
from infratest.store.database.retention import Keep
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


def lived(folder: Path, *turns: tuple[float, float, str | None], refused: Sequence[int] = ()) -> Iterator[Transaction]:
    """Have a store that a monitor wrote in turns, at times of its own and of the wall clock's.

    Args:
        turns: the two times, in seconds from the begin on; and the state that a result changed to. refused: which of
        them the disk did not take.
    """
    with connection.opened(StateDir(folder)) as store:
        keeping, before = Keeping(store, "shop", "prod", Keep(), fresh=100.0), "-"
        for number, (steady, wall, state) in enumerate(turns):
            now, made = Moment(steady, WALL + wall), Changes()
            if not number:
                made.notes += begun(store, now, 100.0)
            if state is not None:
                made.changes.append(Change(now, ID, before, state, "down"))
                made.deliveries += [
                    Delivery(now, "queued", "oncall", ID, f"{ID}/{number}", "problem", state, RULE),
                    Delivery(now, "withheld", "oncall", ID, reason=f"as it is {state}"),
                ]
                before = state
            with pytest.MonkeyPatch.context() as patch:
                if number in refused:
                    patch.setattr(meta, "write_anchor", no_room)
                with suppress(NotKept):
                    keeping.write(made, Anchor(steady, steady, WALL + wall, "boot"))
        with store.sight() as sight:
            yield sight


def no_room(*_: object) -> None:
    raise NotKept("no room")


@pytest.mark.parametrize(
    ("turns", "times"),
    [
        # The machine slept from 20 on, for eight hours of which its own clock knows nothing.
        ([(0, 0, "ok"), (20, 20, None), (21, 28_820, None), (30, 28_830, None)], (20, 28_820)),
        # The loop hung.
        ([(0, 0, "ok"), (20, 20, None), (400, 400, "critical"), (410, 410, None)], (20, 400)),
    ],
)
def test_where_the_monitor_stood_still_nobody_watched(
    tmp_path: Path, turns: list[tuple[float, float, str | None]], times: tuple[int, int]
):
    for t in lived(tmp_path, *turns):
        for seconds, known in ((10, True), (times[0] + 1, False), (times[1] - 1, False), (times[1] + 1, True)):
            state = past.explained(t, ID, WALL + seconds, 100.0)["state"]
            assert (state != "unknown") is known, seconds
        texts = [each.text for each in people.notes(t)]
        assert texts == [BEGINS, ENDED, BEGINS]


def test_a_disk_that_takes_nothing_for_a_while_is_no_standing_still(tmp_path: Path):
    turns = [(float(each), float(each), "ok" if not each else None) for each in range(0, 600, 50)]
    for t in lived(tmp_path, *turns, refused=range(2, 9)):
        assert past.explained(t, ID, WALL + 300, 100.0)["state"] == "ok"
        assert [each.text for each in people.notes(t)] == [BEGINS]
    slept = [(0.0, 0.0, "ok"), (20.0, 20.0, None), (21.0, 9000.0, None), (31.0, 9010.0, None)]
    for t in lived(tmp_path / "slept", *slept, refused=[2]):
        assert past.explained(t, ID, WALL + 5000, 100.0)["state"] == "unknown", "it is kept with the next turn"


def test_a_clock_that_is_set_back_turns_no_order_round(tmp_path: Path):
    turns = [(0.0, 0.0, "ok"), (60.0, 60.0, "critical"), (70.0, 10.0, "ok"), (140.0, 80.0, None)]
    for t in lived(tmp_path, *turns):
        then = past.explained(t, ID, WALL + 70, 100.0)
        assert (then["state"], then["since"]) == ("ok", WALL + 10)
        assert [each["level"] for each in then["told"]] == ["ok", "critical", "ok"]
        assert then["withheld"] == {"oncall": "as it is ok"}
        rows = story.of_result(t, ID, WALL, WALL + 80)
        assert [row["after"] for row in rows] == ["ok", "critical", "ok"]
        assert story.drawn_states(rows, WALL, WALL + 80)[-1] == "."


@pytest.mark.parametrize("anew", [False, True])
def test_a_clock_that_is_years_ahead_for_minutes_takes_no_history_away(tmp_path: Path, anew: bool):
    years, day = 3 * 365 * 86400.0, 86400.0
    with connection.opened(StateDir(tmp_path)) as store:
        keeping = Keeping(store, "shop", "", Keep(hourly=30 * day), fresh=100.0)

        def turn(steady: float, wall: float) -> int:
            keeping.write(Changes(), Anchor(steady, steady, WALL + wall, "boot"))
            keeping.tend(Moment(steady, WALL + wall), {})
            with store.sight() as t:
                return len(changes.changes(t, ID))

        keeping.write(Changes(changes=[Change(at(0), ID, "-", "ok")]), Anchor(0.0, 0.0, WALL, "boot"))
        if anew:  # the machine boots, and its clock has not been set yet
            keeping = Keeping(store, "shop", "", Keep(hourly=30 * day), fresh=100.0)
        assert turn(10, years) == 1
        assert turn(1800, years + 1800) == 1
        assert turn(1810, 1810) == 1, "it is set right"
        assert turn(9000, 9000) == 1
        for number in range(1, 31):
            assert turn(9000 + number * day, number * day) == 1
        assert turn(9000 + 31 * day, 31 * day) == 0, "what is old goes in its time"
        keeping.write(Changes(changes=[Change(Moment(1e7, WALL + 31 * day), ID, "-", "ok")]),
                      Anchor(1e7, 1e7, WALL + years, "boot"))  # fmt: skip
        assert turn(1e7 + 3590, years + 3590) == 1
        assert turn(1e7 + 3610, years + 3610) == 0, "who is as far ahead for an hour means it"


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
    values = (1.5e308, 1.6e308), (-1.7e308,), (float("inf"),), (0.0,)
    large = [{"time": time, "value": each} for time, some in enumerate(values) for each in some]
    assert story.drawn_numbers(large, 0.0, 60.0)[:4] == "█▁ ▅"


def test_of_what_is_watched_no_longer_nothing_is_remembered(tmp_path: Path):
    result = Result(ID, "a.feature", "b", 1, "web", "ok", "")
    seen = Number(result, "time", "s", WALL, 1.0)

    def keep(made: Changes, seconds: float) -> None:
        keeping.write(made, Anchor(seconds, seconds, WALL + seconds, "boot"))

    with connection.opened(StateDir(tmp_path)) as store:
        keeping = Keeping(store, "shop", "prod", Keep(), fresh=100.0)
        keep(Changes(numbers=[seen]), 1.0)
        keep(Changes(numbers=[seen]), 2.0)
        assert (len(keeping._series), len(store._series)) == (1, 1)
        keep(Changes(statuses={ID: None}), 3.0)
        assert (keeping._series, store._series) == ({}, {})
        keep(Changes(numbers=[seen]), 4.0)  # its host came again
        with store.sight() as t:
            ((key, *_),) = numbers.keys(t)
            assert len(numbers.points(t, key, 0, WALL + 9)) == 3
