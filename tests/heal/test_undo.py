"""`infratest heal undo`: what can be undone, once, on record before it is begun; the rule rests, whatever came."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import HealError
from infratest.heal import proposals, verifying
from infratest.heal.acts import Acts
from infratest.heal.audit import Audit
from infratest.heal.gates import Limits
from infratest.heal.healing import heal
from infratest.heal.ladder import remedies
from infratest.heal.undoing import can_undo, undo, undo_words
from infratest.store.directory import StateDir
from tests.cli.test_heal import Project
from tests.worlds.heal_world import World, closed, make_report, make_rule, run, surroundings

UNDO = "rm -f {folder}/there; echo taken back"


class Undone(Project):
    """A project whose one rung makes a file, and whose undo removes it."""

    def __init__(self, folder: Path, undo: str = UNDO) -> None:
        super().__init__(folder)
        stack = folder / "stack.yaml"
        text = stack.read_text().replace("confirm: 2", "confirm: 1")
        rung = f'{{run: "touch {folder}/there"}}'
        words = json.dumps({"command": ["touch", f"{folder}/there"], "undo": ["sh", "-c", undo.format(folder=folder)]})
        assert rung in text
        stack.write_text(text.replace(rung, f"{{hook: {words}}}"))

    def heal(self) -> str:
        status, words = self.run("check", "--env", "prod", "--heal", "--timeout", "60")
        assert (status, "healed: hook touch" in words) == (0, True), words
        return str(self.records()[-1]["try"])

    def undo(self, *words: str) -> tuple[int, str]:
        return self.run("heal", "undo", "--env", "prod", *words)

    def records(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / ".infratest" / "heal.jsonl").read_text().splitlines()]


def test_a_heal_is_undone_once_and_its_rule_rests(tmp_path: Path) -> None:
    project = Undone(tmp_path)
    assert project.undo() == (0, "nothing was healed\n")
    id = project.heal()
    status, listed = project.undo()
    assert (status, listed.startswith(f"{id}  ")) == (0, True)
    assert "undo hook sh -c " in listed
    status, words = project.undo(id, "--comment", "it was the wrong file")
    assert (status, words) == (0, "undone: taken back\n")
    assert not project.there.exists()
    begun, *_, ended = [one for one in project.records() if one["event"] in ("undo", "process", "undone")][-3:]
    assert begun["event"] == "undo"
    assert str(begun["by"]).endswith(": it was the wrong file")
    assert (ended["event"], ended["words"], ended["verified"]) == ("undone", "taken back", False)
    status, words = project.undo(id)
    assert status != 0
    assert "it was undone: taken back; nothing is undone twice" in words
    assert "it was undone: taken back" in project.undo()[1]
    status, words = project.run("check", "--env", "prod", "--heal", "--timeout", "60")
    assert (status, "not healed: a heal was undone by " in words) == (2, True)
    assert not project.there.exists()


def test_an_undo_whose_end_is_lost_is_not_begun_again(tmp_path: Path) -> None:
    project = Undone(tmp_path)
    id = project.heal()
    project.undo(id)
    file = tmp_path / ".infratest" / "heal.jsonl"
    kept = [line for line in file.read_text().splitlines() if json.loads(line)["event"] != "undone"]
    file.write_text("\n".join(kept) + "\n")
    project.there.touch()
    status, words = project.undo(id)
    assert status != 0
    assert "and its end is not on record; nothing is undone twice" in words
    assert project.there.exists()


def test_an_undo_that_fails_is_told_and_not_tried_again(tmp_path: Path) -> None:
    project = Undone(tmp_path, "echo no way back; exit 1")
    id = project.heal()
    status, words = project.undo(id)
    assert status != 0
    assert "could not be undone: hook touch" in words
    assert "no way back" in words
    assert "nothing is undone twice" in project.undo(id)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none-such"], "heal 'none-such': there is none of that id on record; `infratest heal undo --env prod` lists"),
        (["x", "--grant", "auto"], "--grant is for heal trust"),
    ],
)
def test_wrong_use(tmp_path: Path, words: list[str], said: str) -> None:
    project = Undone(tmp_path)
    project.heal()
    status, text = project.undo(*words)
    assert (status, said in text) == (3, True), text


def test_a_rule_that_has_changed_since_undoes_nothing(tmp_path: Path) -> None:
    project = Undone(tmp_path)
    id = project.heal()
    stack = tmp_path / "stack.yaml"
    stack.write_text(stack.read_text().replace('"touch"', '"mkdir"'))
    status, words = project.undo(id)
    assert (status, "rule put-it-there has changed" in words) == (3, True), words
    assert project.there.exists()


@pytest.mark.parametrize(
    ("rung", "words"),
    [
        (("restart-service", "nginx"), "none: a heal ends with the host as the act left it"),
        (("clear-space", {"below": ["/srv/x"], "older-than": "1 day"}), "none: what was removed is gone"),
        (("provision", {}), "none: the files of the last good run are in your version control"),
        (("replace", {}), "its successor is removed, and the old host stands in its place again, started"),
        (("hook", "page.sh"), "none: the rule names no `undo:` of the hook"),
        (("hook", {"command": "drain.sh", "undo": ["register", "-a"]}), "hook register -a"),
    ],
)
def test_each_remedy_says_what_its_undo_is(rung: tuple[str, object], words: str) -> None:
    (remedy,) = remedies(make_rule(do=(rung,)))
    assert undo_words(remedy).startswith(words)
    assert can_undo(remedy) is not words.startswith("none")


def test_what_an_undo_has_done_is_known_in_a_new_file_too(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(world, state, make_rule())
    audit = Audit(state, "shop/prod", world.now, looking=True)
    number = str(audit.begun()[0]["try"])
    audit.undo(number, "alice", world.now)
    audit.undo_ended(number, "taken back", world.now)
    monkeypatch.setenv("INFRATEST_KEEP_SIZE", "1KiB")
    assert Audit(state, "shop/prod", world.now).undone(number) == "it was undone: taken back"
    assert (state.path / "heal.1.jsonl").exists()


def test_an_undone_heal_has_not_helped_and_the_host_rests_for_the_time_of_the_budget(
    world: World, state: StateDir
) -> None:
    rule = make_rule(tries=5, per=3600.0)
    (record,) = run(world, state, rule)
    assert record.verified
    audit = Audit(state, "shop/prod", world.now, looking=True)
    number = str(audit.begun()[0]["try"])
    audit.undo(number, "alice", world.now)
    assert [one.verified for one in Audit(state, "shop/prod", world.now, looking=True).tries] == [False]
    world.sick.add("web-1")
    (refused,) = run(world, state, rule)
    assert closed(refused)[0] == "given up"
    world.now += 3600
    assert run(world, state, rule)[0].verified


def approved_heal(world: World, state: StateDir, in_time: bool = True) -> Audit:
    """Propose, approve and do; return the audit as it is then. in_time: that it helped can be seen in the same run."""
    clock = [0.0]
    deadline = Deadline(600.0, now=lambda: clock[0])
    if not in_time:
        world.on_act = lambda name: clock.append(clock.pop() + 1000.0)
    rule = make_rule(mode="propose")
    (proposed,) = run(world, state, rule)
    yes = proposals.Approval(by="alice(1000)@desk", time=world.now)
    proposals.approve(state, "shop/prod", proposed.proposal, yes, None, 1, frozenset())
    world.now += 60
    heal(world.report(), [rule], state, world.means(deadline=deadline), history={})
    return Audit(state, "shop/prod", world.now, looking=True)


def test_an_approved_heal_that_was_undone_earns_nothing(world: World, state: StateDir) -> None:
    audit = approved_heal(world, state)
    assert len(audit.approved("mend-web")) == 1
    audit.undo(str(audit.begun()[-1]["try"]), "alice", world.now)
    assert Audit(state, "shop/prod", world.now, looking=True).approved("mend-web") == []


def test_an_approved_heal_earns_as_soon_as_a_later_check_sees_that_it_helped_and_not_before(
    world: World, state: StateDir
) -> None:
    world.limits = Limits(settle=30.0)
    audit = approved_heal(world, state, in_time=False)
    assert audit.approved("mend-web") == []
    run(world, state, make_rule(mode="propose"))
    assert len(Audit(state, "shop/prod", world.now, looking=True).approved("mend-web")) == 1


def test_what_nobody_knows_yet_or_ever_will_ends_no_row_of_approved_heals(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(approved_heal(world, state).approved("mend-web")) == 1
    world.sick, world.limits, world.helps = {"web-1"}, Limits(settle=30.0), False
    audit = approved_heal(world, state, in_time=False)
    assert (len(verifying.pending(state, "shop/prod")), len(audit.approved("mend-web"))) == (1, 1)
    world.now += 700
    means = world.means(planned=lambda feature: [])
    (record,) = heal(make_report([], world.now), [make_rule(mode="propose")], state, means, history={})
    assert record.error == "its scenario is there no longer"
    monkeypatch.setenv("INFRATEST_KEEP_SIZE", "1KiB")
    for audit in (
        Audit(state, "shop/prod", world.now, looking=True),
        Audit(state, "shop/prod", world.now),
    ):  # and in a new file
        assert [one.gone for one in audit.tries] == [False, True]
        assert len(audit.approved("mend-web")) == 1
    assert (state.path / "heal.1.jsonl").exists()
    world.on_act, world.limits = lambda name: None, Limits(settle=0.0)
    (record,) = run(world, state, make_rule())
    assert (record.ending, Audit(state, "shop/prod", world.now).approved("mend-web")) == ("failed", [])


def test_a_drill_neither_earns_nor_costs_what_approved_heals_have_earned(world: World, state: StateDir) -> None:
    approved_heal(world, state)
    world.sick.add("web-1")
    world.helps, world.now = False, world.now + 60
    heal(world.report(), [make_rule(mode="propose")], state, world.means(drilled="mend-web"), history={})
    audit = Audit(state, "shop/prod", world.now, looking=True)
    assert [(one.drill, one.verified) for one in audit.tries] == [(False, True), (True, False)]
    assert len(audit.approved("mend-web")) == 1


def test_what_other_rules_heal_during_a_drill_is_no_heal_of_theirs_that_counts(world: World, state: StateDir) -> None:
    rule = make_rule(group=(1, 86400.0))
    world.now += 60
    heal(world.report(), [rule], state, world.means(drilled="another"), history={})
    assert [(one.rule, one.verified, one.drill) for one in Audit(state, "shop/prod", world.now).tries] == [
        ("mend-web", True, True)
    ]
    world.sick.add("web-1")
    assert run(world, state, rule)[0].verified  # it has used up nothing of what its group may have in a day
    assert [one.drill for one in Audit(state, "shop/prod", world.now).tries] == [True, False]
    world.sick.add("web-1")
    assert run(world, state, rule)[0].outcome == "refused"


def test_the_ladder_begins_at_its_mildest_rung_after_a_drill_that_was_killed(world: World, state: StateDir) -> None:
    rule = make_rule(do=(("provision", {}), ("fake", {})), tries=5)
    run(world, state, make_rule(mode="observe"))  # it fails since before the drill
    world.now += 60

    def killed(name: str) -> None:
        raise KeyboardInterrupt

    world.on_act = killed
    with pytest.raises(KeyboardInterrupt):
        heal(world.report(), [rule], state, world.means(drilled="mend-web"), history={})
    assert [one.drill for one in Audit(state, "shop/prod", world.now).tries] == [True]
    world.on_act = lambda name: None
    world.now += 600
    (record,) = run(world, state, rule)
    assert (record.rung, record.verified) == (0, True), closed(record)


def test_an_undo_of_what_a_drill_has_done_costs_its_rule_nothing(world: World, state: StateDir) -> None:
    undo = {"command": ["touch", "there"], "undo": ["rm", "there"]}
    rule = make_rule(do=(("hook", undo),), mode="observe", tries=1)
    (drilled,) = heal(world.report(), [rule], state, world.means(drilled="mend-web"), history={})
    audit = Audit(state, "shop/prod", world.now, looking=True)
    number = str(audit.begun()[0]["try"])
    acts = Acts(world.report(), state, world.means(), audit, {}, {}, False)
    acts.take_back(drilled.before, rule, remedies(rule)[0], number, "alice")
    assert (audit.undone(number), (world.folder / "there").exists()) == ("it was undone: done", False)
    assert world.lost == []
    (record,) = run(world, state, make_rule(tries=1))
    assert record.outcome == "tried", closed(record)


def test_an_undo_of_what_was_undone_takes_nothing_that_was_granted_since(world: World, state: StateDir) -> None:
    rule = make_rule(do=(("hook", {"command": ["touch", "there"], "undo": ["rm", "there"]}),))
    (done,) = heal(world.report(), [rule], state, world.means(), history={})
    world.lost.clear()  # it has not helped
    audit = Audit(state, "shop/prod", world.now, looking=True)
    acts = Acts(world.report(), state, world.means(), audit, {}, {}, False)
    about = (done.before, rule, remedies(rule)[0], str(audit.begun()[0]["try"]), "alice")
    acts.take_back(*about)
    (lost,) = world.lost
    assert lost.endswith(" was undone by alice")
    with pytest.raises(HealError, match="nothing is undone twice"):
        acts.take_back(*about)
    assert world.lost == [lost]


def test_what_was_undone_before_it_was_verified_is_not_told_as_healed(world: World, state: StateDir) -> None:
    world.limits = Limits(settle=30.0)
    audit = approved_heal(world, state, in_time=False)
    assert verifying.pending(state, "shop/prod")
    audit.undo(str(audit.begun()[-1]["try"]), "alice", world.now)
    assert run(world, state, make_rule(mode="propose")) == []
    assert [one.verified for one in Audit(state, "shop/prod", world.now, looking=True).tries] == [False]


def test_a_try_that_was_killed_is_undone_once_it_can_run_no_longer(tmp_path: Path) -> None:
    project = Undone(tmp_path)
    id = project.heal()
    file = tmp_path / ".infratest" / "heal.jsonl"
    records = [one for one in project.records() if one["event"] in ("try", "process")]

    def without_end(**changes: float) -> None:
        file.write_text("".join(json.dumps(one | (changes if one["event"] == "try" else {})) + "\n" for one in records))

    without_end()
    status, words = project.undo(id)
    assert (status != 0, "it has no end on record: it may run still" in words) == (True, True), words
    without_end(until=1.0)
    status, words = project.undo(id)
    assert (status, words) == (0, "undone: taken back\n"), words
    assert not project.there.exists()


def test_an_undo_that_would_be_ended_half_way_is_not_begun(world: World, state: StateDir, tmp_path: Path) -> None:
    from infratest.heal.audit import Audit

    (remedy,) = remedies(make_rule(do=(("hook", {"command": ["true"], "undo": ["touch", str(tmp_path / "undone")]}),)))
    (record,) = run(world, state, make_rule())
    audit = Audit(state, "shop/prod", world.now, looking=True)
    number = str(audit.begun()[0]["try"])
    about = (remedy, record.before, surroundings(tmp_path), audit, number, "alice", world.now)

    with pytest.raises(HealError, match=r"29 s of this run are left.*--timeout gives it more"):
        undo(*about, left=29.0)
    assert (audit.undone(number), (tmp_path / "undone").exists()) == ("", False)
    undo(*about, left=31.0)
    assert (audit.undone(number), (tmp_path / "undone").exists()) == ("it was undone: done", True)
