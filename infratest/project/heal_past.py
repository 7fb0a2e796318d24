"""What failed in a time that is over, for who replays it by the rules: from a monitor's store, else from the audit."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any

from infratest.alerting.subject import Subject
from infratest.errors import StateError
from infratest.heal.audit import FILE, OLD_FILE
from infratest.heal.backtest import Case, Standing
from infratest.heal.gates import Seen, Stored
from infratest.heal.records import PROPOSED, REFUSED, TRIED, WOULD
from infratest.model import Result, is_of
from infratest.plan.subjects import subjects
from infratest.project.heal import means_of
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.stack.monitor import Monitor
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING
from infratest.store import failures
from infratest.store.database import changes
from infratest.store.database.base import Transaction
from infratest.store.database.changes import Change
from infratest.store.failures import Row

#: Changes that are replayed at most, and looks at one problem.
MOST, LOOKS = 200_000, 500
#: As the gate `confirm` says it.
_IN_A_ROW = re.compile(r"failure (\d+) in a row")
_OF_LOOKS = re.compile(r"failed in (\d+) of the newest (\d+) looks")


def watched(session: Session) -> tuple[Subject, ...]:
    """Return what the features look at now, with tags and policies. Raises InfratestError."""
    plan = prepare(session, Request(face="check")).plan
    return tuple(subjects(plan, session.stack.monitor or Monitor()))


def standing(session: Session) -> Standing:
    """Return what holds of the stack now. Raises InfratestError."""
    means = means_of(session)
    return Standing(
        hosts=means.hosts,
        proven=means.proven,
        trusted=means.trusted,
        production=means.production,
        limits=means.limits,
    )


def of_store(t: Transaction, known: Sequence[Subject], begin: float, end: float) -> list[Case]:
    """Return each look at what failed, as a store has its problems, the earliest first.

    Args:
        known: what is looked at. begin, end: seconds since the epoch.
    Raises:
        StateError: the store has more changes of that time than can be replayed.
    """
    kept = changes.changes(t, begin=begin, end=end, most=MOST)
    if len(kept) == MOST:
        raise StateError(f"store: it has {MOST} changes of that time, or more; replay less of it, by --since")
    by_id: dict[str, list[Change]] = {}
    for subject in known:
        before = changes.last(t, subject.id, begin)
        by_id[subject.id] = [] if before is None else [before]
    for each in kept:
        if each.id in by_id and each not in by_id[each.id]:
            by_id[each.id].append(each)
    past = _History(known, by_id)
    found = [case for subject in known for case in _looks(subject, by_id[subject.id], begin, end, past)]
    return sorted(found, key=lambda case: case.time)


def of_audit(session: Session, known: Sequence[Subject], begin: float) -> list[Case]:
    """Return what was decided about, as the audit has it, the earliest first. Raises StateError."""
    by_id = {each.id: each for each in known}
    records = [one for name in (OLD_FILE, FILE) for one in session.state.read(name)]
    found = [
        case
        for one in records
        if is_of(one, session.stack.place) and (case := _of_record(one, by_id)) is not None and case.time >= begin
    ]
    return sorted(found, key=lambda case: case.time)


class _History:
    """How all results were at any time, by their changes."""

    def __init__(self, known: Sequence[Subject], by_id: Mapping[str, Sequence[Change]]) -> None:
        self._hosts = {each.id: each.host for each in known}
        self._changes = by_id
        self._times = {id: [each.at.wall for each in its] for id, its in by_id.items()}

    def at(self, time: float) -> dict[str, Stored]:
        """Return how each was; what was not watched yet is not among them."""
        found: dict[str, Stored] = {}
        for id, times in self._times.items():
            if place := bisect_right(times, time):
                each = self._changes[id][place - 1]
                # While it flaps nobody knows how it is.
                state = each.after if each.after != "unstable" else UNKNOWN
                found[id] = Seen(host=self._hosts[id], state=state, time=time, since=each.at.wall)
        return found


def _looks(subject: Subject, its: Sequence[Change], begin: float, end: float, past: _History) -> Iterator[Case]:
    """Yield the looks at each problem of a result: from when it was hard on, at its interval."""
    policy, since, looks = subject.policy, None, ""
    for place, each in enumerate(its):
        until = its[place + 1].at.wall if place + 1 < len(its) else end
        if each.after not in (WARNING, CRITICAL):
            since = since if each.after == UNKNOWN else None
            if each.after == OK:
                looks += "." * max(1, min(LOOKS, ceil((until - each.at.wall) / policy.interval)))
            continue
        since = each.at.wall if since is None else since
        # By the time that it was hard it had failed before, at looks that had counted as well until then.
        letter, soft = failures.LETTERS[each.after], policy.attempts.failures - 1
        looks = looks[: max(0, len(looks) - soft)] + letter * soft
        for number in range(LOOKS):
            time = each.at.wall + number * policy.interval
            if time >= until and number:
                break
            looks = f"{looks}{letter}"[-failures.LOOKS :]
            if time >= begin:
                failed = policy.attempts.failures + number
                row = Row(state=each.after, failures=failed, since=since, last=time, looks=looks)
                result = _result(subject, each.after, each.reason)
                yield Case(time=time, result=result, row=row, history=partial(past.at, time))


def _of_record(one: Mapping[str, Any], known: Mapping[str, Subject]) -> Case | None:
    """Return what a decision of the audit was about; None where it is none, or of what is looked at no longer."""
    try:
        subject = known.get(one["id"])
        if one["event"] not in (REFUSED, WOULD, PROPOSED, TRIED) or subject is None:
            return None
        time, before = float(one["time"]), one["before"]
        answers = {gate["name"]: bool(gate["passed"]) for gate in one["gates"]}
        words = next((gate["reason"] for gate in one["gates"] if gate["name"] == "confirm"), "")
        failed, looks = _confirmed(words, before["state"])
        row = Row(state=before["state"], failures=failed, since=one.get("problem"), last=time, looks=looks)
        return Case(time=time, result=_result(subject, before["state"], before["reason"]), row=row, answers=answers)
    except (KeyError, TypeError, ValueError):
        return None  # damaged, or of another version: it says nothing here


def _confirmed(words: str, state: str) -> tuple[int, str]:
    """Return how often in a row it had failed at least, and the looks, by what the gate `confirm` has said of it."""
    letter = failures.LETTERS.get(state, "")
    if found := _IN_A_ROW.search(words):
        count = int(found[1])
        return count, letter * min(count, failures.LOOKS)
    if found := _OF_LOOKS.search(words):
        # Which of them were well is not on record: of those that failed the newest is sure to be at the end.
        count, of = int(found[1]), int(found[2])
        return count if count == of else min(count, 1), "." * min(of - count, failures.LOOKS) + letter * count
    return 0, ""


def _result(subject: Subject, state: str, reason: str) -> Result:
    feature, _, _ = subject.id.partition("#")
    return Result(
        subject.id, feature, subject.id, 0, subject.host, state, reason, subject.groups, subject.labels, subject.tags
    )
