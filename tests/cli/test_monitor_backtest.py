"""`infratest monitor backtest` as its user runs it, on a store that was written by hand."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from infratest.alerting.moments import Anchor, Moment
from infratest.errors import UserError
from infratest.monitor.keeping import BEGINS, MYSELF
from infratest.monitor.settings import changed
from infratest.stack.monitor import Flapping, Monitor
from infratest.store.database import changes, connection, ledger, meta, people
from infratest.store.database.changes import Change
from infratest.store.database.ledger import Delivery
from infratest.store.database.people import Note
from infratest.store.directory import StateDir
from tests.worlds.monitor_world import FEATURE, STACK, THERE
from tests.worlds.small_project import run, write

#: Seconds from the beginning of what is kept until now.
LONG = 50_000.0


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Have a project whose monitor saw two outages: one of 2 s that nobody remembers, and one of 1000 s."""
    write(tmp_path, {"stack.yaml": STACK.format(port=9), "features/x.feature": FEATURE.format(there=tmp_path)})
    begin = time.time() - LONG

    def at(seconds: float) -> Moment:
        return Moment(1000.0 + seconds, begin + seconds)

    with connection.opened(StateDir(tmp_path / ".infratest")) as store, store.transaction() as t:
        for time_, before, after in [(0, "-", "ok"), (5000, "ok", "critical"), (5002, "critical", "ok"),
                                     (9000, "ok", "critical"), (10_000, "critical", "ok")]:  # fmt: skip
            changes.add(t, [Change(at(time_), THERE, before, after, "it is gone" if after == "critical" else "")])
        for time_, kind, level in [(5000, "problem", "critical"), (5002, "recovery", "ok"),
                                   (9000, "problem", "critical"), (10_000, "recovery", "ok")]:  # fmt: skip
            ledger.add(t, [Delivery(at(time_), "delivered", "oncall", THERE, f"{THERE}/{time_}", kind, level)])
        people.add_notes(t, [Note(at(0), BEGINS, MYSELF)])
        meta.write_watched(t, begin + LONG)
        meta.write_anchor(t, Anchor(1000.0 + LONG, 0.0, begin + LONG, "boot"))
    return tmp_path


def backtest(folder: Path, *words: str) -> tuple[int, str, str]:
    done = run(folder, "infratest", "monitor", "backtest", *words)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_both_policies_beside_what_was_told(shop: Path):
    status, out, _ = backtest(shop, "--set", "attempts=6", "--lasting", "1s")
    assert status == 0, out
    lines = out.splitlines()
    assert lines[0].startswith("INFRATEST BACKTEST - shop: 13.9 h, from ")
    assert [line.split() for line in lines[1:5]] == [
        ["told", "then", "as", "it", "stands", "attempts=6"],
        ["problems", "-", "2", "1"],
        ["oncall:", "problem", "2", "2", "1"],
        ["oncall:", "recovery", "2", "2", "1"],
    ]
    assert lines[5] == "seen later: 1 outage, by 4 s at most, 4 s in the middle (median)"
    assert lines[6] == "not told at all: 1 problem, of those that lasted 1 s or longer 1:"
    assert lines[7].startswith(f"  {THERE}: from ")
    assert lines[7].endswith(" UTC, for 2 s")
    assert lines[8] == "what it stands on:"
    assert "5 changes of hard states in that time" in lines[9]


def test_as_json_and_by_the_policy_that_stands(shop: Path):
    status, out, _ = backtest(shop, "--format", "json", "--since", "12h")
    answer = json.loads(out)
    assert (status, answer["told_then"]) == (0, {"oncall": {"problem": 1, "recovery": 1}})
    assert answer["as_it_stands"] == {"problems": 1, "notices": answer["told_then"]}
    assert "changed" not in answer
    answer = json.loads(backtest(shop, "--set", "attempts=1", "--format", "json")[1])
    assert answer["not_told"] == []
    assert any("is at least this much" in each for each in answer["grounds"])


def test_what_cannot_be_said_is_refused(shop: Path, tmp_path: Path):
    status, _, err = backtest(shop, "--since", "30d")
    assert (status, "the store reaches back to " in err, "leave --since out" in err) == (3, True, True)
    status, _, err = backtest(shop, "--set", "attemps=5")
    assert (status, "--set 'attemps=5': unknown key 'attemps': did you mean 'attempts'?" in err) == (3, True)
    write(tmp_path, {"new/stack.yaml": STACK.format(port=9), "new/features/x.feature": FEATURE.format(there="/")})
    status, _, err = backtest(tmp_path / "new")
    assert (status, "no monitor has kept anything" in err) == (3, True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["attempts"], "--set 'attempts': write KEY=VALUE, as --set attempts=5"),
        (["attempts=no"], "'no' is neither a whole number nor, as 3/5, so many failures of so many looks"),
        (["attempts=5/3"], "--set attempts=5/3: attempts: 5 failures of 3 looks cannot be"),
        (["retry=5"], "--set 'retry=5': "),
        (["retry=0s"], "both must be above 0"),
        (["recover=0"], "recover: 0 greens cannot be"),
        (["recover=1.5"], "'1.5' is no whole number"),
        (["flap=on"], "'on' is not off; a part of it is flap.changes, flap.within or flap.calm"),
        (["flap.changes=1"], "flap: 1 changes within"),
        (["tell=x"], "unknown key 'tell'"),
        (["stale=0"], "stale: 0 intervals cannot be"),
    ],
)
def test_settings_that_are_none(given: list[str], words: str):
    with pytest.raises(UserError) as error:
        changed(Monitor(), given)
    assert words in str(error.value)


def test_settings_stand_in_place_of_the_files():
    made = changed(Monitor(), ["interval=10s", "retry=2s", "attempts=3/5", "recover=2", "stale=4", "flap.changes=6"])
    assert (made.interval, made.retry, made.failures, made.of, made.recover, made.stale) == (10.0, 2.0, 3, 5, 2, 4)
    assert made.flap == Flapping(changes=6)
    assert changed(made, ["flap=off"]).flap is None
    assert changed(made, ["flap=off", "flap.within=1h", "flap.calm=5min"]).flap == Flapping(within=3600.0, calm=300.0)
    assert changed(made, ["attempts.of=9", "attempts.failures=2"]).of == 9
