"""What confirms a failure, look by look: in a row, or so many of the newest."""

from __future__ import annotations

import pytest

from infratest.heal.gates.result import confirmation
from infratest.heal.healing import heal
from infratest.store.directory import StateDir
from infratest.store.failures import LOOKS, ROW_GAP, Row, counted, load, record_run
from tests.worlds.heal_world import NOON, World, closed, make_report, make_result, make_rule, result_id

STATES = {"c": "critical", "w": "warning", ".": "ok", "?": "unknown", "-": "skipped"}


def rows(looks: str, apart: float = 60.0, drilled: str = "") -> Row:
    """Return the row after these looks, a minute apart. drilled: `d` for each that a drill made."""
    found: dict[str, Row] = {}
    for number, look in enumerate(looks):
        report = make_report([make_result(STATES[look])], NOON + apart * number)
        found = counted(found, report, drilled[number : number + 1] == "d")
    return found[result_id("web-1")]


@pytest.mark.parametrize(
    ("looks", "in_a_row", "of_three"),
    [
        ("c", False, False), ("cc", True, True), ("c.c", False, True), ("c..c", False, False), ("c?c", False, True),
        ("c??c", False, True), ("c-c", False, True), ("wc", False, False), ("c.c.c", False, True), ("cc.", None, None),
    ],
)  # fmt: skip
def test_two_in_a_row_and_two_of_three(looks: str, in_a_row: bool | None, of_three: bool | None) -> None:
    row = rows(looks)
    if in_a_row is None:
        assert row.state == "ok"
        return
    result = make_result(STATES[looks[-1]])
    assert confirmation(make_rule(confirm=2), result, row)[0] is in_a_row
    assert confirmation(make_rule(confirm=2, confirm_of=3), result, row)[0] is of_three


def test_looks_that_lie_far_apart_are_none_of_one_row_and_not_more_are_kept_than_a_rule_may_ask_for() -> None:
    assert rows("c.c", ROW_GAP + 1).looks == "c"
    assert rows("." * 5).looks == "", "of what is well nothing is kept"
    assert len(rows("c" * (LOOKS + 5)).looks) == LOOKS
    assert rows("c" + "." * LOOKS).looks == ""


@pytest.mark.parametrize(
    ("looks", "drilled", "kept", "began"),
    [
        ("cc", "dd", "cc", 0),  # within it they confirm
        ("cc.c", "ddd ", "c", 3),
        ("ccc", "dd ", "c", 2),  # it was killed, and its fault is there still
        ("cc?c", "dd  ", "c", 3),
        ("c.c", "d  ", "c", 2),
        ("ccc", " d ", "ccc", 0),  # what failed before it is real
        ("c.c", " d ", "c.c", 2),
    ],
)
def test_what_a_drill_has_broken_confirms_nothing_afterwards(looks: str, drilled: str, kept: str, began: int) -> None:
    row = rows(looks, drilled=drilled)
    assert (row.looks, row.since) == (kept, NOON + 60.0 * began)
    assert row.failures == len(kept.rpartition(".")[2])
    assert row.drill is (drilled[-1] == "d")


@pytest.mark.parametrize(
    ("looks", "drilled", "confirms"),
    [("cc", "dd", False), ("c.c", "ddd", False), ("cc", "d ", False), ("ccc", "dd ", False), ("cc", " d", True)],
)
def test_what_was_seen_in_a_drill_confirms_within_it_alone(looks: str, drilled: str, confirms: bool) -> None:
    row, rule = rows(looks, drilled=drilled), make_rule(confirm=2, confirm_of=3)
    assert confirmation(rule, make_result("critical"), row)[0] is confirms
    assert confirmation(rule, make_result("critical"), row, True)[0] is (row.looks.count("c") > 1)


@pytest.mark.parametrize(("drilled", "acts"), [("", False), ("mend-web", True)])
def test_the_last_look_of_a_drill_that_was_interrupted_is_not_acted_on(
    world: World, state: StateDir, drilled: str, acts: bool
) -> None:
    record_run(state, world.report(), world.now, True)  # its own, before it was interrupted
    (record,) = heal(world.report(), [make_rule()], state, world.means(drilled=drilled), history={})
    assert (bool(world.acts), closed(record)) == (acts, [] if acts else ["confirm"])


@pytest.mark.parametrize(
    ("looks", "of", "began"),
    [
        ("c.c", 3, [0, 2]), ("c.c", 2, [2]), ("c.c.", 3, [2]), ("c.c.", 4, [0, 2]), ("cc.wc", 5, [0, 3]),
        ("c?c", 3, [0]), ("c..", 2, []), ("ccc", 2, [0]), ("c" + "." * LOOKS, LOOKS, []),
        ("c." * LOOKS, 3, [2 * LOOKS - 2]),
    ],
)  # fmt: skip
def test_which_problems_have_failures_among_the_newest_looks(looks: str, of: int, began: list[int]) -> None:
    assert rows(looks).problems(of) == tuple(NOON + 60.0 * at for at in began)


def test_they_are_known_after_a_restart(state: StateDir) -> None:
    for number, look in enumerate("c.c"):
        at = NOON + 60.0 * number
        kept = record_run(state, make_report([make_result(STATES[look])], at), at)
    assert load(state, "shop/prod") == kept
    assert kept[result_id("web-1")].problems(3) == (NOON, NOON + 120.0)
