"""A heal undone by a person: `infratest heal undo ID`. Of which tries of the audit that can be, and the doing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infratest import rfc3339
from infratest.errors import HealError, UserError
from infratest.heal.acts import Acts
from infratest.heal.audit import Audit
from infratest.heal.ladder import remedies
from infratest.heal.undoing import can_undo, undo_words
from infratest.model import Report, Result
from infratest.project.heal import means_of
from infratest.project.replacing import kept_now
from infratest.project.session import Session
from infratest.providers._aside import aside_name
from infratest.remedies.base import Remedy
from infratest.stack.declared import HealRule
from infratest.states import EXIT, UNKNOWN
from infratest.store import events

#: The remedy whose undo needs what it has set aside.
REPLACE = "replace"
#: Seconds that another run is waited for.
PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True)
class Done:
    """A try of the audit. undo: what undoing it would be, or why there is none. possible: whether it can be undone."""

    id: str
    time: float
    result: str
    remedy: str
    undo: str
    possible: bool


def tries(session: Session) -> Iterator[Done]:
    """Yield the tries on record, the newest first. Raises StateError."""
    audit, standing = _audit(session), kept_now(session)
    for one in reversed(audit.begun()):
        id, possible = str(one["try"]), False
        before = audit.undone(id)
        try:
            _, remedy = _of(session, one)
            gone = _gone(audit, one, remedy, standing)
            possible = can_undo(remedy) and not before and not gone
            words = before or (f"none: {gone}" if gone else undo_words(remedy))
        except UserError as error:
            words = f"none: {error}"
        yield Done(
            id=id, time=float(one["time"]), result=str(one["id"]), remedy=str(one["remedy"]), undo=words,
            possible=possible,
        )  # fmt: skip


def undo_heal(session: Session, id: str, by: str) -> str:
    """Undo one, and return what was done, in words. Args: by: who wants it, and why.

    Raises:
        UserError: there is no such try. HealError: it cannot be undone. StateError: the state cannot be used.
    """
    absent = f"heal {id!r}: there is none of that id on record; `{session.command('heal', 'undo')}` lists them"
    if not session.state.exists:
        raise UserError(absent)
    with session.state.lock(PATIENCE, "heal undo"):
        audit = _audit(session)
        one = next((each for each in audit.begun() if each["try"] == id), None)
        if one is None:
            raise UserError(absent)
        its = next(each for each in audit.tries if (each.time, each.host) == (one["time"], one["host"]))
        if not its.ended and (its.alive or its.until > time.time()):
            raise HealError(f"heal {id}: it has no end on record: it may run still; look at {one['host']}")
        rule, remedy = _of(session, one)
        gone = "" if audit.undone(id) else _gone(audit, one, remedy, kept_now(session))
        if gone:
            raise HealError(f"heal {id}: {gone}")
        result = _result(session, one)
        stack = session.stack
        report = Report(stack.name, stack.env, rfc3339.now(), 0.0, [result])
        words = Acts(report, session.state, means_of(session), audit, {}, {}, False).take_back(
            result, rule, remedy, id, by
        )
        more = {"rule": rule.name, "remedy": remedy.describe(), "mode": rule.mode, "reason": f"by {by}: {words}"}
        events.append(session.state, [events.heal(stack.name, stack.env, result, "undone", time.time(), **more)])
    return words


def _audit(session: Session) -> Audit:
    return Audit(session.state, session.stack.place, time.time(), looking=True)


def _of(session: Session, one: dict[str, Any]) -> tuple[HealRule, Remedy]:
    """Return rule and remedy of a try. Raises UserError: the rule is gone, or is another one now."""
    rule = next((rule for rule in session.stack.heal if rule.name == one["rule"]), None)
    if rule is None:
        raise UserError(f"rule {one['rule']} is no longer in the stack file")
    ladder = remedies(rule)
    if int(one["rung"]) >= len(ladder) or ladder[int(one["rung"])].describe() != one["remedy"]:
        raise UserError(f"rule {rule.name} has changed: {one['remedy']} is no longer its rung {int(one['rung']) + 1}")
    return rule, ladder[int(one["rung"])]


def _gone(audit: Audit, one: dict[str, Any], remedy: Remedy, standing: Mapping[str, str]) -> str:
    """Return why what a try has replaced is not there for its undo, or is another's, in words; empty where it is.

    Args:
        standing: the id of each host that is kept beside its successor, by its name.
    """
    if remedy.name != REPLACE:
        return ""
    name = str(one["host"])
    kept = standing.get(name, "")
    if not kept:
        return f"nothing is kept any more of the {name} that was before"
    keeper = audit.keeper(kept)
    if keeper:
        return "" if keeper == one["try"] else f"what is kept as {aside_name(name)} is of heal {keeper}"
    # One that was killed has not come to say what it has set aside; whatever came after it would have.
    last = [other for other in audit.begun() if (other["host"], other["remedy"]) == (name, one["remedy"])][-1]
    its = next(each for each in audit.tries if (each.time, each.host) == (one["time"], name))
    killed = last["try"] == one["try"] and (not its.ended or its.verifying)
    return "" if killed else f"what is kept as {aside_name(name)} is not of it"


def _result(session: Session, one: dict[str, Any]) -> Result:
    """Return the result that was healed, as far as the audit has it."""
    id, state = str(one["id"]), str(one["before"].get("state"))
    feature, _, scenario = id.rpartition("@")[0].partition("#")
    return Result(
        id, feature, scenario, 0, str(one["host"]), state if state in EXIT else UNKNOWN,
        str(one["before"].get("reason")),
    )  # fmt: skip
