"""What healing keeps, and who keeps it: a state directory that is shut, a second run, a run that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic, sleep

import pytest

from infratest.errors import StateError
from infratest.heal.healing import heal
from infratest.heal.records import HealRecord, note
from infratest.store.directory import StateDir
from tests.worlds.heal_world import NOON, Ticking, World, closed, events, make_rule, run

#: What a try on record says first.
OF_A_TRY = '"event": "try", "stack": "shop", "env": "prod"'


def test_a_state_directory_that_cannot_be_written_stops_it_before_the_act(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="could not be made: Not a directory; name another with --state"):
        heal(world.report(), [make_rule()], StateDir(tmp_path / "file" / "state"), world.means(), history={})
    assert world.acts == []


def test_a_second_run_is_told_who_holds_the_stack(world: World, state: StateDir) -> None:
    other = StateDir(state.path)
    with other.lock(purpose="heal"), pytest.raises(StateError, match=r"is in use by process \d+ \(heal\): wait"):
        run(world, state, make_rule(), wait=0.05)
    assert world.acts == []


def test_a_second_run_that_waited_finds_it_healed(world: World, state: StateDir) -> None:
    report, rule = world.report(), make_rule()
    begun, go_on = threading.Event(), threading.Event()

    def first_act(name: str) -> None:
        begun.set()
        go_on.wait(10)

    world.on_act = first_act
    means = world.means(clock=Ticking(NOON, 0.001))
    one = threading.Thread(target=heal, args=(report, [rule], state, means), kwargs={"history": {}})
    one.start()
    assert begun.wait(10)
    found: list[HealRecord] = []

    def second() -> None:
        found.extend(heal(report, [rule], StateDir(state.path), means, history={}, wait=20.0))

    two = threading.Thread(target=second)
    two.start()
    go_on.set()
    one.join(20)
    two.join(20)
    assert len(world.acts) == 1
    assert (found[0].outcome, closed(found[0])) == ("recovered", [])
    assert note(found) == ["ok again before anything was done, was CRITICAL"]


KILLED_IN_MID_HEAL = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.worlds.heal_world import World, make_rule
from infratest.heal.healing import heal
from infratest.store.directory import StateDir
folder = Path(sys.argv[2])
world = World(folder, sick={"web-1"})
rule = make_rule(do=(("hook", ["sh", "-c", "echo $$ >hook.pid; exec sleep 300"]),), tries=2)
heal(world.report(), [rule], StateDir(folder / "state"), world.means(), history={})
"""


def test_a_kill_in_mid_heal_counts_against_the_budget(world: World, state: StateDir, tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[2])
    healer = subprocess.Popen([sys.executable, "-c", KILLED_IN_MID_HEAL, tests, str(tmp_path)])
    end = monotonic() + 30
    pid = tmp_path / "hook.pid"
    while not pid.exists() or not pid.read_text().strip() or "process" not in events(state):
        assert monotonic() < end
        assert healer.poll() is None
        sleep(0.01)
    healer.kill()
    assert healer.wait(10) == -9
    os.kill(int((tmp_path / "hook.pid").read_text()), 9)
    assert events(state) == ["try", "process"]

    rule = make_rule(tries=2)
    world.now = NOON + 10
    world.helps = False
    (record,) = heal(world.report(), [rule], state, world.means(), history={})
    assert closed(record) == ["concurrency"]  # whatever it had begun may still run
    assert world.acts == []
    world.now = NOON + 61  # the time that a hook is given is over
    (record,) = heal(world.report(), [rule], state, world.means(), history={})
    assert record.outcome == "tried"
    world.now += 120
    assert note(heal(world.report(), [rule], state, world.means(), history={}))[0].startswith(
        "healing gave up after 2 tries:"
    )
    assert len(world.acts) == 1


def test_a_torn_line_in_the_audit_is_tolerated(world: World, state: StateDir) -> None:
    world.helps = False
    run(world, state, make_rule(tries=2))
    with (state.path / "heal.jsonl").open("a") as audit:
        audit.write('{"event": "try", "stack": "shop", "env": "prod", "ru')
    assert run(world, state, make_rule(tries=2))[0].outcome == "tried"
    assert note(run(world, state, make_rule(tries=2))) == [
        "healing gave up after 2 tries: it begins again 2027-01-15 09:01:00 UTC"
    ]
    assert all(json.loads(line) for line in (state.path / "heal.jsonl").read_text().splitlines() if line.endswith("}"))


@pytest.mark.parametrize(
    "line, words",
    [
        (f"{{{OF_A_TRY}}}", "KeyError: 'rule'"),
        (
            f'{{{OF_A_TRY}, "rule": "mend", "host": "web-1", "time": "x", "until": 1, "try": "q"}}',
            "ValueError: could not convert string to float: 'x'",
        ),
        (
            f'{{{OF_A_TRY}, "rule": "mend", "host": "web-1", "time": 1, "until": null, "try": "q"}}',
            "TypeError: ",
        ),
    ],
)
def test_a_damaged_try_in_the_audit_stops_it_before_the_act(
    world: World, state: StateDir, line: str, words: str
) -> None:
    state.make()
    (state.path / "heal.jsonl").write_text(line + "\n")
    with pytest.raises(StateError) as caught:
        run(world, state, make_rule())
    assert f"{state.path}/heal.jsonl holds a try that cannot be read ({words}" in str(caught.value)
    assert world.acts == []


def test_a_line_of_the_audit_that_may_have_been_a_try_stops_it_before_the_act(world: World, state: StateDir) -> None:
    world.helps = False
    run(world, state, make_rule(tries=2))
    acts, path = len(world.acts), state.path / "heal.jsonl"
    path.write_text(path.read_text().replace('{"', "{", 1))
    with pytest.raises(StateError, match=r"heal\.jsonl:1 is damaged: .*no budget can be counted"):
        run(world, state, make_rule(tries=2))
    assert len(world.acts) == acts


def test_a_damaged_refusal_in_the_audit_is_written_again(world: World, state: StateDir) -> None:
    run(world, state, make_rule(mode="observe"))
    (record,) = state.read("heal.jsonl")
    del record["gates"]
    (state.path / "heal.jsonl").write_text(json.dumps(record) + "\n")
    run(world, state, make_rule(mode="observe"))
    assert [sorted(one["gates"][0]) for one in state.read("heal.jsonl")[1:]] == [["name", "passed", "reason"]]
