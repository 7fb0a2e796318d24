"""What a rule has earned by heals that people approved, by what is on record. Called by `infratest heal trust`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

from infratest.errors import InfratestError, NoStore
from infratest.heal.audit import FILE, OLD_FILE, Audit
from infratest.heal.earning import SEEN, Approved, Earned, Kept, Look, earned
from infratest.heal.neighbours import RANKS
from infratest.heal.records import in_drill
from infratest.heal.rules import matches
from infratest.model import Place, is_of
from infratest.project.monitor_store import in_file, looked_into
from infratest.project.rule_lint import cases
from infratest.project.session import Session
from infratest.stack.declared import HealRule
from infratest.states import CRITICAL, OK
from infratest.store import events, failures
from infratest.store.blocks import HOUR
from infratest.store.database import changes, place
from infratest.store.database.base import Transaction

#: Seconds after its last word in which what a drill has broken that was killed is seen first.
KILLED = HOUR


def of_rule(session: Session, rule: HealRule, now: float) -> Earned:
    """Return what a rule has earned. Args: now: seconds since the epoch.

    Raises:
        UserError: its neighbours cannot be told, since a feature cannot be read. StateError: nor can what is kept.
    """
    heals = Audit(session.state, session.stack.place, now, looking=True).approved(rule.name)
    if not rule.calm or not heals:
        return earned(heals, (), Kept(), rule.calm, now)
    beside = _neighbours(session, rule)
    kept = _kept(session, heals, beside, rule.calm, now)
    return earned(heals, beside, kept, rule.calm, now)


def _neighbours(session: Session, rule: HealRule) -> set[str]:
    if not rule.neighbours:
        return set()
    beside = replace(rule, when_tags=rule.neighbours)
    return {case.id for case in cases(session.stack) if matches(beside, case.tags)}


def _kept(session: Session, heals: Sequence[Approved], beside: Collection[str], calm: float, now: float) -> Kept:
    """Return what is kept of how these were, since the first of the heals or a little before that."""
    state, mine, begin = session.state, session.stack.place, heals[0].at
    ids, watched = {*beside, *(one.id for one in heals)}, set[float]()
    older, newer = state.read(events.OLD_FILE), state.read(events.FILE)
    looks = [*_of_events((*older, *newer), mine, ids), *_of_audit(session, ids)]
    for id, row in failures.load(state, mine).items():
        if id in ids and row.since is not None and not row.drill:  # what is not known now was failing when it began
            looks.append(Look(time=row.since, id=id, state=row.state if row.state in SEEN else CRITICAL))
    # What proposed the first of them is an event itself: a file that begins later is not all that there was.
    since, problem = float((*older, *newer)[0]["time"]) if older or newer else now, ""
    if not in_file(session) or Path(state.file(place.FILE)).exists():
        try:
            with looked_into(session) as store, store.sight() as t:
                looks += [one for one in (_before(t, id, begin) for id in ids) if one is not None]
                looks += _of_store(t, heals, ids)
                for one in heals:  # what checks alone have seen of then may be kept no longer
                    end = min(one.at + calm, since)
                    if all(changes.watched(t, id, one.at, end) for id in {*beside, one.id}):
                        watched.add(one.at)
        except NoStore:
            pass  # what lies there is of another environment: how that did says nothing of this one
        except InfratestError as error:
            problem = f"the monitor's store cannot be read: {error}"
    looks = _without(looks, _drills((*older, *newer), mine))
    return Kept(looks=looks, since=since, watched=watched, problem=problem)


def _before(t: Transaction, id: str, begin: float) -> Look | None:
    """Return how the monitor knew a result to be when a time began; None where it did not watch it, as far as is kept.

    What has not changed for long is only marked; in the hour of that time itself that may have been after it. How it
    was before a monitor ended says nothing of later.
    """
    last, marked = changes.last(t, id, begin), changes.marked(t, id, begin - HOUR)
    if last is not None and (marked is not None or last.at.wall >= begin - 2 * HOUR):
        return Look(time=last.at.wall, id=id, state=last.after)
    return None if marked is None else Look(time=begin - HOUR, id=id, state=marked)


def _of_store(t: Transaction, heals: Sequence[Approved], ids: Collection[str]) -> Iterator[Look]:
    """Yield how the monitor has known results to be since; of what was well all along that is its marks alone."""
    for id in ids:
        for one in changes.changes(t, id, heals[0].at):
            yield Look(time=one.at.wall, id=id, state=one.after)
    for heal in heals:
        well = changes.well_after(t, heal.id, heal.at)
        if well is not None:
            yield Look(time=well, id=heal.id, state=OK)


def _drills(told: tuple[dict[str, Any], ...], mine: Place) -> list[tuple[float, float]]:
    """Return from when to when drills had broken something: whoever looked meanwhile, as a monitor, saw that.

    One that has not come to say that it is over was killed, or runs still: what it broke may be seen a while later.
    """
    ends, left = dict[str, float](), set[str]()
    for one in told:
        labels = one.get("labels", {})
        if events.DRILL in labels and is_of(labels, mine):
            began = str(labels[events.DRILL])
            ends[began] = max(ends.get(began, -inf), float(one["time"]))
            if labels.get("outcome") == events.BROKE:
                left.add(began)
            elif labels.get("outcome") == events.OVER:
                left.discard(began)
    return [(float(began), end + (KILLED if began in left else 0.0)) for began, end in ends.items()]


def _without(looks: Sequence[Look], drills: Sequence[tuple[float, float]]) -> list[Look]:
    """Return the looks but those of what drills had broken: what turned red in one is of it until it is well again."""
    kept, broken = [], set[str]()
    for look in sorted(looks, key=lambda look: look.time):
        within = any(begin <= look.time <= end for begin, end in drills)
        if look.state in SEEN:
            red = bool(RANKS[look.state]) and (within or look.id in broken)
            (broken.add if red else broken.discard)(look.id)
        if not within and look.id not in broken:
            kept.append(look)
    return kept


def _of_events(told: tuple[dict[str, Any], ...], mine: Place, ids: Collection[str]) -> Iterator[Look]:
    for one in told:
        labels = one.get("labels", {})
        if labels.get("kind") == events.RESULT and is_of(labels, mine) and labels.get("id") in ids:
            yield Look(time=float(one["time"]), id=str(labels["id"]), state=str(one["value"]))


def _of_audit(session: Session, ids: Collection[str]) -> Iterator[Look]:
    """Yield when problems began about which something was decided. What a drill has broken is none."""
    for one in (record for name in (OLD_FILE, FILE) for record in session.state.read(name)):
        its, began = one.get("before"), one.get("problem")
        if is_of(one, session.stack.place) and one.get("id") in ids and its and began and not in_drill(one):
            yield Look(time=float(began), id=str(one["id"]), state=str(its.get("state")))
