"""How much a rule of this stack may do by its ledger; what takes that away, and a person gives it again.

Called by the heal engine before every act, and by `infratest heal trust`, `approve` and `deny`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import inf

from infratest.errors import UserError, unknown
from infratest.heal import ledger as ledgers
from infratest.heal.chain import Broken
from infratest.heal.earning import Earned
from infratest.heal.ledger import Entry, Ledger
from infratest.heal.people import who
from infratest.heal.signing import Key
from infratest.heal.trust import Trust, trust
from infratest.project.proof import proven
from infratest.project.session import Session
from infratest.stack.declared import AUTO, OBSERVE, PROPOSE, HealRule


def ledger(session: Session, note: bool) -> Ledger:
    """Return the ledger as it stands. Args: note: keep which line was seen last."""
    stack = session.stack
    found = ledgers.read(stack.folder, session.state, stack.name, stack.trusted_keys, time.time(), note=note)
    return replace(found, broken=ledgers.from_here(found.broken, session.command)) if found.broken else found


@contextmanager
def _told_from_here(session: Session) -> Iterator[None]:
    try:
        yield
    except Broken as error:
        raise Broken(ledgers.from_here(str(error), session.command)) from error


def told(session: Session, rule: HealRule, note: bool = False) -> Trust:
    """Return how much the ledger lets a rule do, why, and what would raise it."""
    # One that needs no proof is as it was before there were ledgers; what a person says of it counts all the same.
    otherwise = AUTO if rule.proof is None and not session.stack.production else PROPOSE
    found = ledger(session, note)
    return trust(rule.name, session.stack.env, found, otherwise=otherwise, command=session.command)


def trusted(session: Session, rule: HealRule, note: bool = False) -> tuple[str, str]:
    """Return the level and why, for the gate."""
    found = told(session, rule, note)
    return found.level, found.why


def lose(session: Session, rule: HealRule, why: str) -> None:
    """Take from a rule what lets it act by itself, by the ledger; where that does not, there is nothing to take.

    What its `mode` says now is not asked: once that says auto again, what was granted before would count as ever.

    Raises:
        StateError: it could not be written down.
    """
    if rule.proof is None or told(session, rule).level != AUTO:
        return
    entry = _entry(session, rule, PROPOSE, why, "the healer")
    # By the clock of who granted it that may have been a moment ahead; it was before this all the same.
    dated = replace(entry, time=max(entry.time, granted(session, rule)))
    with _told_from_here(session):
        ledgers.lose(session.state, session.stack.name, dated)


def granted(session: Session, rule: HealRule) -> float:
    """Return when a person last said how much a rule may do, in seconds since the epoch; minus infinity for never."""
    found = ledger(session, False).last_grant(rule.name, session.stack.env)
    return -inf if found is None else found.time


def grant(session: Session, rule: HealRule, level: str, why: str, key: Key) -> None:
    """Say in the ledger how much a rule may do; for AUTO it must be proven, and have helped when it was approved.

    Raises:
        UserError: it is not yet to be trusted so far, or the key is none of the stack's.
        HealError: what was granted before does not hold. StateError: not writable.
    """
    if level == AUTO:
        holds, reason = proven(session, rule)
        if not holds:
            raise UserError(f"rule {rule.name}: {reason}")
        earned = _earned(session, rule)
        if earned.count < rule.approvals and rule.calm:
            words = f"{earned.count} of {rule.approvals} approved heals in a row count{_lacking(earned)}"
            raise UserError(f"rule {rule.name}: {words} (`earn: {{approvals: ..., calm: ...}}`)")
        if earned.count < rule.approvals:
            raise UserError(
                f"rule {rule.name}: {earned.count} approved heals in a row have helped, {rule.approvals} are asked for "
                "(`earn: {approvals: ...}`)"
            )
    stack = session.stack
    entry = _entry(session, rule, level, why, who())
    losses = ledger(session, False).losses(rule.name, stack.env)
    if losses:  # a clock that was ahead may have dated them so
        entry = replace(entry, time=max(entry.time, losses[-1].time + ledgers.TICK))
    with _told_from_here(session):
        ledgers.grant(stack.folder, stack.name, stack.trusted_keys, entry, key)


def accept(session: Session) -> None:
    """Take the ledger as it stands for the whole of it. Raises HealError, StateError: it does not hold by itself."""
    stack = session.stack
    with _told_from_here(session):
        ledgers.accept(stack.folder, session.state, stack.name, stack.trusted_keys, time.time())


def rule_named(session: Session, name: str) -> HealRule:
    """Return a rule of the stack. Raises UserError: it has none of that name."""
    for rule in session.stack.heal:
        if rule.name == name:
            return rule
    raise UserError(unknown("heal rule", name, [rule.name for rule in session.stack.heal]))


def in_force(session: Session, rule: HealRule) -> str:
    """Return what a rule may do now, in words: the lowest of its mode, what was granted and not lost, and its proof."""
    found = told(session, rule)
    level, why = ledgers.lowest([rule.mode, found.level]), found.why
    if level == AUTO and rule.proof is None:
        why = "unproven: it has no `proof:`"
    if rule.mode == AUTO and rule.proof is not None:
        holds, reason = proven(session, rule)
        level = level if holds else ledgers.lowest([level, PROPOSE])
        why = f"{why}; {reason}"
    return f"{rule.name}: {level} (mode {rule.mode}): {why}{_raised(session, rule, found, level)}"


def _raised(session: Session, rule: HealRule, found: Trust, level: str) -> str:
    """Return what would raise a rule that may do less than its mode, in words; of its ledger alone."""
    if not found.raised_by or found.level == AUTO or rule.mode != AUTO:
        return ""
    earned = _earned(session, rule)
    missing = rule.approvals - earned.count
    if missing <= 0 or found.level == OBSERVE:
        return f"; {found.raised_by}"
    if rule.calm:
        return f"; {earned.count} of {rule.approvals} approved heals{_lacking(earned)}; then {found.raised_by}"
    more = f"{missing} more approved {'heal' if missing == 1 else 'heals'} in a row must help ({earned.count} of "
    return f"; {more}{rule.approvals} have), then {found.raised_by}"


def _earned(session: Session, rule: HealRule) -> Earned:
    from infratest.project.earning import of_rule  # it reads features and the monitor's store, which no heal needs

    return of_rule(session, rule, time.time())


def _lacking(earned: Earned) -> str:
    return f", {earned.missing}" if earned.missing else ""


def _entry(session: Session, rule: HealRule, level: str, why: str, by: str) -> Entry:
    return Entry(rule=rule.name, env=session.stack.env, level=level, time=time.time(), by=by, why=why)
