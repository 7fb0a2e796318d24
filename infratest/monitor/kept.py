"""What a monitor left in its store, asked and changed while none runs: the same words, answered by the same functions.

Nothing is watched meanwhile, so that whatever it knew is old: who shows it says so, and never calls it ok.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infratest.alerting.moments import Moment
from infratest.alerting.policy import NEVER, Flap, Policy
from infratest.alerting.subject import Subject
from infratest.errors import StateError
from infratest.monitor import stores
from infratest.monitor.asked import word_of
from infratest.monitor.book import Book
from infratest.monitor.control import NoMonitor, ask, login
from infratest.monitor.keeping import Keeping, claim, memory
from infratest.monitor.question import Given
from infratest.monitor.start import again
from infratest.monitor.timepiece import Timepiece
from infratest.monitor.watched import Watched
from infratest.project.monitor_store import in_file, looked_into, waits, watched, working
from infratest.project.prepare import Request
from infratest.project.session import Session
from infratest.store.database.retention import Keep

#: As a result is taken to be watched of which the store alone is asked: nothing ends by time that was not kept.
_LOOKED_AT = Policy(stale=NEVER / 2, flap=Flap(calm=1e11))
_OWN = Policy(stale=NEVER, flap=Flap(calm=1e11))
#: Has a book of the store watch what a question is about, from a moment on.
Ready = Callable[[Book, Moment], None]
#: What the id of a result begins with that the monitor knows by itself.
OWN = "monitor#"


@dataclass(frozen=True)
class Answered:
    """An answer, and where it comes from.

    Args:
        pid, since: of the monitor that gave it, and when that began; None where none runs, and the store was asked.
        as_of: until when somebody watched, in seconds since the epoch; None where a monitor answered, or nobody ever.
        unwritten: why what the monitor knows is not in its store; empty where it is. works: which monitor elsewhere
        watches, and writes the store that was asked. standby: the process here that waits until that does no longer.
    """

    answer: Any
    pid: int | None = None
    since: float | None = None
    as_of: float | None = None
    unwritten: str = ""
    works: str = ""
    standby: str = ""

    @property
    def live(self) -> bool:
        """Whether a monitor runs, so that what it says is so now."""
        return self.pid is not None

    @property
    def watched(self) -> bool:
        """Whether somebody watches, here or elsewhere, so that what is answered is so now, or was a few seconds ago."""
        return self.live or bool(self.works)


def asked(
    session: Session,
    word: str,
    given: Mapping[str, Any] | None = None,
    ready: Ready | None = None,
) -> Answered:
    """Ask the monitor of a state directory, or where none runs its store; what that changes is written there.

    Args:
        given: what stands in the question. ready: makes a book of the store ready to answer; where it is None, what
        is watched is what the store knows.
    Raises:
        InfratestError: the question is a mistake, or neither a monitor nor a store answers.
    """
    question = {**(given or {}), "word": word, "place": session.stack.place}
    try:
        return Answered(**ask(session.state.path, question))
    except NoMonitor:
        pass
    if not word_of(question).changes:
        return _read(session, question, ready)
    try:
        return _changed(session, question, ready)
    except StateError as error:
        try:
            return Answered(**ask(session.state.path, question))  # one has begun meanwhile, and has the store
        except NoMonitor:
            _refuse_standby(session)
            raise error from None


def _read(session: Session, question: Mapping[str, Any], ready: Ready | None) -> Answered:
    with looked_into(session) as store:
        (known, anchor), as_of, works = memory(store), watched(store), working(store)
    made = _answered(Book(known), Timepiece(anchor).now(), question, ready, as_of)
    return replace(made, works=works, standby=waits(session))


def _refuse_standby(session: Session) -> None:
    """Raise StateError where what is to be changed is another monitor's to change."""
    if in_file(session):
        return
    with looked_into(session) as store:
        writer = store.writer
    if writer:
        stores.refuse(writer)


def _changed(session: Session, question: Mapping[str, Any], ready: Ready | None) -> Answered:
    stack = session.stack
    with stores.opened(session) as store:
        claim(store, stack.name, stack.env)
        known, anchor = memory(store)
        timepiece, book = Timepiece(anchor), Book(known)
        made = _answered(book, timepiece.now(), question, ready, watched(store))
        Keeping(store, stack.name, stack.env, Keep(), watching=False).write(book.taken(), timepiece.anchor())
        return made


def _answered(
    book: Book,
    now: Moment,
    question: Mapping[str, Any],
    ready: Ready | None,
    as_of: float | None,
) -> Answered:
    (ready or as_stored)(book, now)
    answer = word_of(question).answer(book, now, Given(question, login(os.getuid())))
    return Answered(_without_policies(answer), as_of=as_of)


def _without_policies(answer: Any) -> Any:
    """Return an answer without what hangs on how results are watched: the store does not know that."""
    if isinstance(answer, list):
        return [_without_policies(each) for each in answer]
    if isinstance(answer, dict):
        return {name: _without_policies(each) for name, each in answer.items() if name not in ("failures", "policy")}
    return answer


def as_stored(book: Book, now: Moment) -> None:
    """Have a book watch what its store knows: ids and hosts, and nothing of their tags and groups."""
    for id in book.statuses:
        policy = _OWN if id.startswith(OWN) else _LOOKED_AT
        book.subjects[id] = Subject(id, id.rpartition("@")[2] or "-", policy=policy, looked_at=False)


def as_planned(session: Session) -> Ready:
    """Return what has a book watch what the project says just now, for who chooses by host or by tag."""

    def ready(book: Book, now: Moment) -> None:
        watched = Watched.read(replace(again(session), host=(), _state=session.state), Request(face="check"))
        book.subjects = {each.id: each for each in watched.subjects}

    return ready


def with_heartbeats(session: Session) -> Ready:
    """Return what has a book expect the heartbeats of the stack file."""

    def ready(book: Book, now: Moment) -> None:
        as_stored(book, now)
        monitor = session.stack.monitor
        book.pulses.expect({} if monitor is None else monitor.heartbeats, now)

    return ready
