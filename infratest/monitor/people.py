"""What people say to a monitor: that they have a problem, what is planned, that all is to be silent, that a job ran.

Each function answers one word of a question (`asked`), for a book of a running monitor or of its store alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infratest.alerting.downtime import Downtime, Fixed, Recurring, covered
from infratest.alerting.moments import Moment
from infratest.alerting.status import Acknowledge, Unacknowledge
from infratest.cleaning import clean
from infratest.errors import UnknownName, UserError, unknown
from infratest.monitor.book import Book
from infratest.monitor.question import Given
from infratest.store.database.people import Note

#: Characters of a name, and of what people write beside it.
LONGEST_NAME, LONGEST = 100, 500
#: Seconds that a downtime, an acknowledgement or a pause may last: 10 years.
LONGEST_TIME = 3653 * 86400.0


def ack(book: Book, now: Moment, given: Given) -> Mapping[str, Any]:
    """Somebody has a problem. In the question: `id`, `comment`, and in seconds `for`; without it until recovery."""
    id, seconds = given.text("id"), _seconds(given, "for")
    book.event(id, Acknowledge(now, given.user, _words(given, "comment"), seconds))
    return {"id": id, "state": book.statuses[id].state, "by": given.user, "for": seconds}


def unack(book: Book, now: Moment, given: Given) -> Mapping[str, Any]:
    """Nobody has it any longer. In the question: `id`."""
    id = given.text("id")
    book.event(id, Unacknowledge(now))
    return {"id": id, "state": book.statuses[id].state}


def downtime(book: Book, now: Moment, given: Given) -> Mapping[str, Any]:
    """Plan a silence of what is watched now. In the question: `name`, `comment`, and of what it is for `id`, or `host`
    and `tags`; when: `for` in seconds, with `from` since the epoch, or with `every` and `zone`.
    """
    name = clean(given.text("name"), LONGEST_NAME)
    if name in {each.name for each in book.downtimes if not _over(each, now)}:
        raise UserError(f"downtime {name!r} is there already; end it, or take another name")
    if id := given.text("id", ""):
        book.known(id)
        ids = frozenset((id,))
    else:
        ids = covered(book.subjects.values(), given.text("host", ""), given.text("tags", ""))
    if not ids:
        raise UserError(f"downtime {name!r}: nothing that is watched is meant by that; see `infratest monitor due`")
    made = Downtime(name, _window(given, now), ids, given.user, _words(given, "comment"))
    if _over(made, now):
        raise UserError(f"downtime {name!r}: it would be over by now")
    book.plan([*(each for each in book.downtimes if each.name != name and not _over(each, now)), made])
    return _downtime(made, now)


def downtimes(book: Book, now: Moment, given: Given) -> list[Mapping[str, Any]]:
    """Return what is planned, by name."""
    return [_downtime(each, now) for each in sorted(book.downtimes, key=lambda each: each.name)]


def downtime_end(book: Book, now: Moment, given: Given) -> Mapping[str, Any]:
    """End a downtime, whether it has begun or not. In the question: `name`."""
    name = given.text("name")
    for each in book.downtimes:
        if each.name == name:
            book.plan([other for other in book.downtimes if other is not each])
            return _downtime(each, now)
    raise UnknownName(unknown("downtime", name, sorted(each.name for each in book.downtimes)))


def pause(book: Book, now: Moment, given: Given) -> Mapping[str, Any]:
    """Tell nobody anything for a while; looks go on. In the question: `for`, in seconds."""
    seconds = _seconds(given, "for")
    if seconds is None:
        raise UserError("pause: for how long is not said")
    book.pause(now.steady + seconds, given.user)
    return {"for": seconds, "by": given.user}


def resume(book: Book, now: Moment, given: Given) -> Mapping[str, Any]:
    """End a pause; what is so then is told. The answer says whether there was one."""
    was = book.paused is not None and now.steady < book.paused
    book.pause(None)
    return {"paused": was}


def note(book: Book, now: Moment, given: Given) -> Mapping[str, Any]:
    """Keep a mark in history, as of a deployment. In the question: `text`, and `host`."""
    made = Note(now, _words(given, "text"), given.user, clean(given.text("host", ""), LONGEST_NAME) or "-")
    book.note(made)
    return {"text": made.text, "host": made.host, "at": now.wall}


def heartbeat(book: Book, now: Moment, given: Given) -> Mapping[str, Any]:
    """A job was heard of. In the question: `name`, `signal`."""
    name = given.text("name")
    seen = book.pulses.hear(name, given.text("signal"), now)
    return {"name": name, "state": seen.state, "kind": seen.kind, "reason": seen.reason}


def _window(given: Given, now: Moment) -> Fixed | Recurring:
    seconds = _seconds(given, "for")
    if seconds is None:
        raise UserError("downtime: for how long is not said; write --for 2h")
    if every := given.text("every", ""):
        return Recurring(every, seconds, given.text("zone", "UTC"))
    begin = given.number("from")
    begin = now.wall if begin is None else begin
    return Fixed(begin, begin + seconds)


def _over(downtime: Downtime, now: Moment) -> bool:
    return isinstance(downtime.window, Fixed) and downtime.window.end <= now.wall


def _downtime(each: Downtime, now: Moment) -> Mapping[str, Any]:
    window = each.window
    when: dict[str, Any] = {"every": window.cron, "zone": window.zone, "for": window.seconds} if isinstance(
        window, Recurring
    ) else {"begin": window.begin, "end": window.end}  # fmt: skip
    return {
        "name": each.name, **when, "active_until": window.until(now.wall), "over": _over(each, now),
        "ids": sorted(each.ids), "by": each.by, "comment": each.comment,
    }  # fmt: skip


def _seconds(given: Given, name: str) -> float | None:
    seconds = given.number(name)
    if seconds is not None and not 0 < seconds <= LONGEST_TIME:
        raise UserError(f"--{name}: {seconds:g} s is no time that it may last; write more than zero, at most 10 years")
    return seconds


def _words(given: Given, name: str) -> str:
    words = clean(given.text(name), LONGEST).strip()
    if not words:
        raise UserError(f"{name}: it is empty; say why, for whoever reads it at night")
    return words
