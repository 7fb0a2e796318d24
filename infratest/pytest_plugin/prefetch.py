"""Prefetch: what the tests of this session asked a host last time is asked in one trip, before they ask again.

A plugin of a session that is about a stack; testinfra's backend asks it for every command. It knows which test is
running, which come after it, and when nothing that was fetched may be believed.

At the first read of a test for which nothing is held, its questions and those of the tests after it are asked in one
script. Each answer is given once to each test: one that asks again, as a loop does that waits for something, is
answered live. What was fetched is dropped, for all hosts, since one may change the other, when

- a test runs a command of its own, or this process does anything else that might change a host (`acts`);
- infratest runs features or brings the stack up; or another worker of pytest-xdist does any of this;
- a test lets time go by before it reads, or the answers have become old.

After an act the rest of the test is asked live, and the next test begins anew. A test that acted or waited last time
is the last one that is fetched for with those before it, since the rest would be dropped. What is missing, cut off,
slow or not exact is asked live.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from infratest.cleaning import masked
from infratest.errors import ConnectionLost, DeadlineExceeded
from infratest.project.session import Session
from infratest.pytest_plugin import trip
from infratest.pytest_plugin.acts import Acts, waited, watched
from infratest.pytest_plugin.hidden import restored, without
from infratest.pytest_plugin.reading import ACT, READ, SEARCH, kind
from infratest.pytest_plugin.record import Entry, Record, key
from infratest.transports.base import CommandResult

if TYPE_CHECKING:
    from infratest.pytest_plugin.testinfra_backend import TransportBackend

#: Seconds that a fetched answer is believed, and that a test may wait before it reads (from its start, or from the read
#: before): not the time in which it works, or would if the machine were not busy.
OLD, PAUSE = 30.0, 0.9
#: Seconds from which a command is too slow to be asked ahead.
SLOW = 5.0
#: Questions of one trip.
MOST = 400
#: Markers by which a test is selected and may yet not run: it is fetched for when it does, and not before.
MAY_NOT_RUN = ("skip", "skipif", "xfail")


@dataclass
class Turn:
    """One test that is running.

    Args:
        after: gives the tests that come next, as far as that is known. acted: whether it is asked live from now on.
        last: what `waited` said when it started, or read something. read: the hosts that it has read from.
    """

    item: pytest.Item
    after: Callable[[], Iterable[pytest.Item]]
    acted: bool = False
    entry: Entry = field(default_factory=Entry)
    last: float = field(default_factory=waited)
    read: set[str] = field(default_factory=set)


@dataclass
class Held:
    """What was fetched from one host, as one user: test -> command -> answer."""

    answers: dict[str, dict[str, CommandResult]]
    since: float = field(default_factory=monotonic)


class Prefetch:
    """The prefetch of one session, or of one worker of it.

    Args:
        enabled: else everything is asked live, and nothing is kept. shared: a folder that all workers see, or None.
    """

    NAME = "infratest-prefetch"

    def __init__(self, session: Session, enabled: bool, shared: Path | None) -> None:
        self.enabled = enabled
        self._session = session
        self._told = shared / "acts" if shared and enabled else None
        self._acts = watched() if enabled else Acts()
        self._seen = self._now()
        self._items: Sequence[pytest.Item] = ()
        self._places: dict[pytest.Item, int] = {}
        self._turn: Turn | None = None
        self._held: dict[str, Held] = {}
        self._unanswered: set[tuple[str, str]] = set()
        self._news: dict[str, Entry] = {}

    # The session

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._items = session.items
        self._places = {item: place for place, item in enumerate(session.items)}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        if self._has_acted():
            self._drop()
        self._turn = Turn(item, lambda: self._after(item, nextitem))
        try:
            return (yield)
        finally:
            if self._has_acted():
                self.acted()
            self._news[key(item.nodeid)] = self._turn.entry
            self._turn = None

    def pytest_sessionfinish(self) -> None:
        if self.enabled and self._news:
            self._record.save(self._news)

    def _after(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterable[pytest.Item]:
        """Return what runs after a test; a worker is told of one that is its own, the others may be anybody's."""
        if self._told is not None:
            return [nextitem] if nextitem else []
        place = self._places.get(item, len(self._items))
        return (self._items[at] for at in range(place + 1, len(self._items)))

    @cached_property
    def _record(self) -> Record:
        return Record(self._session.state)

    @cached_property
    def _known(self) -> dict[str, Entry]:
        return self._record.load()

    # Acts

    def acted(self) -> None:
        """Believe nothing any more that was fetched, here and in other workers: something may have changed a host."""
        self._drop()
        if self._turn is not None:
            self._turn.acted = self._turn.entry.ends = True
        if self._told is not None:
            with self.ours(), self._told.open("ab") as file:
                file.write(b".")
        self._seen = self._now()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Do what may change a host."""
        self.acted()
        try:
            with self.ours():
                yield
        finally:
            self.acted()

    def ours(self) -> AbstractContextManager[None]:
        """Do what is infratest's own doing and changes no host: nothing of it counts as an act."""
        return self._acts.ours(everyone=True)

    def _now(self) -> tuple[int, int]:
        """Return what grows with every act, of this process and of other workers."""
        told = self._told.stat().st_size if self._told is not None and self._told.exists() else 0
        return self._acts.count, told

    def _has_acted(self) -> bool:
        return self._now() != self._seen or self._acts.busy

    def _drop(self) -> None:
        self._held.clear()
        self._seen = self._now()

    # Answers

    def answer(
        self, backend: TransportBackend, words: str, command: str, arguments: Sequence[Any], frame: FrameType | None
    ) -> CommandResult:
        """Return what a host answers to a command, held or live.

        Args:
            words: as the host's shell is given them. command, arguments: as testinfra has them.
            frame: of the code that asks.
        Raises:
            TransportError: as a command that is run.
        """
        turn = self._turn
        what = kind(frame, command, arguments)
        if what == ACT:
            with self.acting():
                return backend.live(words)
        if turn is None:
            return self._live(backend, words)
        if self._has_acted():
            self.acted()
        elif waited() - turn.last > PAUSE and self._held:
            turn.entry.ends = True
            self._drop()
        try:
            # The trip's text is UTF-8, which a host's locale need not be.
            if what not in (READ, SEARCH) or backend.is_here or not words.isascii():
                return self._live(backend, words)
            return self._read(backend, turn, words, str(arguments[0]) if what == SEARCH else "")
        finally:
            turn.last = waited()

    def _read(self, backend: TransportBackend, turn: Turn, words: str, text: str) -> CommandResult:
        host = backend.identity
        answer = None if turn.acted else self._fetched(backend, turn, words)
        if answer is None:
            started = monotonic()
            answer = self._live(backend, words)
            if monotonic() - started > SLOW:
                self._unanswered.add((host, words))
        turn.read.add(host)
        if not turn.acted and (host, words) not in self._unanswered:
            kept = without(words, text) if text else words
            if kept is not None and masked(kept) == kept:
                turn.entry.ask(self._name(backend), kept)
        return answer

    def _live(self, backend: TransportBackend, words: str) -> CommandResult:
        """Ask for what testinfra itself has written; what a test has written is an act."""
        with self._acts.ours():
            return backend.live(words, typed=False)

    def _fetched(self, backend: TransportBackend, turn: Turn, words: str) -> CommandResult | None:
        host, test = backend.identity, turn.item.nodeid
        held = self._held.get(host)
        if held is not None and monotonic() - held.since > OLD:
            held = self._held.pop(host, None) and None
        if host not in turn.read and (held is None or test not in held.answers):
            held = self._fetch(backend, turn)
        return held.answers.get(test, {}).pop(words, None) if held else None

    def _fetch(self, backend: TransportBackend, turn: Turn) -> Held | None:
        """Ask what this test, and those after it, asked last time; nothing where this one asked nothing."""
        host, name = backend.identity, self._name(backend)
        if not self._asked(turn.item, name, host):
            return None
        wanted = self._wanted(turn, name, host)
        commands = list(dict.fromkeys(words for asked in wanted.values() for words in asked))
        since = monotonic()
        with self._acts.ours():
            answers, failure = trip.asked(backend.transport, commands, backend.sudo)
        if isinstance(failure, ConnectionLost | DeadlineExceeded):
            with self.ours():
                backend.reconnect()
        self._unanswered.update((host, words) for words in commands if words not in answers)
        found = {test: {words: answers[words] for words in asked if words in answers} for test, asked in wanted.items()}
        self._held[host] = Held(found, since)
        return self._held[host]

    def _wanted(self, turn: Turn, name: str, host: str) -> dict[str, list[str]]:
        """Return the questions of this test and of those that can be fetched for with it."""
        wanted: dict[str, list[str]] = {}
        count = 0
        for item in chain((turn.item,), turn.after()):
            if item is not turn.item and any(item.get_closest_marker(marker) for marker in MAY_NOT_RUN):
                continue
            asked = self._asked(item, name, host)
            count += len(asked)
            if wanted and count > MOST:
                break
            wanted[item.nodeid] = asked
            if self._entry(item).ends:
                break
        return wanted

    def _asked(self, item: pytest.Item, name: str, host: str) -> list[str]:
        """Return what a test asked a host last time, as far as it can be asked ahead."""
        known = (restored(words, item) for words in self._entry(item).asked.get(name, ()))
        return [words for words in known if words is not None and (host, words) not in self._unanswered]

    def _entry(self, item: pytest.Item) -> Entry:
        return self._known.get(key(item.nodeid), Entry())

    def _name(self, backend: TransportBackend) -> str:
        """Return the host's name in the record: the same name is another machine in another environment."""
        return f"{self._session.stack.env}/{backend.identity}"
