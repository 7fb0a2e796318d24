"""What a drill takes for healed: what its own fault has turned red, by the rule, and before the fault is undone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.heal import verifying
from infratest.heal.gates.result import confirmation
from infratest.heal.records import TRIED, HealRecord
from infratest.project import drill as drilled
from infratest.project.drill import Outcome, drill, drills
from infratest.project.session import Session
from infratest.store import drilling, failures
from infratest.store.directory import StateDir
from tests.worlds import forked
from tests.worlds.heal_world import make_report, make_result, make_rule

STACK = """\
stack: drilled
provider: local
hosts: {web: {groups: [web]}, db: {groups: [db]}}
heal:
  mend:
    when: {tags: "@mended", state: critical}
    confirm: 1
    do: [{run: DO}]
    budget: {tries: 3, per: 1min}
    at-most: 100%
"""
#: The fault breaks all but `extra`.
FEATURE = """\
Feature: The shop
  @web @THERE
  Scenario: it is there
    Then the file "FOLDER/flag" exists

  @web
  Scenario: it says so
    Then the file "FOLDER/flag" contains "yes"

  @db
  Scenario: another
    Then the file "FOLDER/flag" contains "all"

  @web @EXTRA
  Scenario: the extra
    Then the file "FOLDER/extra" exists

  @drill:mend @id:lost
  Scenario: what is lost comes back
    When the file "FOLDER/flag" is removed on "web"
    Then the scenario "it-says-so" is critical on "web" within 60 s
    MORE
    And the rule "mend" heals "web" by "run" within WITHIN s
"""
FLAG = "yes\nall\n"
ANOTHER = 'And the scenario "another" is critical on "db" within 60 s'
ALL = "sh -c 'echo yes all >FOLDER/flag'"


class Project:
    """A flag, what looks at it, and a drill that removes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "features").mkdir()
        (folder / "flag").write_text(FLAG)
        (folder / "extra").touch()
        self.session = Session(stack_path=folder / "stack.yaml")

    def drill(self, do: str = ALL, more: str = "", within: int = 60, mended: str = "THERE") -> Outcome:
        """Drill once.

        Args:
            do: what the rule runs. more: a line of the drill. within: seconds to be healed in. mended: what the rule is
            for.
        """
        told = {mended: "mended", "FOLDER": str(self.folder), "MORE": more, "WITHIN": str(within)}
        for name, text in (("stack.yaml", STACK.replace("DO", f'"{do}"')), ("features/shop.feature", FEATURE)):
            for word, meant in told.items():
                text = text.replace(word, meant)
            (self.folder / name).write_text(text)
        deadline = Deadline(600.0)
        prepared, (task,) = drills(self.session, None, False, deadline)
        outcome = drill(self.session, prepared, task, deadline)
        assert (self.folder / "flag").read_text() == FLAG  # whatever came, the fault is undone
        return outcome


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_turned_red_may_be_another_than_what_the_rule_is_for_once_all_is_well_again(project: Project) -> None:
    outcome = project.drill(more=ANOTHER)
    assert outcome.proven, outcome.result.reason


def test_what_is_seen_of_what_it_broke_is_kept_as_a_drills(project: Project) -> None:
    project.drill()
    kept = [one for one in project.session.state.read("events.jsonl") if one["labels"]["kind"] == "result"]
    of_drill = ["drill" in one["labels"] for one in kept]
    before = of_drill.index(True)
    assert all(one["value"] == "ok" for one in kept[:before])
    assert all(of_drill[before:]), "also the last look, at which all is well again"
    assert {"critical"} < {one["value"] for one in kept[before:]}
    assert len({one["labels"]["drill"] for one in kept[before:]}) == 1


def test_it_says_when_it_has_something_broken_and_when_that_is_over_although_it_is_interrupted(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, looked = StateDir(project.folder / ".infratest"), list[bool]()

    def interrupted(watch: object, report: object, scenario: str, host: str = "") -> list[object]:
        looked.append(drilling.during(state, "drilled", time.time()))
        if looked[-1]:
            raise KeyboardInterrupt
        return list(of(watch, report, scenario, host))

    of = drilled._Watch.of
    monkeypatch.setattr(drilled._Watch, "of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        project.drill()
    assert {*looked} == {False, True}, "before the fault, and since"
    assert not drilling.during(state, "drilled", time.time() + 1.0)
    told = [one for one in state.read("events.jsonl") if one["labels"].get("verb") == "drill"]
    assert [one["labels"]["outcome"] for one in told] == ["broke", "over"]
    assert all(float(one["labels"]["drill"]) <= one["time"] + 0.001 for one in told)


def test_a_heal_of_another_scenario_is_none_of_what_turned_red(project: Project) -> None:
    outcome = project.drill("touch FOLDER/flag", within=2)  # it is there, and says nothing: the undo would mend that
    assert not outcome.proven
    assert "it healed something there, and 'it-says-so' is critical" in outcome.result.reason
    state, id = project.session.state, "features/shop.feature#it-says-so@web"
    row = failures.load(state, "drilled")[id]
    assert "c" in row.looks
    red = make_result("critical", "web", id=id)
    after = failures.counted({id: row}, make_report([red], row.last + 60.0))[id]
    assert not confirmation(make_rule(confirm=2, confirm_of=3), red, after)[0], "that it was red in the drill"


def test_what_turned_red_on_another_host_is_well_before_the_fault_is_undone(project: Project) -> None:
    outcome = project.drill("sh -c 'echo yes >FOLDER/flag'", ANOTHER)
    assert not outcome.proven
    assert outcome.result.state == "critical"
    assert "'another' is still critical on db" in outcome.result.reason


def test_a_heal_of_what_was_broken_before_the_fault_is_none_of_it(project: Project) -> None:
    (project.folder / "extra").unlink()
    outcome = project.drill("sh -c 'touch FOLDER/extra; echo yes >FOLDER/flag'", within=2, mended="EXTRA")
    assert not outcome.proven
    assert "it healed what was broken before the fault: features/shop.feature#the-extra@web" in outcome.result.reason


def test_a_heal_that_is_not_verified_yet_is_no_drills(project: Project) -> None:
    id = "features/shop.feature#it-is-there@web"
    made = HealRecord(
        time=1.0, rule=make_rule(), outcome=TRIED, gates=(), rung=0, remedy="run touch",
        before=make_result("critical", "web", id=id),
    )  # fmt: skip
    verifying.add(StateDir(project.folder / ".infratest"), "drilled", made, "1-1-0", 1.0, {})
    outcome = project.drill()
    assert not outcome.proven
    assert f"nothing was done: a heal of {id} is not verified yet" in outcome.result.reason


#: Of two hosts one is stopped, which the other one sees.
DOWN = """\
stack: drilled
provider: {name: fake, world: WORLD, transport: {otherwise: run}}
hosts: {web: {groups: [web]}, desk: {groups: [desk]}}
heal:
  mend:
    when: {tags: "@reachable"}
    confirm: 1
    do: [{power-cycle: {}}]
    at-most: 100%
"""
STOPS = """\
Feature: The shop
  Scenario: its state
    Given the hosts in group "desk"
    Then the command "grep -l web WORLD/host-*.json | xargs grep -q running" exits 0

  Scenario: it answers
    Given the hosts in group "web"
    Then the directory "/" exists

  @drill:mend @id:down
  Scenario: a host that is down comes back
    When the command "grep -l web WORLD/host-*.json | xargs sed -i s/running/stopped/" is run on "web"
    Then the scenario "its-state" is critical on "desk" within 60 s
    And the rule "mend" heals "web" by "power-cycle" within 5 s
"""


def test_a_way_in_that_was_there_before_the_fault_was_well(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    for name, text in (("stack.yaml", DOWN), ("features/shop.feature", STOPS)):
        (tmp_path / name).write_text(text.replace("WORLD", str(tmp_path / "world")))
    assert forked.run(["up"], cwd=tmp_path, timeout=100).returncode == 0
    session, deadline = Session(stack_path=tmp_path / "stack.yaml"), Deadline(600.0)
    prepared, (task,) = drills(session, None, False, deadline)
    outcome = drill(session, prepared, task, deadline)
    assert outcome.proven, outcome.result.reason
