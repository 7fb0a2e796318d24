"""Hints to a running monitor: its sources, each in a thread of its own, and the loop that is told by them.

What comes is gathered, so that a thousand hints are one word to the loop, which then looks at no host more often than
once a second for it. A source that hears no more is begun again; meanwhile, and without any, the intervals stand.
Called by `foreground`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Lock, Thread
from typing import Protocol, cast

from infratest.engine.apart import defects_told
from infratest.errors import InfratestError, UserError
from infratest.hosts import Host
from infratest.monitor.hints.base import HERE, PROCESS, SERVICE, Hint, Source
from infratest.monitor.hints.processes import Processes
from infratest.monitor.hints.provider import OfProvider
from infratest.monitor.hints.units import Units
from infratest.monitor.monitor import Call, Monitor
from infratest.monitor.protocols import Watches
from infratest.project.session import Session
from infratest.providers.base import Announces
from infratest.stack.monitor import Monitor as Declared
from infratest.stack.open import open_provider

log = logging.getLogger(__name__)

#: Seconds after which a source that hears no more is begun again.
PAUSE = 10.0
LEAVE_OUT = "leave it out (another environment may have it)"


class Hinted(Watches, Protocol):
    """What is watched, and which of it a hint is for (`watched.Watched`)."""

    @property
    def here(self) -> Mapping[Hint, Sequence[str]]: ...
    @property
    def hosts(self) -> Mapping[str, Host]: ...
    def hinted(self, hint: Hint) -> Sequence[str]: ...


class Hints:
    """The hints of a running monitor.

    Args:
        sources: what gives them, by the stack file's words. host_changed: called by the loop where one is about a host.
    """

    def __init__(
        self, monitor: Monitor, sources: Mapping[str, Source], host_changed: Callable[[], None] = lambda: None,
        pause: float = PAUSE,
    ) -> None:  # fmt: skip
        self._monitor, self._sources, self._host_changed = monitor, sources, host_changed
        self._pause = pause
        self._came: set[Hint] = set()
        self._lock, self._ended = Lock(), Event()

    def __enter__(self) -> Hints:
        for word, source in self._sources.items():
            Thread(target=self._hear, args=(word, source), name=f"hints: {word}", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for source in self._sources.values():
            source.end()

    def tell(self, hint: Hint) -> None:
        """Have the loop know that something may have changed; may be called by any thread, and waits for nobody."""
        with self._lock:
            first = not self._came
            self._came.add(hint)
        if first:
            self._monitor.inbox.put(Call(lambda monitor: self._take(), lambda answer: None))

    def _hear(self, word: str, source: Source) -> None:
        before = ""
        while not self._ended.is_set():
            try:
                defects_told(source.run)(self.tell)
            except (InfratestError, OSError) as error:
                if str(error) != before and not self._ended.is_set():
                    before = str(error)
                    log.warning("monitor: hints: %s: %s; what is looked at is looked at in time", word, error)
            self._ended.wait(self._pause)

    def _take(self) -> None:
        with self._lock:
            came, self._came = self._came, set()
        watched = cast(Hinted, self._monitor.watched)
        ids = [id for hint in came for id in watched.hinted(hint)]
        self._monitor.book.hint(ids, self._monitor.timepiece.now())
        if any(not hint.fact for hint in came):
            self._host_changed()


def hints_of(monitor: Monitor, session: Session, host_changed: Callable[[], None] = lambda: None) -> Hints:
    """Return the hints that a stack file wants, which are heard in a block of their own.

    Args:
        host_changed: as of `Hints`.
    Raises:
        UserError: on this stack one of them could never give any.
    """
    said = session.stack.monitor or Declared()
    return Hints(monitor, _sources(said, session, lambda: cast(Hinted, monitor.watched)), host_changed)


def _sources(said: Declared, session: Session, watched: Callable[[], Hinted]) -> dict[str, Source]:

    def names(fact: str) -> Callable[[], list[str]]:
        return lambda: [hint.name for hint in watched().here if hint.fact == fact]

    made: dict[str, Source] = {}
    where = f"{said.where}: monitor.hints"
    for word in said.hints:
        if word == "provider":
            provider = open_provider(session.stack, session.state)
            if not isinstance(provider, Announces):
                words = f"provider: {session.stack.provider} says nothing of its hosts by itself"
                raise UserError(f"{where}: {words}; {LEAVE_OUT}")
            made[word] = OfProvider(provider)
        elif not any(host.transport == HERE for host in watched().hosts.values()):
            words = f"{word} are those of this machine, and no host of this stack is it"
            raise UserError(f"{where}: {words}; {LEAVE_OUT}")
        else:
            made[word] = Processes(names(PROCESS)) if word == "processes" else Units(names(SERVICE))
    return made
