"""Proposals: what waits for a person, who may say yes to what, and that a yes is used once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import StateError, UserError
from infratest.heal import proposals, signing
from infratest.heal.healing import heal
from infratest.heal.pause import pause
from infratest.heal.proposals import Approval, Proposal
from infratest.heal.records import HealRecord, note
from infratest.hosts import Host
from infratest.model import Observation, Result, StepResult
from infratest.project.proof import reads
from infratest.project.session import Session
from infratest.stack.declared import HealRule, Proof
from infratest.store.directory import StateDir
from infratest.transports.base import Transport
from tests.worlds.heal_world import World, closed, make_result, make_rule, open_local, run

PROPOSE = make_rule(mode="propose")
ALICE, BOB = "alice(1000)@desk", "bob(1001)@desk"


def waiting(state: StateDir) -> Proposal:
    (one,) = [each for each in proposals.every(state, "shop/prod") if each.state == "waiting"]
    return one


def approve(world: World, state: StateDir, by: str = ALICE, needed: int = 1) -> Proposal:
    one = waiting(state)
    approval = Approval(by=by, time=world.now)
    return proposals.approve(state, "shop/prod", one.id, approval, None, needed, frozenset())[0]


def once(world: World, state: StateDir, rule: HealRule = PROPOSE) -> HealRecord:
    (record,) = run(world, state, rule)
    return record


def test_it_is_proposed_approved_done_once_and_on_record(world: World, state: StateDir) -> None:
    first = once(world, state)
    assert (first.outcome, world.acts) == ("proposed", [])
    one = waiting(state)
    assert note([first]) == [f"waits for approval: provision; `infratest heal approve {one.id}`"]
    assert once(world, state).proposal == one.id  # it still holds, and is the same
    approve(world, state)
    done = once(world, state)
    assert done.verified
    assert done.approved_by == f"approved by {ALICE}"
    assert len(world.acts) == 1
    assert [each.state for each in proposals.every(state, "shop/prod")] == ["used"]
    with pytest.raises(UserError, match="is used"):
        proposals.approve(state, "shop/prod", one.id, Approval(by=BOB, time=world.now), None, 1, frozenset())


@pytest.mark.parametrize(("mode", "looks"), [("propose", 1), ("observe", 0)])
def test_what_was_approved_is_looked_at_before_it_is_done(world: World, state: StateDir, mode: str, looks: int) -> None:
    once(world, state)
    approve(world, state)
    report = world.report()
    world.sick.clear()
    world.now += 500
    (record,) = heal(report, [replace(PROPOSE, mode=mode)], state, world.means(), history={})
    assert (record.outcome, len(world.looks)) == (("recovered", 1) if looks else ("would", 0))
    assert world.acts == []
    assert waiting(state).approvals  # what was not done was not used


def test_an_approval_answers_its_digest_and_no_other(world: World, state: StateDir) -> None:
    once(world, state)
    approve(world, state)
    changed = make_rule(mode="propose", tries=2)
    record = once(world, state, changed)
    assert (record.outcome, world.acts) == ("proposed", [])
    assert sorted(each.state for each in proposals.every(state, "shop/prod")) == ["replaced", "waiting"]


def test_an_approval_stands_where_a_gate_refuses_right_before_the_act(world: World, state: StateDir) -> None:
    once(world, state)
    approve(world, state)

    def opened(host: Host, deadline: Deadline) -> Transport:
        pause(state, 30.0, world.now)
        return open_local(host, deadline)

    world.now += 60
    (refused,) = heal(world.report(), [PROPOSE], state, world.means(open_transport=opened), history={})
    assert (refused.outcome, closed(refused), world.acts) == ("refused", ["pause"], [])
    assert waiting(state).approvals
    assert once(world, state).approved_by == f"approved by {ALICE}"
    assert [each.state for each in proposals.every(state, "shop/prod")] == ["used"]


def test_an_approval_that_is_over_when_the_act_is_to_begin_is_none(world: World, state: StateDir) -> None:
    once(world, state)
    approve(world, state)

    def opened(host: Host, deadline: Deadline) -> Transport:
        world.now += 15.0  # until the host answers
        return open_local(host, deadline)

    world.now += 890
    (refused,) = heal(world.report(), [PROPOSE], state, world.means(open_transport=opened), history={})
    assert (refused.outcome, closed(refused), world.acts) == ("refused", ["proposal"], [])
    assert refused.reason.endswith("is approved no longer: it is over")


def disk(used: float, most: str = "90", text: str = "the disk is used at most 90 %") -> Result:
    """The disk of web-1, fuller than a sentence allows."""
    reason = f"disk / is {used} % used, more than {most} %"
    step = StepResult(text, 9, "critical", reason, [Observation("disk / used", used, "%", "", most, 0, 100)])
    return make_result("critical", reason=reason, steps=[step])


def test_an_approval_outlives_what_is_measured_and_that_is_shown(world: World, state: StateDir) -> None:
    used = iter((97.1, 97.2, 97.3, 97.4))
    world.look = lambda host: disk(next(used))
    first = once(world, state)
    assert once(world, state).proposal == first.proposal
    assert waiting(state).reason == "disk / is 97.2 % used, more than 90 %"
    approve(world, state)
    assert once(world, state).proposal == first.proposal
    assert len(world.acts) == 1


@pytest.mark.parametrize(
    "other", [disk(97.1, most="95"), disk(97.1, text="the disk has free at least 1 GB")], ids=["limit", "sentence"]
)
def test_an_approval_is_of_what_was_expected(world: World, state: StateDir, other: Result) -> None:
    world.look = lambda host: disk(97.1)
    once(world, state)
    approve(world, state)
    world.look = lambda host: other
    assert once(world, state).outcome == "proposed"
    assert world.acts == []


def test_an_approval_is_of_the_whole_rule_however_long_it_is(world: World, state: StateDir) -> None:
    def of(end: str) -> HealRule:
        return make_rule(mode="propose", do=(("run", f"true {'x' * 5000} {end}"),))

    once(world, state, of("one"))
    approve(world, state)
    assert once(world, state, of("two")).outcome == "proposed"


@pytest.mark.parametrize("do", ["{hook: fix.sh}", "{provision: {}}"])
def test_an_approval_is_of_the_programs_as_they_were(world: World, state: StateDir, tmp_path: Path, do: str) -> None:
    ran, script = tmp_path / "ran", tmp_path / "fix.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tmp_path / "stack.yaml").write_text(
        "stack: shop\nprovider: local\nhosts: {web-1: {provision: [{shell: fix.sh}]}}\n"
        f"heal: {{mend: {{when: {{tags: '@web'}}, do: [{do}], mode: propose, confirm: 1, at-most: 100%}}}}\n"
    )
    session = Session(stack_path=tmp_path / "stack.yaml")

    def once() -> HealRecord:
        world.now += 60
        means = world.means(reads=lambda *about: reads(session, *about))
        (record,) = heal(world.report(), session.stack.heal, state, means, history={})
        return record

    once()
    approve(world, state)
    script.write_text(f"#!/bin/sh\ntouch {ran}\n")
    assert once().outcome == "proposed"
    assert not ran.exists()
    assert not world.acts
    approve(world, state)
    assert once().outcome == "tried"
    assert ran.exists() or world.acts


def test_what_cannot_be_read_is_no_reason_to_keep_still_and_another_proposal_once_it_can(
    world: World, state: StateDir
) -> None:
    def unread(*about: object) -> dict[str, str]:
        raise UserError("fix.sh: cannot be read: Permission denied")

    world.now += 60
    (first,) = heal(world.report(), [PROPOSE], state, world.means(reads=unread), history={})
    assert first.outcome == "proposed"
    approve(world, state)
    assert once(world, state).outcome == "proposed"
    assert world.acts == []


def test_a_heal_that_did_not_help_is_proposed_anew(world: World, state: StateDir) -> None:
    world.helps = False
    first = once(world, state)
    approve(world, state)
    assert once(world, state).ending == "failed"
    again = once(world, state)
    assert again.outcome == "proposed"
    assert again.proposal != first.proposal
    assert len(world.acts) == 1


def test_what_is_denied_rests_until_it_is_well(world: World, state: StateDir) -> None:
    once(world, state)
    proposals.deny(state, "shop/prod", waiting(state).id, BOB, "it is being rebuilt", world.now)
    record = once(world, state)
    assert closed(record) == ["proposal", "mode"]
    assert "denied by bob(1001)@desk: it is being rebuilt" in record.reason
    world.sick.clear()
    assert run(world, state, PROPOSE) == []
    world.sick.add("web-1")
    assert once(world, state).outcome == "proposed"
    assert world.acts == []


@pytest.mark.parametrize("how", [{}, {"dry_run": True}])
def test_what_is_denied_rests_although_nothing_else_is_in_its_way_any_more(
    world: World, state: StateDir, how: dict[str, bool]
) -> None:
    world.trust = "propose", "by the ledger"
    assert once(world, state, make_rule()).outcome == "proposed"
    proposals.deny(state, "shop/prod", waiting(state).id, BOB, "it is being rebuilt", world.now)
    world.trust = "auto", "granted anew"
    (record,) = run(world, state, make_rule(), **how)
    assert (record.outcome, closed(record)) == ("refused", ["proposal"])
    assert "denied by bob(1001)@desk: it is being rebuilt; it rests until this is well again" in record.reason
    assert world.acts == []
    world.sick.clear()
    run(world, state, make_rule())
    world.sick.add("web-1")
    assert once(world, state, make_rule()).verified  # another problem


def test_an_approval_that_is_too_old_counts_for_nothing(world: World, state: StateDir) -> None:
    once(world, state)
    approve(world, state)
    world.now += 900
    assert once(world, state).outcome == "proposed"
    assert world.acts == []
    assert not waiting(state).approvals


def test_two_different_people_are_two(world: World, state: StateDir) -> None:
    rule = make_rule(mode="propose", approvers=2)
    once(world, state, rule)
    approve(world, state, ALICE, needed=2)
    with pytest.raises(UserError, match="has approved it already; 2 different people are asked for"):
        approve(world, state, ALICE, needed=2)
    assert once(world, state, rule).outcome == "proposed"
    approve(world, state, BOB, needed=2)
    assert once(world, state, rule).approved_by == f"approved by {ALICE} and {BOB}"


def test_one_login_with_two_keys_is_two_and_a_key_that_is_not_trusted_none(tmp_path: Path) -> None:
    keys = [signing.make(tmp_path / name) for name in ("one", "two", "three")]
    trusted = {key.public for key in keys[:2]}

    def signed(key: signing.Key) -> Approval:
        approval = Approval(by=ALICE, time=100.0, key=key.public)
        return replace(approval, signature=key.sign(approval.signs("sha256:1")))

    one, two, three = map(signed, keys)
    assert proposals.people([one, two], "sha256:1", trusted, 100.0) == [ALICE, ALICE]
    assert proposals.people([one, one], "sha256:1", trusted, 100.0) == [ALICE]
    assert proposals.people([one, three], "sha256:1", trusted, 100.0) == [ALICE]
    assert proposals.people([one, two], "sha256:2", trusted, 100.0) == []
    assert proposals.people([one, Approval(by=ALICE, time=100.0)], "sha256:1", trusted, 100.0) == [ALICE]
    assert proposals.people([one], "sha256:1", trusted, 0.0) == []  # of the future


def test_an_approval_opens_no_other_gate(world: World, state: StateDir) -> None:
    once(world, state)
    approve(world, state)
    world.now += 60
    records = run(world, state, replace(PROPOSE, keep=(1, "web")))
    assert closed(records[0]) == ["floor", "mode"]
    assert world.acts == []


def test_what_was_edited_stops_everything(world: World, state: StateDir) -> None:
    once(world, state)
    path = Path(state.file(f"proposals/{waiting(state).id}.json"))
    path.write_text(path.read_text().replace("provision: {}", "provision: {x}"))
    with pytest.raises(StateError, match="says something else than its digest"):
        run(world, state, PROPOSE)
    path.write_text("{}")
    with pytest.raises(StateError, match="is no proposal of this version"):
        run(world, state, PROPOSE)
    assert world.acts == []


def test_a_dry_run_proposes_nothing(world: World, state: StateDir) -> None:
    (record,) = run(world, state, PROPOSE, dry_run=True)
    assert note([record]) == ["would propose provision"]
    assert proposals.every(state, "shop/prod") == []


AUTO = make_rule(proof=Proof(drill="killed-nginx"))


@pytest.mark.parametrize(
    "proof, trust, outcome",
    [
        ((True, "proven"), ("auto", "granted"), "tried"),
        ((False, "stale"), ("auto", "granted"), "proposed"),
        ((True, "proven"), ("propose", "lost"), "proposed"),
        ((True, "proven"), ("observe", "the ledger does not hold"), "would"),
        ((False, "stale"), ("observe", "the ledger does not hold"), "would"),
    ],
)
def test_the_lowest_of_mode_proof_and_ledger_is_in_force(
    world: World, state: StateDir, proof: tuple[bool, str], trust: tuple[str, str], outcome: str
) -> None:
    world.proof, world.trust = proof, trust
    assert once(world, state, AUTO).outcome == outcome
    assert bool(world.acts) == (outcome == "tried")


def test_a_heal_that_did_not_help_loses_what_was_granted(world: World, state: StateDir) -> None:
    world.helps = False
    once(world, state, AUTO)
    assert world.lost == ["a heal of features/web.feature#nginx-answers@web-1 by provision did not help"]


@pytest.mark.parametrize(("drilled", "costs"), [("mend-web", False), ("another", False), ("", True)])
def test_what_happens_in_a_drill_costs_nothing(world: World, state: StateDir, drilled: str, costs: bool) -> None:
    world.helps = False
    world.now += 60
    rule = replace(AUTO, do=(("fake", {"fail": "no disk"}), ("provision", {})))
    means = world.means(drilled=drilled, since=world.now - 1)
    records = heal(world.report(), [rule], state, means, history={})
    assert [one.ending for one in records] == ["failed", "failed"]
    assert bool(world.lost) is costs
