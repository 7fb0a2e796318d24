"""Gates about whether anything may be healed at all now: nobody has suppressed or paused it, and there is time."""

from __future__ import annotations

from infratest.heal.gates.situation import Situation, moment
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.units import human


def suppressed(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.drilled == rule.name:
        return True, "a drill of this rule, which is what a downtime is for"
    if situation.suppressed:
        return False, situation.suppressed
    return True, "not suppressed"


def pause(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.paused is not None and situation.paused > situation.now:
        return False, f"paused until {moment(situation.paused)}; `{situation.resume}` ends it"
    return True, "not paused"


def time(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    if situation.left <= 0:
        return False, "the time of this run is over; give it more with --timeout"
    if situation.left < situation.least:
        words = f"{human(situation.left, 's')} of this run are left"
        return False, f"{words}, and it is begun with {situation.least:g} s at least; give it more with --timeout"
    return True, "there is time"
