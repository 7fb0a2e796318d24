"""A rule acts on the failure that it is for, and its ladder climbs on no other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from infratest.heal import proposals
from infratest.heal.healing import heal
from infratest.heal.proposals import Approval
from infratest.heal.records import note
from infratest.heal.rules import same_failure
from infratest.model import Result, StepResult
from infratest.store.directory import StateDir
from tests.worlds.heal_world import World, closed, make_result, make_rule, run

LISTENS, ANSWERS = "port 80 is listening", "GET / answers 200"
LADDER = (("provision", {}), ("provision", {}))


def failing(*sentences: tuple[str, str], state: str = "critical") -> Result:
    """A result in which these sentences do not hold, each with its reason."""
    steps = [StepResult(text, 9, state, reason) for text, reason in sentences]
    steps += [StepResult(text, 9, "ok") for text in (LISTENS, ANSWERS) if text not in dict(sentences)]
    return make_result(state, reason=sentences[0][1], steps=steps)


SILENT = failing((LISTENS, "nothing listens on port 80"))
EXPIRED = failing((ANSWERS, "the certificate has expired"))


def test_what_fails_for_another_reason_when_looked_at_again_is_not_healed(world: World, state: StateDir) -> None:
    report = world.report()
    world.now += 100  # older than what is acted on without another look
    world.look = lambda host: EXPIRED
    (record,) = heal(report, [make_rule(when_reason="not listening")], state, world.means(), history={})
    assert (closed(record), world.acts) == (["qualify"], [])
    assert note([record]) == [
        "not healed: the rule is for failures that say 'not listening', and this one says: the certificate has expired"
    ]


def test_what_fails_for_another_reason_since_it_was_approved_is_not_healed(world: World, state: StateDir) -> None:
    rule = make_rule(mode="propose", when_reason="not listening")
    (proposed,) = run(world, state, rule)
    yes = Approval(by="alice(1000)@desk", time=world.now)
    proposals.approve(state, "shop/prod", proposed.proposal, yes, None, 1, frozenset())
    report = world.report()
    world.now += 100
    world.look = lambda host: EXPIRED
    (record,) = heal(report, [rule], state, world.means(), history={})
    assert (record.outcome, closed(record)[0], world.acts) == ("refused", "qualify", [])
    world.look = None
    assert run(world, state, rule)[0].verified  # what was approved is done once that is what fails


def climbed(world: World, state: StateDir, first: Result, then: Result, reason: str = "") -> list[str]:
    """Return what is said where the first rung leads from one failure to another, for each act one text."""
    world.look = lambda host: then if world.acts else first
    records = run(world, state, make_rule(do=LADDER, when_reason=reason))
    assert len(world.acts) == len(records)
    return [*note(records)] * len(records)


def test_no_rung_follows_on_a_failure_that_the_rule_is_not_for(world: World, state: StateDir) -> None:
    both = failing((LISTENS, "nothing listens on port 80"), (ANSWERS, "refused"))
    expired = failing((ANSWERS, "the certificate has expired"))
    assert climbed(world, state, both, expired, reason="listens on port") == [
        "provision did not help, now CRITICAL by another failure: the certificate has expired"
    ]


def test_no_rung_follows_on_a_sentence_that_held_before(world: World, state: StateDir) -> None:
    assert climbed(world, state, EXPIRED, SILENT) == [
        "provision did not help, now CRITICAL by another failure: nothing listens on port 80"
    ]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([(ANSWERS, "took 812 ms")], [(ANSWERS, "took 1.2 s")]),
        ([(ANSWERS, "connection refused")], [(ANSWERS, "no answer in 5 s")]),
        ([(LISTENS, "nothing listens on port 80"), (ANSWERS, "refused")], [(ANSWERS, "answers 502")]),
    ],
)
def test_the_ladder_climbs_on_the_same_failure_whatever_it_says_of_itself(
    world: World, state: StateDir, first: Sequence[tuple[str, str]], then: Sequence[tuple[str, str]]
) -> None:
    assert len(climbed(world, state, failing(*first), failing(*then))) == 2


def test_a_failure_without_sentences_is_the_same_as_long_as_its_state_is() -> None:
    way, rule = make_result("critical", steps=[], reason="refused"), make_rule()
    assert same_failure(rule, way, way.changed(reason="timed out"))
    assert not same_failure(rule, way, way.changed(state="warning"))
