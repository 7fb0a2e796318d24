"""How healing itself is: paused, disarmed by a record that cannot be read, given up. For `status` and a check's line.

A heal that silently does nothing looks just like a stack that is well.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest.errors import StateError
from infratest.heal.audit import Audit
from infratest.heal.gates import moment
from infratest.heal.gates.tries import spent
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
        for host in dict.fromkeys(one.host for one in tries):
            # What may yet be seen to have helped is spent, and given up it is not.
            times = sorted(one.time for one in spent(rule, host, tries, now) if one.failed(now))
            if 0 < rule.tries <= len(times):
                again = moment(times[-rule.tries] + rule.per)
                lines.append(f"healing gave up on {host}: rule {rule.name} has no tries left; it begins again {again}")
    return lines
