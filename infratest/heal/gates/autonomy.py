"""Gates about whether the rule may act by itself: proven, trusted, in a mode that says so, or approved by a person."""

from __future__ import annotations

from infratest.heal.gates.situation import Situation
from infratest.model import Result
from infratest.stack.declared import AUTO, OBSERVE, PROPOSE, HealRule


def proof(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.drilled == rule.name:
        return True, "a drill of this rule, whatever its proof"
    if situation.approved:
        return True, f"approved by {situation.approved}"
    if rule.mode != AUTO:
        return True, f"mode {rule.mode} needs none"
    if rule.proof is not None:
        return situation.proof
    if situation.production:
        return False, "unproven: on production a rule acts by itself with a `proof:` alone"
    return True, "unproven: it has no `proof:`, and the stack is not production"


def trust(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    level, why = situation.trust
    if situation.drilled == rule.name:
        return True, "a drill of this rule, whatever the ledger says"
    if level not in (PROPOSE, AUTO):
        return False, f"trusted to observe alone: {why}"
    if situation.approved:
        return True, f"approved by {situation.approved}"
    if level == AUTO or rule.mode != AUTO:
        return True, why
    return False, f"trusted to propose, not to act by itself: {why}"


def mode(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.drilled == rule.name:
        return True, "a drill of this rule, whatever its mode"
    if rule.mode == AUTO:
        return True, "mode auto"
    if rule.mode == OBSERVE:
        return False, "mode observe: says what it would do, never acts"
    if situation.approved:
        return True, f"mode {rule.mode}, approved by {situation.approved}"
    return False, f"mode {rule.mode}: it waits for a person's approval"
