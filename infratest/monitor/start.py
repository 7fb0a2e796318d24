"""A monitor from what a stack file says: its store opened, its receivers and routes, and what it watches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property
from time import time
from typing import cast

from infratest.alerting import owed
from infratest.alerting.ledger import Notice
from infratest.clock import REAL, Clock
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.intakes.base import Intake
from infratest.monitor import post, stores
from infratest.monitor.alive import Pinged, Switch
from infratest.monitor.book import Book
from infratest.monitor.canary import Canary
from infratest.monitor.changes import Changes
from infratest.monitor.keeping import Keeping, begun, claim, freshness, memory
from infratest.monitor.listening import intakes, listening
from infratest.monitor.monitor import Monitor, Outcome
from infratest.monitor.sending import Sending
from infratest.monitor.timepiece import Timepiece
from infratest.monitor.watched import Watched
from infratest.plan.tasks import NO_HOST
from infratest.project.prepare import Request
from infratest.project.session import Session
from infratest.project.spread import Workers, workers_of
from infratest.receivers.base import Receiver, opened
from infratest.senders import base as senders
from infratest.senders.base import Sender
from infratest.spread.address import Address
from infratest.stack.monitor import Monitor as MonitorEntry
from infratest.stack.monitor import ReceiverEntry, SenderEntry
from infratest.store.database.base import Store
from infratest.store.database.lease import Lease
from infratest.store.database.retention import Keep

log = logging.getLogger(__name__)

#: Seconds that other tools have for what waits for them, and behind it the last word to the dead-man's switch: less
#: than `foreground.LAST_WORDS`, so that the store is closed in order, and another monitor may work at once.
LAST = 3.0
#: Hosts that are looked at at once where workers do it: each has a thread here that waits, and costs next to nothing.
WAITING = 256


@dataclass(frozen=True)
class Project(Watched):
    """What is watched, with the receivers that are told.

    Args:
        opened: each receiver, by its name. senders: each of `send:`, by its name.
    """

    opened: Mapping[str, tuple[ReceiverEntry, Receiver]] = field(default_factory=dict)
    senders: Mapping[str, tuple[SenderEntry, Sender]] = field(default_factory=dict)

    @cached_property
    def receivers(self) -> list[owed.Receiver]:
        """The receivers, as what is owed to them is worked out."""
        return [owed.Receiver(name, receiver.digest, receiver.lease) for name, (_, receiver) in self.opened.items()]

    @classmethod
    def project(
        cls, session: Session, request: Request, before: Project | None = None, workers: Workers | None = None
    ) -> Project:
        """Read the project.

        Args:
            before: as it was: a receiver that is written as it was stays, for it remembers who took what, and so does a
            sender, which has a queue. workers: who look; those of before, where there was one.
        Raises:
            InfratestError: it cannot be read, or a receiver or a sender lacks what it needs on this machine.
        """
        watched = Watched.read(session, request, connections=None if before is None else before.connections)
        known = {} if before is None else before.opened
        made = {}
        for name, entry in watched.monitor.receivers.items():
            kept = known.get(name)
            if kept is None or (kept[0].kind, kept[0].options) != (entry.kind, entry.options):
                kept = entry, opened({entry.kind: entry.options}, entry.where, session.stack.folder)
            kept[1].foresee()
            made[name] = kept
        sent_by = _senders(watched, () if before is None else before.senders.values())
        if before is not None:
            workers = before.workers
            _refuse_begun(before.monitor, watched.monitor)
            watched = watched.without(before.left)
        project = cls(
            session, request, watched.prepared, watched.connections, workers, watched.left, opened=made, senders=sent_by
        )
        project.spread  # noqa: B018  # what is wrong with it is told now
        return project


@contextmanager
def started(
    session: Session,
    request: Request,
    clock: Clock = REAL,
    boot: str | None = None,
    waiting: Callable[[Lease], None] = stores.wait_for_nobody,
) -> Iterator[Monitor]:
    """Give a monitor that is ready to run; its store is closed behind it.

    Args:
        clock, boot: of the machine, or simulated. waiting: called while another monitor works on the same PostgreSQL.
    Raises:
        InfratestError: the project cannot be read, or the store not be opened.
    """
    _heard(session)  # what is wrong with it is told before any wait
    with _opened(session, request, waiting) as (project, store):
        session = project.session  # of the files as they are now: it may have waited for days
        said, heard = project.monitor, _heard(session)
        stack, env = session.stack.name, session.stack.env
        sending = Sending({}, stack, env)
        claim(store, stack, env)
        known, anchor = memory(store)
        timepiece = Timepiece(anchor, clock, boot)
        keeping = _keeping(store, said, (stack, env), timepiece)

        def watched() -> Project:
            return cast(Project, monitor.watched)

        def read() -> Project:
            made = Project.project(again(session), request, watched())
            made.connections.fit({*made.units.values(), NO_HOST})
            return made

        def hand_over(notices: tuple[Notice, ...]) -> None:
            _hand_over(watched(), notices, monitor)

        switch, worked = _alive((stack, env), session, lambda: monitor)
        size = said.jobs if project.workers is None else WAITING
        monitor = Monitor(project, Book(known), keeping, timepiece, hand_over, read, size, worked)
        del known  # what an earlier life left is the book's now, and as large as what comes of this one
        try:
            with _out(monitor, sending, project, switch), listening(monitor, store, heard, stack, env):
                yield monitor
        finally:
            project.connections.close()


def _refuse_begun(before: MonitorEntry, now: MonitorEntry) -> None:
    """Refuse a change of what a monitor begins with, and does not take in later. Raises UserError."""
    for words, read in (
        ("`jobs` is another one", lambda said: (said.jobs, said.scheduler)),
        ("`hints` are others", lambda said: said.hints),
        ("`listen` is another one", lambda said: [(each.kind, each.options) for each in said.listen]),
        ("`store` is another one", lambda said: (said.store, said.keep)),
    ):
        if read(before) != read(now):
            raise UserError(f"{now.where}: {words}: begin the monitor anew for that")


def _alive(
    place: tuple[str, str], session: Session, monitor: Callable[[], Monitor]
) -> tuple[Switch, Callable[[float], None]]:
    """Return what cries when the monitor is silent, and what is called behind each turn that shows that it works."""

    def done(pinged: Pinged) -> None:
        monitor().inbox.put(pinged)

    switch, canary = Switch(done), Canary(place, session.stack.folder, done)

    def worked(now: float) -> None:
        said = cast(Project, monitor().watched).monitor
        switch.worked(said.alive, now)
        sent = said.alive.canary if said.alive else None
        canary.worked(sent, said.receivers, monitor().book, monitor().timepiece.now())

    return switch, worked


@contextmanager
def _out(monitor: Monitor, sending: Sending, project: Project, switch: Switch) -> Iterator[None]:
    """Have what a monitor sees sent while the block runs, and what waits then once more."""
    sending.watch(project)
    monitor.sending = sending
    try:
        yield
    finally:
        last = Deadline(LAST)
        sending.end(last.left)
        switch.wait(last.left)


def _keeping(store: Store, said: MonitorEntry, place: tuple[str, str], timepiece: Timepiece) -> Keeping:
    """Return what writes, with the marks of a life that begins. Raises StateError."""
    fresh = freshness(said)
    made = Keeping(store, *place, Keep(said.keep.raw, said.keep.hourly, said.keep.size), fresh=fresh)
    made.write(Changes(notes=begun(store, timepiece.now(), fresh)), timepiece.anchor())
    return made


def _senders(watched: Watched, before: Iterable[tuple[SenderEntry, Sender]]) -> dict[str, tuple[SenderEntry, Sender]]:
    """Return what a stack has its monitor send to: those of before that are written alike, and new ones.

    Raises:
        UserError: one of them lacks what it needs.
    """
    known, made = list(before), {}
    for entry in watched.monitor.send:
        alike = next((each for each in known if _alike(each[0], entry)), None)
        if alike is not None:
            known.remove(alike)  # of two that are written alike each has its own
        folder = watched.session.stack.folder
        sender = (
            senders.opened(entry.kind, entry.options, entry.where, folder, entry.shared) if alike is None else alike[1]
        )
        try:
            sender.foresee()
        except UserError as error:
            raise UserError(f"{entry.where}: {entry.kind}: {error}") from None
        made[entry.name] = (entry, sender)
    return made


def _alike(one: SenderEntry, other: SenderEntry) -> bool:
    return (one.kind, one.options, one.shared) == (other.kind, other.options, other.shared)


@contextmanager
def _opened(session: Session, request: Request, waiting: Callable[[Lease], None]) -> Iterator[tuple[Project, Store]]:
    """Give the project and its store; who looks, and what is kept, is let go of behind it.

    Whoever had to wait begins by the files as they are when its turn comes, whatever was changed in them: nothing has
    begun yet that would have to stay.
    """
    waited: list[Lease] = []

    def wait(lease: Lease) -> None:
        waited[:] = [lease]
        waiting(lease)

    with ExitStack() as all_:
        while True:
            workers = all_.enter_context(workers_of(_scheduler(session)))
            project = Project.project(session, request, workers=workers)  # what is wrong is told before any wait
            store = all_.enter_context(stores.opened(session, wait))
            if not waited:
                break
            waited.clear()
            before, session = session, again(session)
            if _place(session) == _place(before):
                project = Project.project(session, request, workers=workers)
                break
            all_.close()  # it is to look by others, or to keep it elsewhere, where another one may work
        if store.set_aside:
            log.error("store: %s was damaged, and is set aside as %s; a new one begins", store.path, store.set_aside)
        yield project, store


def _place(session: Session) -> tuple[object, ...]:
    """Return what has to be opened anew where it is another one: who looks, and where is kept what they see."""
    said = session.stack.monitor or MonitorEntry()
    return _scheduler(session), said.store, session.stack.name, session.stack.env


def _scheduler(session: Session) -> Address | None:
    said = session.stack.monitor or MonitorEntry()
    return session.scheduler or said.scheduler


def _heard(session: Session) -> list[Intake]:
    """Return what a stack has its monitor listen to. Raises UserError."""
    return intakes(session.stack.monitor or MonitorEntry(), session.stack.folder)


def again(session: Session) -> Session:
    """Return a session of the same options that reads its files anew."""
    return Session(**{each.name: getattr(session, each.name) for each in fields(Session) if each.name[0] != "_"})


def _hand_over(project: Project, notices: tuple[Notice, ...], monitor: Monitor) -> None:
    _, receiver = project.opened[notices[0].receiver]
    stack = project.session.stack
    message = post.message(monitor.book, notices, stack.name, stack.env, time())

    def came(outcome: str, reason: str, after: float) -> None:
        monitor.inbox.put(Outcome(notices, outcome, reason, after))

    post.deliver(receiver, message, came, lambda: monitor.writing.store.ours)
