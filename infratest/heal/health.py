"""How healing itself is: paused, disarmed by a record that cannot be read, given up. For `status` and a check's line.

A heal that silently does nothing looks just like a stack that is well.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest.errors import StateError
from infratest.heal.audit import Audit
from infratest.heal.gates import moment
from infratest.heal.pause import paused_until
from infratest.model import Place
from infratest.stack.declared import HealRule
from infratest.store.directory import StateDir


def paused(state: StateDir, now: float, resume: str) -> str:
    """Return that healing is paused, in words, or an empty text. Args: resume: the command that ends it."""
    try:
        until = paused_until(state, now, resume)
    except StateError as error:
        return f"healing is disarmed: {error}"
    return f"healing is paused until {moment(until)}; `{resume}` ends it" if until is not None else ""


def health(state: StateDir, place: Place, rules: Sequence[HealRule], now: float, resume: str) -> list[str]:
    """Return, a line each, what keeps rules from healing; nothing where all is in order, or there are no rules.

    Args:
        resume: the command that ends a pause.
    """
    if not rules or not state.exists:
        return []
    words = paused(state, now, resume)
    lines = [words] if words else []
    try:
        tries = Audit(state, place, now, looking=True).tries
    except StateError as error:
        return [*lines, str(error)]
    for rule in rules:
        spent = [one for one in tries if one.rule == rule.name and one.time > now - rule.per and one.failed(now)]
        spent = [one for one in spent if not one.drill]  # what drills have tried costs nothing
        for host in dict.fromkeys(one.host for one in spent):
            times = sorted(one.time for one in spent if one.host == host)
            if 0 < rule.tries <= len(times):
                again = moment(times[-rule.tries] + rule.per)
                lines.append(f"healing gave up on {host}: rule {rule.name} has no tries left; it begins again {again}")
    return lines
