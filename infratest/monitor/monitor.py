"""The monitor's one loop: looks when something is due, takes in what comes, tells what is owed, and writes all of it.

One thread knows and decides; others look at hosts (`crew`), hand messages over (`post`) and listen (`control`), and
give it what came of that. Whatever it knows is written before anything is done that cannot be taken back, so that a
kill at any moment loses nothing that was acknowledged and tells nobody anything twice who knows keys.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

from infratest.alerting.ledger import Notice
from infratest.alerting.moments import Moment
from infratest.alerting.policy import NEVER, Policy
from infratest.alerting.subject import HEALS, PROJECT, STORE, WITNESS, Subject, of_receiver
from infratest.errors import Ended, InfratestError, StateError
from infratest.model import Result
from infratest.monitor.alive import Pinged
from infratest.monitor.book import Book
from infratest.monitor.crew import Crew, Errand, Findings
from infratest.monitor.leases import Leases
from infratest.monitor.protocols import Heals, Intaking, Outgoing, Watches
from infratest.monitor.receiving import reception
from infratest.monitor.standstill import Standstill
from infratest.monitor.timepiece import Timepiece
from infratest.monitor.writing import Store, Writing
from infratest.states import CRITICAL, OK, UNKNOWN
from infratest.store.events import Event

log = logging.getLogger(__name__)

#: Seconds between two looks at the clock: what is owed by time alone (`after:`, `again:`, a downtime that ends) is.
BEAT = 1.0
#: Seconds beyond a look's own deadline after which it is not waited for any longer.
GRACE = 10.0
#: Seconds for which a look may be due and nobody be on it, before the monitor no longer calls itself alive.
LATE = 30.0
#: Seconds in which the loop answers who asks it in another thread: a little less than who asks by its socket waits.
ANSWER = 9.0
#: How what the monitor says of itself is watched: hard at once, and never stale.
OWN = Policy(stale=NEVER, flap=None)


@dataclass(frozen=True)
class Outcome:
    """What became of a message.

    Args:
        outcome: one of `changes`. reason: what the receiver said. after: seconds for which it wants to be left alone.
    """

    message: tuple[Notice, ...]
    outcome: str
    reason: str = ""
    after: float = 0.0


@dataclass(frozen=True)
class Call:
    """Something that is asked of the running monitor.

    Args:
        answer: called with what came of it, or with the error, once all of it is written.
    """

    ask: Callable[[Monitor], Any]
    answer: Callable[[Any], None]


class Monitor:
    """A monitor at work.

    Args:
        hand_over: begins to hand a message to its receiver, and has an Outcome put into the inbox.
        read: reads the project anew. size: hosts that are looked at at once. worked: called behind each turn that shows
        that it works, with the monitor's own time.
    """

    def __init__(
        self,
        watched: Watches,
        book: Book,
        store: Store,
        timepiece: Timepiece,
        hand_over: Callable[[tuple[Notice, ...]], None],
        read: Callable[[], Watches],
        size: int = 64,
        worked: Callable[[float], None] = lambda now: None,
    ) -> None:
        self.watched, self.book, self.timepiece = watched, book, timepiece
        self.writing = Writing(book, store, timepiece)
        self.inbox: SimpleQueue[Findings | Outcome | Call | Pinged | None] = SimpleQueue()
        self._hand_over, self._read, self._worked = hand_over, read, worked
        self._looked = False
        self._crew = Crew(size, lambda errand: self.watched.look(errand), self.inbox.put, timepiece.now)
        self._busy: set[str] = set()
        self._leases, self._renewing = Leases(), set[str]()
        self._answers: list[Callable[[], None]] = []
        self._readings, self._newest = count(1), 0  # of the project: their numbers, and that of the one that counts
        self._settled = -BEAT
        self._standstill = Standstill(timepiece.now())
        self._ended = self._over = False
        #: What comes from outside, and what goes there, where anything does.
        self.taking: Intaking | None = None
        self.sending: Outgoing | None = None
        self._healing: Heals | None = None
        begun = self.timepiece.now()
        self._watch(begun)
        if self.book.statuses[PROJECT].state != OK:  # what an earlier life could not read has been read now
            self.book.look(_own(PROJECT, OK), begun, final=True)

    @property
    def unwritten(self) -> str:
        """Why the newest changes are not in the store; empty where they are."""
        return self.writing.unwritten

    @property
    def kept(self) -> Moment:
        """When a turn last ended of which all is written."""
        return self.writing.kept

    def run(self, turned: Callable[[], None] = lambda: None) -> None:
        """Work until it is ended. turned: called after each turn."""
        try:
            while not self._ended:
                self.turn(self._pause())
                turned()
        finally:
            self._over = True
            self._release()
            self._crew.end()

    def heal(self, healing: Heals) -> None:
        """Have what is found healed from now on."""
        self._healing, before = healing, self.book.statuses.get(HEALS)
        self._watch(self.timepiece.now())
        if before is None:  # else it is as an earlier life saw it, until somebody has looked
            self.say(HEALS, OK)

    def say(self, id: str, state: str, reason: str = "") -> None:
        """Say something of the monitor itself."""
        self.book.look(_own(id, state, reason), self.timepiece.now(), final=True)

    def ask(self, ask: Callable[[Monitor], Any], seconds: float = ANSWER) -> Any:
        """Have the loop answer, and wait for that; in any other thread.

        What is asked is answered once what came of it is written. seconds: that it has for that.

        Raises:
            Ended: it works no longer. InfratestError: what came of it, or that the loop hangs.
        """
        came: SimpleQueue[Any] = SimpleQueue()
        self.inbox.put(Call(ask, came.put))
        if self._over:  # else whoever ends it sees what was asked
            self._release()
        try:
            answer = came.get(timeout=seconds)
        except Empty:
            raise StateError(f"monitor: process {os.getpid()} is busy, and did not answer in {seconds:g} s") from None
        if isinstance(answer, InfratestError):
            raise answer
        return answer

    def _release(self) -> None:
        """Have nobody wait for an answer that does not come any more."""
        with suppress(Empty):
            while True:
                if isinstance(item := self.inbox.get_nowait(), Call):
                    item.answer(Ended(f"monitor: process {os.getpid()} ends, and answers no more"))

    def end(self) -> None:
        """End after this turn; may be called from anywhere."""
        self._ended = True
        self.inbox.put(None)

    def turn(self, seconds: float) -> None:
        """Take in what has come, waiting for the first at most so long; do what is due, and write what came of it."""
        for item in self._came(seconds):
            self._take(item)
        now = self.timepiece.now()
        came = self._from_elsewhere(now)
        self._standstill.turned(self.book, now)
        self.book.tick(now)
        self._send(now)
        if self.book.stirred or now.steady - self._settled >= BEAT:
            self.book.settle(now)
            self._settled = now.steady
        ours = self.writing.store.ours  # else another one may tell by now, and no receiver is to be blamed for that
        messages = self.book.messages(self._busy, now) if ours else []
        for message in messages:
            self.book.attempt(message, now)
        self._write(now)
        self._offer(came, now)
        for answer in self._answers:
            answer()
        self._answers.clear()
        busy = {*self._busy, *(message[0].receiver for message in messages)}
        again = self._leases.due(self.book, busy, now) if ours else []
        self._renewing.update(message[0].receiver for message in again)
        for message in (*messages, *again):
            self._busy.add(message[0].receiver)
            self._hand_over(message)
        if self._works(now):
            self._worked(now.steady)

    @property
    def busy(self) -> bool:
        """Whether somebody looks at a host, or hands a message over."""
        return bool(self._busy) or any(asked.until is not None for asked in self.book.asked.values())

    def finish(self) -> None:
        """Write what came until the end; begin nothing."""
        now = self.timepiece.now()
        if self.taking is not None:
            self.taking.take(self.book, now)
        self._write(now)

    @property
    def looks_waiting(self) -> int:
        """How many looks wait for somebody."""
        return self._crew.queued

    def reload(self) -> None:
        """Read the project anew; where that fails the old one is watched on, and told."""
        self.reading()(self)

    def reading(self) -> Callable[[Monitor], None]:
        """Read the project anew, in any thread, and return what has it watched, for the loop to call.

        A provider may take its time to say what its hosts are, and meanwhile looks go on. Of two readings the one that
        began last counts, whichever ends first.
        """
        number = next(self._readings)
        try:
            watched = self._read()
        except (InfratestError, OSError) as error:
            reason = f"it could not be read anew: {error}"
            return lambda monitor: monitor._taken_in(number, lambda: monitor._unread(reason))
        return lambda monitor: monitor._taken_in(number, lambda: monitor._adopt(watched))

    def _taken_in(self, number: int, take: Callable[[], None]) -> None:
        if number > self._newest:
            self._newest = number
            take()

    def adopt(self, watched: Watches) -> None:
        """Watch this from now on."""
        self.watched = watched
        if self.sending is not None:
            self.sending.watch(watched)
        self._watch(self.timepiece.now())

    def _adopt(self, watched: Watches) -> None:
        self.adopt(watched)
        self.book.look(_own(PROJECT, OK), self.timepiece.now(), final=True)

    def _unread(self, reason: str) -> None:
        log.error("monitor: %s; what was read before is watched on", reason)
        self.book.look(_own(PROJECT, UNKNOWN, reason), self.timepiece.now(), final=True)

    def _works(self, now: Moment) -> bool:
        """Whether all is written, nobody else is the one that works, and looks come back and are given out in time."""
        due = self.book.agenda.next()
        late = max(0.0 if due is None else now.steady - due, self._crew.late(now.steady))
        return self._looked and not self.unwritten and self.writing.store.ours and late < LATE

    # One turn's parts.

    def _pause(self) -> float:
        now, next = self.timepiece.now().steady, self.book.next()
        return max(0.0, min(BEAT, BEAT if next is None else next - now))

    def _came(self, seconds: float) -> list[Findings | Outcome | Call | Pinged]:
        came = []
        with suppress(Empty):
            came.append(self.inbox.get(timeout=seconds) if seconds > 0 else self.inbox.get_nowait())
            while True:
                came.append(self.inbox.get_nowait())
        return [item for item in came if item is not None]

    def _from_elsewhere(self, now: Moment) -> list[Event]:
        """Take in what nobody looks at a host for; return the numbers that came."""
        if self.writing.due(now):
            for result in (*self.watched.findings(now.wall), *(self.sending.results() if self.sending else ())):
                self.book.look(result, now, final=True)
            self._judge_store(now)
        before = len(self.book.changes.events)
        if self.taking is not None:
            self.taking.take(self.book, now)
        if self.sending is not None:
            self.book.changes.events += self.sending.losses(now.steady, now.wall)
        return self.book.changes.events[before:]

    def _take(self, item: Findings | Outcome | Call | Pinged) -> None:
        match item:
            case Findings():
                self._found(item)
            case Outcome():
                self._delivered(item)
            case Pinged():
                state = item.state if item.error else OK
                self.book.look(_own(item.id, state, item.error), self.timepiece.now(), final=True)
            case Call():
                try:
                    self._answers.append(partial(item.answer, item.ask(self)))
                except InfratestError as error:
                    self._answers.append(partial(item.answer, error))

    def _found(self, findings: Findings) -> None:
        errand, now = findings.errand, self.timepiece.now()
        self._looked = True
        # Looked at when somebody went on the errand: what changed behind that moment may be in it or not.
        for result in findings.results:
            mine = result.id == WITNESS  # asked behind the look, and by the look of another host as well
            self.book.look(result, now if mine else errand.begun, final=mine)
        if findings.error:
            for subject in filter(None, map(self.book.subjects.get, errand.ids)):
                self.book.look(_unseen(subject, findings.error), errand.begun)
        self.book.end(errand.ids, now)

    def _delivered(self, delivery: Outcome) -> None:
        now, receiver = self.timepiece.now(), delivery.message[0].receiver
        self._busy.discard(receiver)
        if receiver in self._renewing:  # nothing new was told, and is owed: it is said again in time
            self._renewing.discard(receiver)
            if delivery.reason:
                log.warning("monitor: %s did not hear again of what is open: %s", receiver, delivery.reason)
            return
        self.book.outcome(delivery.message, delivery.outcome, delivery.reason, now, delivery.after)
        status = self.book.statuses.get(of_receiver(receiver))
        if status is None:
            return  # it is no receiver any longer
        result = reception(self.book, receiver)
        if result.state != OK or status.state != OK:
            self.book.look(result, now, final=True)

    def _send(self, now: Moment) -> None:
        errands: dict[str, list[str]] = {}
        for id in self.book.due(now):
            errands.setdefault(self.watched.unit(id), []).append(id)
        for unit, ids in errands.items():
            self.book.begin(ids, now, now.steady + self.watched.seconds + GRACE)
            self._crew.send(Errand(unit, tuple(ids), now))

    def _offer(self, came: Sequence[Event], now: Moment) -> None:
        """Have what was seen counted and healed, and other tools be sent it, by the one monitor that works."""
        looked, self.book.looked = self.book.looked, []
        if self._healing is not None:
            self._healing.see(looked, self.book, now)
        if self.sending is not None and (looked or came) and self.writing.store.ours:
            self.sending.offer(looked, came)

    def _write(self, now: Moment) -> None:
        before = self.writing.found
        self.writing.write(now)
        if self.taking is not None:
            self.taking.ended(self.kept is now)
        if self.writing.found != before:
            self._judge_store(now)

    def _judge_store(self, now: Moment) -> None:
        """Say that the store is damaged, or was, until nothing of it is left; nothing of one that always was whole."""
        words = self.writing.damaged
        if words and STORE not in self.book.subjects:
            self._watch(now, store=True)
        self.book.look(_own(STORE, CRITICAL if words else OK, words), now, final=True)

    def _watch(self, now: Moment, store: bool = False) -> None:
        own = [PROJECT, STORE] if store or STORE in self.book.statuses else [PROJECT]
        own += [HEALS] if self._healing is not None else []
        self.book.tell(self.watched.routes, self.watched.receivers)
        subjects = [*self.watched.subjects, *(Subject(id, policy=OWN, looked_at=False) for id in own)]
        self.book.watch(subjects, now, self.watched.left)
        self.book.pulses.expect(self.watched.heartbeats, now)


def _unseen(subject: Subject, reason: str) -> Result:
    """Return the result of what could not be looked at, with all that is known of it."""
    feature, _, scenario = subject.id.rpartition("@")[0].partition("#")
    return Result(
        subject.id, feature, scenario, 0, subject.host, UNKNOWN, reason, subject.groups, subject.labels, subject.tags
    )


def _own(id: str, state: str, reason: str = "") -> Result:
    return Result(id, "", id.partition("@")[0], 0, "-", state, reason)
