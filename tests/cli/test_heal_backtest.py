"""`infratest heal backtest` as its user runs it: by a monitor's store, and by the audit where there is none."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from infratest.alerting.moments import Anchor, Moment
from infratest.monitor.keeping import BEGINS, MYSELF
from infratest.store.database import changes, connection, meta, people
from infratest.store.database.changes import Change
from infratest.store.database.people import Note
from infratest.store.directory import StateDir
from tests.worlds.small_project import run, write

ID = "features/shop.feature#it-is-there@here"
STACK = """\
stack: backtested
provider: local
hosts: {here: {groups: [web]}}
heal:
  put-it-there:
    when: {tags: "@web", state: critical}
    confirm: 4
    at-most: 100%
    do: [{run: "true"}]
    mode: auto
  never: {do: [{run: "true"}]}
"""
FEATURE = '@web\nFeature: The shop\n  Scenario: it is there\n    Then the file "/nowhere" exists\n'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path, {"stack.yaml": STACK, "features/shop.feature": FEATURE})


def backtest(folder: Path, *words: str) -> tuple[int, str, str]:
    done = run(folder, "infratest", "heal", "backtest", *words)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def keep(folder: Path, *spans: tuple[float, float]) -> None:
    """Have a store of a monitor that saw these outages, of the last day."""
    begin = time.time() - 86_400.0

    def at(seconds: float) -> Moment:
        return Moment(seconds, begin + seconds)

    made = [Change(at(0), ID, "-", "ok")]
    for start, end in spans:
        made += [Change(at(start), ID, "ok", "critical", "it is gone"), Change(at(end), ID, "critical", "ok")]
    with connection.opened(StateDir(folder / ".infratest")) as store, store.transaction() as t:
        changes.add(t, [*made, *(Change(at(0), f"reachable@{name}", "-", "ok") for name in ("here",))])
        people.add_notes(t, [Note(at(0), BEGINS, MYSELF)])
        meta.write_watched(t, begin + 86_400.0)
        meta.write_anchor(t, Anchor(86_400.0, 0.0, begin + 86_400.0, "boot"))


def test_by_a_monitors_store(shop: Path):
    keep(shop, (1000, 5000), (20_000, 20_030), (40_000, 41_000))
    status, out, _ = backtest(shop)
    assert status == 0, out
    lines = out.splitlines()
    assert lines[0].startswith("INFRATEST HEAL BACKTEST - backtested: from ")
    assert lines[1:4] == [
        "rule put-it-there: 3 problems; acted 2; refused 1", "  refused by confirm: 1", "rule never: 0 problems",
    ]  # fmt: skip
    assert "not known then, and taken as open: suppressed, pause, witness, time, fence, change" in lines
    (shop / "stack.yaml").write_text(STACK.replace("confirm: 4", "confirm: {failures: 4, of: 6}"))
    assert backtest(shop)[1].splitlines()[1:3] == lines[1:3]
    answer = json.loads(backtest(shop, "--since", "13h", "--rule", "put-it-there", "--format", "json")[1])
    assert answer["source"] == "monitor"
    assert answer["rules"] == {"put-it-there": {"problems": 1, "acted": 1, "refused_by": {}}}


def test_by_the_audit_alone_where_no_monitor_was(shop: Path):
    status, _, err = backtest(shop)
    assert (status, "there is nothing to replay" in err) == (3, True)
    for _ in range(2):
        assert run(shop, "infratest", "check", "--heal").returncode == 2
    status, out, _ = backtest(shop, "--rule", "put-it-there")
    assert (status, out.splitlines()[1:3]) == (
        0, ["rule put-it-there: 1 problem; refused 1", "  refused by confirm: 1"],
    )  # fmt: skip
    acts = "rule put-it-there: 1 problem; acted 1"
    # Of failures in a row it is known how many there were of so many looks.
    for confirm in ("1", "{failures: 1, of: 3}"):
        (shop / "stack.yaml").write_text(STACK.replace("confirm: 4", f"confirm: {confirm}"))
        assert backtest(shop)[1].splitlines()[1] == acts
    # What is asked so is on record in other words.
    (shop / ".infratest" / "heal.jsonl").unlink()
    (shop / "stack.yaml").write_text(STACK.replace("confirm: 4", "confirm: {failures: 2, of: 3}"))
    assert run(shop, "infratest", "check", "--heal").returncode == 2
    assert backtest(shop)[1].splitlines()[1] == acts
    (shop / "stack.yaml").write_text(STACK.replace("confirm: 4", "confirm: {failures: 4, of: 5}"))
    assert backtest(shop)[1].splitlines()[2] == "  refused by confirm: 1"
    status, _, err = backtest(shop, "--since", "90d")
    assert (status, "heal.jsonl reaches back to " in err) == (3, True)


def test_a_store_of_another_environment_says_nothing(shop: Path):
    keep(shop, (1000, 5000))
    with connection.opened(StateDir(shop / ".infratest")) as store, store.transaction() as t:
        meta.write_place(t, "backtested/dev")
    status, _, err = backtest(shop)
    assert (status, "backtest: no monitor of backtested has kept anything on" in err) == (3, True)


def test_what_cannot_be_said_is_refused(shop: Path):
    status, _, err = backtest(shop, "--rule", "put-it-their")
    assert (status, "put-it-there" in err) == (3, True)
    keep(shop, (1000, 5000))
    status, _, err = backtest(shop, "--since", "90d")
    assert (status, "leave --since out for all that it has" in err) == (3, True)
    status, _, err = backtest(shop, "--comment", "x")
    assert (status, "--comment is for heal" in err) == (3, True)
    status, _, err = backtest(shop, "put-it-there")
    assert (status, "one rule alone is --rule NAME" in err) == (3, True)
    (shop / "stack.yaml").write_text("stack: shop\nprovider: local\nhosts: {here: {}}\n")
    status, _, err = backtest(shop)
    assert (status, "no rules under heal:" in err) == (3, True)
