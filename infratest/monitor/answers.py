"""What a monitor answers when it is asked, as JSON can say it: from a book alone, so that it is the same whether the
monitor runs or what it wrote is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from infratest.alerting.ledger import UNSTABLE
from infratest.alerting.moments import Moment
from infratest.alerting.problems import Picture, Problems
from infratest.alerting.status import Status
from infratest.model import Result
from infratest.monitor.book import Book
from infratest.monitor.receiving import DEAD
from infratest.states import OK, SKIPPED, UNKNOWN, WAIVED, WORST_FIRST, worst

#: Seconds, hosts or ids that are told of many.
MANY = 20


def status(book: Book, now: Moment) -> dict[str, Any]:
    """Return how everything is: hard states counted, and all that is not well or not confirmed, the worst first."""
    problems = _problems(book, now)
    states = {id: state_of(book, id) for id in book.subjects}
    counts = Counter(states.values())
    shown = [_result(book, problems, id) for id, state in states.items() if state != OK or book.statuses[id].soft]
    return {
        "state": worst(states[id] for id, one in book.subjects.items() if one.policy.expected or states[id] != OK),
        "counts": {state: counts[state] for state in WORST_FIRST if counts[state]},
        "results": sorted(shown, key=lambda each: (WORST_FIRST.index(each["state"]), each["since"], each["id"])),
    }


def state_of(book: Book, id: str) -> str:
    """Return how a result is: its hard state, but for one that holds by a waiver, and one that nobody saw hold yet."""
    subject, its = book.subjects[id], book.statuses[id]
    if its.pending or (its.seen is None and subject.policy.expected):
        return UNKNOWN
    return its.seen if its.state == OK and its.seen in (WAIVED, SKIPPED) else its.state


def problems(book: Book, now: Moment) -> dict[str, Any]:
    """Return what is wrong by itself, with what it stands in the way of, and who was told of it."""
    known = _problems(book, now)
    causes = [id for id in known.failing if id in book.subjects and known.cause(id) is None]
    found = []
    for id in causes:
        members = known.members.get(id, [])
        told = [_told(name, book, id) for (name, about) in sorted(book.entries) if about == id]
        found.append({**_result(book, known, id), "blocks": members, "told": told})
    open_ones = [each for each in found if not each["suppressed"]]
    return {"state": worst([each["state"] for each in open_ones] or [OK]), "problems": found}


def due(book: Book, now: Moment, most: int = MANY) -> list[dict[str, Any]]:
    """Return what is looked at next, the soonest first. `in` is in seconds, and below 0 where it is late."""
    times = sorted((time, id) for id in book.subjects if (time := book.agenda.time_of(id)) is not None)
    return [{"id": id, "in": round(time - now.steady, 3)} for time, id in times[:most]]


def result(book: Book, id: str, now: Moment) -> dict[str, Any]:
    """Return all that is remembered of one result. Raises UnknownName."""
    book.known(id)
    known = _problems(book, now)
    subject, status = book.subjects[id], book.statuses[id]
    policy = subject.policy
    return {
        **_result(book, known, id),
        "policy": {
            "interval": policy.interval,
            "retry": min(policy.retry, policy.interval),  # as `due` has it
            "attempts": {"failures": policy.attempts.failures, "of": policy.attempts.of},
            "recover": policy.recover,
            "stale": policy.stale,
        },
        "looked_at": None if status.looked is None else _wall(status.looked, now),
        "cause": known.cause(id),
        "needs": list(subject.needs),
        "told": [_told(name, book, id) for (name, about) in sorted(book.entries) if about == id],
        "withheld": {name: reason for (name, about), reason in sorted(book.withheld.items()) if about == id},
        "evidence": _evidence(book, id),
    }


def latest(book: Book, digests: Mapping[str, str], now: Moment) -> dict[str, Any]:
    """Return what was seen last of these ids, as a check of its own would have it, and of what stood in their way.

    `missing` is why there is no answer: one of them is not watched, or as something else, was not looked at yet, or too
    long ago. `age`: seconds since the oldest of these looks.

    Args:
        digests: by id, of what is asked (`plan.digest`); empty for whatever is asked under it.
    """
    found: dict[str, Result] = {}
    oldest = now.steady
    for id, digest in digests.items():
        at = _seen(book, id, digest)
        if at is None or now.steady - at.steady > book.subjects[id].policy.freshness:
            return {"missing": _missing(book, id, digest, now), "results": [], "age": 0.0}
        oldest = min(oldest, at.steady)
        found[id] = book.results[id]
    blockers = {each.blocked_by for each in found.values() if each.blocked_by is not None}
    for id in sorted(blockers - found.keys()):
        if id not in book.newest:
            return {"missing": _missing(book, id, "", now), "results": [], "age": 0.0}
        found[id] = book.results[id]
    results = [one.changed(since=_began(book, one)).as_dict() for one in found.values()]
    return {"missing": "", "results": results, "age": now.steady - oldest}


def left_alone(book: Book, ids: Sequence[str], now: Moment) -> dict[str, str]:
    """Return why people want some of these results left alone: a downtime, or that somebody has it."""
    known = _problems(book, now)
    found = {id: known.left_alone(id) for id in ids}
    return {id: why.reason for id, why in found.items() if why is not None}


def health(book: Book, now: Moment) -> dict[str, Any]:
    """Return how the monitor itself does, as far as its book knows."""
    next, failing = book.agenda.next(), {name: book.failing(name) for name in sorted(book.receivers)}
    return {
        "late": 0.0 if next is None else max(0.0, now.steady - next),
        "dead": [name for name, tries in failing.items() if tries >= DEAD],
    }


def _seen(book: Book, id: str, digest: str) -> Moment | None:
    """Return when what is asked under an id was looked at last in this life; None where that is not known."""
    subject, at = book.subjects.get(id), book.newest.get(id)
    if subject is None or digest not in ("", subject.digest):
        return None
    return None if at is None or at.steady < book.since[id].steady else at


def _missing(book: Book, id: str, digest: str, now: Moment) -> str:
    if id not in book.subjects:
        return f"the monitor does not watch {id}"
    if digest not in ("", book.subjects[id].digest):
        return f"the monitor watches {id} as it was before its files changed (HUP reads them anew), or by another -D"
    at = _seen(book, id, digest)
    if at is None:
        return f"the monitor has not looked at {id} yet"
    return f"what the monitor knows of {id} is {now.steady - at.steady:.0f} s old"


def _began(book: Book, result: Result) -> float | None:
    """Return since when a result is as it was seen last; of what is not confirmed, since that look."""
    status = book.statuses[result.id]
    if result.state == OK:
        return None
    return (status.opened or status.since if status.state == result.state else book.newest[result.id]).wall


def _problems(book: Book, now: Moment) -> Problems:
    return Problems(Picture(now, book.subjects, book.statuses, book.downtimes, book.paused))


def _result(book: Book, problems: Problems, id: str) -> dict[str, Any]:
    its, subject = book.statuses[id], book.subjects[id]
    silence = problems.suppression(id) if its.state != OK else None
    attempts = subject.policy.attempts
    return {
        "id": id,
        "host": subject.host,
        "state": state_of(book, id),
        "level": UNSTABLE if its.unstable is not None else its.state,
        "soft": its.soft,
        "seen": its.seen,
        "failures": f"{its.blanks if its.seen == UNKNOWN else sum(its.window)} of {attempts.failures}",
        "since": (its.opened or its.since).wall,
        "reason": its.reason or ("" if its.seen is not None else "not looked at yet"),
        "blocked_by": its.blocked_by,
        "suppressed": "" if silence is None else silence.reason,
        "ack": None if its.ack is None else _ack(its),
    }


def _ack(its: Status) -> Mapping[str, Any] | None:
    ack = its.ack
    if ack is None:
        return None
    left = None if ack.until is None else ack.until - ack.at.steady
    return {"by": ack.by, "comment": ack.comment, "at": ack.at.wall, "for": left}


def _told(name: str, book: Book, id: str) -> dict[str, Any]:
    entry = book.entries[name, id]
    waits = entry.pending
    return {
        "receiver": name,
        "level": entry.level,
        "on_its_way": None if waits is None else f"{waits.kind} {waits.level}",
        "tries": entry.tries,
        "doubtful": entry.doubt is not None,
    }


def _evidence(book: Book, id: str) -> list[dict[str, Any]]:
    found = book.results.get(id)
    if found is None:
        return []
    return [step.as_dict() for step in found.steps if step.state != OK]


def _wall(steady: float, now: Moment) -> float:
    """Return about when by the wall clock a time of the monitor's own was."""
    return now.wall - (now.steady - steady)
