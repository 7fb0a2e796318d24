"""All that a monitor knows, in memory, and what of it is not written yet. Used by one thread; no clock, no I/O.

The three pure functions of `alerting` decide; this holds what they are asked with, and notes what they make of it.
What is read back from the store after a kill leads to the same book, but for looks that changed nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter

from infratest.alerting import ledger
from infratest.alerting.downtime import Downtime
from infratest.alerting.due import HINT_PAUSE, Agenda, Asked, due, wake
from infratest.alerting.ledger import UNSTABLE, Entry, Notice
from infratest.alerting.moments import Moment
from infratest.alerting.owed import Owed, Receiver, Route, owed
from infratest.alerting.problems import Picture, wrong
from infratest.alerting.status import Event, Look, Restart, Status, Tick, advance, begun
from infratest.alerting.subject import Subject, began
from infratest.errors import UnknownName, unknown
from infratest.model import Result
from infratest.monitor.changes import Changes, Number
from infratest.monitor.memory import Memory
from infratest.monitor.pulses import Pulses
from infratest.states import OK
from infratest.store.database import ledger as kept
from infratest.store.database.changes import Change
from infratest.store.database.ledger import Delivery, of_notice
from infratest.store.database.people import Note, Pause

#: What a result was before it was watched, as the store has it.
UNWATCHED = "-"
#: What became of a message that was not handed over after all; in history it was refused, with why.
UNSENT = "unsent"

_COUNTED = re.compile(r"\d+")
#: All of a status that a look may change and the next one would not say again.
_LASTING = attrgetter(*(each.name for each in fields(Status) if each.name not in ("looked", "watched", "reason")))


class Book:
    """What is watched, how it is, and who was told what.

    Args:
        memory: of an earlier life.
    """

    def __init__(self, memory: Memory, routes: Sequence[Route] = (), receivers: Iterable[Receiver] = ()) -> None:
        self.subjects: dict[str, Subject] = {}
        self.statuses = dict(memory.statuses)
        #: Those of whom something may be owed anew: few of many, so that a settling looks at them alone.
        self.wrong = {id for id, status in self.statuses.items() if wrong(status)}
        #: The newest of each id; and when it was looked at, of those that were since this began.
        self.results = dict(memory.results)
        self.newest: dict[str, Moment] = {}
        self.since: dict[str, Moment] = {}  # when each began to ask what it asks now
        self.entries = dict(memory.entries)
        self.sent = dict(memory.sent)
        #: By receiver, whom its newest message did not reach though it took it; empty where it reached all.
        self.missed: dict[str, str] = {}
        self.downtimes = memory.downtimes
        self.paused = memory.paused
        self.pulses = Pulses(memory.pulses)
        self.routes = tuple(routes)
        self.receivers = {each.name: each for each in receivers}
        self.asked: dict[str, Asked] = {}
        self.withheld: dict[tuple[str, str], str] = {}
        self.changes = Changes()
        #: What came in since it was taken, and when each was looked at, in seconds since the epoch: to be sent.
        self.looked: list[tuple[Result, float]] = []
        self.agenda = Agenda()  # of looks
        self._wakes = Agenda()  # of what time alone may change
        self._hinted: dict[str, float] = {}  # when each host is looked at, or was, by the newest hint
        self.left: Mapping[str, str] = {}
        self._stirred = True

    # What is watched.

    def watch(self, subjects: Iterable[Subject], now: Moment, left: Mapping[str, str] | None = None) -> None:
        """Watch these and no others. What was watched before a restart is known, and need not be stale at once.

        Args:
            left: by host, why nothing is watched on it any longer.
        """
        self.left = left or {}
        before, self.subjects = self.subjects, {each.id: each for each in subjects}
        self.since = began(before, self.subjects, self.since, now)
        for id in self.subjects:
            status = self.statuses.get(id)
            if status is None:
                self._keep(id, begun(now), now)
            elif id not in self.asked:
                self._event(id, Restart(now))
            self._schedule(id, now)
        hosts = {each.host for each in self.subjects.values()}
        self._hinted = {host: time for host, time in self._hinted.items() if host in hosts}
        gone = [id for id in self.statuses if id not in self.subjects]
        self.agenda.drop(gone)
        self._wakes.drop(gone)
        for id in gone:
            self.asked.pop(id, None)
        self._stirred = True

    def tell(self, routes: Sequence[Route], receivers: Iterable[Receiver]) -> None:
        """Tell by these routes and these receivers from now on."""
        self.routes, self.receivers = tuple(routes), {each.name: each for each in receivers}
        self._stirred = True

    def due(self, now: Moment) -> list[str]:
        """Return the ids that are to be looked at now; whoever takes them says `begin` of each, or `later`."""
        return self.agenda.take(now.steady)

    def begin(self, ids: Iterable[str], now: Moment, until: float) -> None:
        """A look at these begins, and is given up at a time of the monitor's own."""
        for id in ids:
            before = self.asked.get(id)
            self.asked[id] = Asked(now.steady, until, None if before is None else before.hint)
            self._schedule(id, now)

    def end(self, ids: Iterable[str], now: Moment) -> None:
        """The look at these has ended, whatever came of it."""
        for id in ids:
            if (asked := self.asked.get(id)) is not None:
                self.asked[id] = Asked(asked.begun, None, asked.hint)
                self._schedule(id, now)

    def hint(self, ids: Iterable[str], now: Moment) -> None:
        """Something says that these may have changed: they are looked at now, or as soon as their hosts may be again.

        It changes when is looked, and nothing of how they are.
        """
        times: dict[str, float] = {}
        for id in ids:
            if id not in self.subjects or not self.subjects[id].looked_at:
                continue
            host = self.subjects[id].host
            if host not in times:
                before = self._hinted.get(host, now.steady - HINT_PAUSE)
                # Whatever is said of a host until its look joins that look.
                times[host] = before if before > now.steady else max(now.steady, before + HINT_PAUSE)
            asked = self.asked.get(id, Asked())
            if asked.hint is None or (asked.begun is not None and asked.hint <= asked.begun):
                # One that was not followed yet stands: who is hinted at all the time must not wait for ever.
                self.asked[id] = Asked(asked.begun, asked.until, times[host])
                self._schedule(id, now)
        self._hinted |= times

    # What comes in.

    def look(self, result: Result, at: Moment, final: bool = False) -> None:
        """Take in a result that was looked at (begun) at a moment; one that is watched no longer is left out."""
        if result.id not in self.subjects:
            return
        before = self.statuses[result.id]
        self.looked.append((result, at.wall))
        if self._event(result.id, Look(at, result.state, result.blocked_by, final, result.reason), result):
            self.results[result.id], self.newest[result.id] = result, at
            if _worth_keeping(before, self.statuses[result.id]):
                self.changes.results[result.id] = result
        for step in result.steps:
            for seen in step.observations:
                if seen.value is not None:
                    self.changes.numbers.append(Number(result, seen.name, seen.unit, at.wall, seen.value))

    def event(self, id: str, event: Event) -> None:
        """Have something else happen to a result: an acknowledgement, its end, a restart.

        Raises:
            UnknownName: it is not watched. UserError: as `advance`.
        """
        self.known(id)
        self._event(id, event)

    def known(self, id: str) -> None:
        """Raise UnknownName where an id is not watched."""
        if id not in self.subjects:
            raise UnknownName(unknown("id", id, sorted(self.subjects)))

    def plan(self, downtimes: Iterable[Downtime]) -> None:
        """Have these downtimes and no others."""
        before, now = ({each.name: each for each in some} for some in (self.downtimes, tuple(downtimes)))
        for name in before | now:
            if before.get(name) != now.get(name):
                self.changes.downtimes[name] = now.get(name)
        self.downtimes, self._stirred = tuple(now.values()), True

    def pause(self, until: float | None, by: str = "") -> None:
        """Tell nobody anything until a time of the monitor's own; None ends that."""
        self.paused, self._stirred = until, True
        self.changes.pauses["all"] = None if until is None else Pause(until, by)

    def note(self, note: Note) -> None:
        """Keep a mark in history."""
        self.changes.notes.append(note)

    # What follows.

    def tick(self, now: Moment) -> None:
        """Have time pass: what is stale, no longer acknowledged or calm again is so from now on."""
        for at, result in self.pulses.looked(now):
            self.look(result, at, final=True)
        for id in self._wakes.take(now.steady):
            if id in self.subjects and not self._event(id, Tick(now)):
                self._wake(id)

    def next(self) -> float | None:
        """Return when there is something to do next, in the monitor's own time, but for what is owed."""
        times = [each for each in (self.agenda.next(), self._wakes.next(), self.pulses.next()) if each is not None]
        return min(times, default=None)

    def settle(self, now: Moment) -> None:
        """Compare what is so with what was told, and put on its way what is owed."""
        picture = Picture(now, self.subjects, self.statuses, self.downtimes, self.paused, self.left, self.wrong)
        answer = owed(picture, self.entries, self.routes, self.receivers.values(), self.sent)
        made = answer.applied(self.entries)
        for key in {*answer.withdrawals, *answer.closings, *((each.receiver, each.id) for each in answer.notices)}:
            self.changes.entries[key] = made.get(key)
        self.entries = made
        self._note(answer, now)
        self._forget()
        self._stirred = False

    @property
    def stirred(self) -> bool:
        """Whether something changed that may be owed."""
        return self._stirred

    def messages(self, busy: Iterable[str], now: Moment) -> list[tuple[Notice, ...]]:
        """Return what is to be handed over now, to receivers that are not busy: at most one message each."""
        gathering = [name for name, each in self.receivers.items() if each.digest]
        taken, found = set(busy), []
        for message in ledger.messages(self.entries, gathering, now.steady):
            if message[0].receiver in self.receivers and message[0].receiver not in taken:
                taken.add(message[0].receiver)
                found.append(message)
        return found

    def attempt(self, message: Sequence[Notice], now: Moment) -> None:
        """A message is about to be handed over: to be written before it is."""
        for notice in message:
            entry = ledger.attempted(self.entries[notice.receiver, notice.id])
            self._entry(notice, entry)
            self._tell(notice, kept.ATTEMPTED, now)
            if not entry.retried:
                self.sent_to(notice.receiver, now)

    def sent_to(self, receiver: str, now: Moment) -> None:
        """A message to a receiver is about to go: to be written before it does."""
        self.sent[receiver] = self.changes.sent[receiver] = now.steady

    def outcome(self, message: Sequence[Notice], outcome: str, reason: str, now: Moment, after: float = 0.0) -> None:
        """A receiver took a message, refused it, may have taken it, or was not given it (UNSENT).

        Args:
            reason: why it did not; of one that was taken, whom of those behind the receiver it did not reach.
            after: seconds for which one that refused it wants to be left alone.
        """
        for notice in message:
            entry = self.entries.get((notice.receiver, notice.id))
            if entry is None:
                continue
            if outcome == kept.DELIVERED:
                self._entry(notice, ledger.delivered(entry, notice, now.steady))
                self.missed[notice.receiver] = reason
                if entry.retried:
                    self.sent_to(notice.receiver, now)
            elif outcome == UNSENT:
                self._entry(notice, ledger.unsent(entry))
            else:
                no = outcome == kept.REFUSED
                failed = ledger.refused(entry, now.steady, after) if no else ledger.lost(entry, now.steady)
                self._entry(notice, failed)
            self._tell(notice, kept.REFUSED if outcome == UNSENT else outcome, now, reason)
        self._stirred = True

    def failing(self, receiver: str) -> int:
        """Return how often in a row a receiver has not taken what is on its way to it."""
        return max((entry.tries for (name, _), entry in self.entries.items() if name == receiver), default=0)

    def taken(self) -> Changes:
        """Return what is to be written, no longer kept here."""
        made, self.changes = self.changes, Changes()
        made.pulses.update(self.pulses.taken())
        return made

    def whole(self) -> Changes:
        """Return all that is known, to be written where nothing of it is."""
        return Changes(
            statuses=dict(self.statuses),
            entries=dict(self.entries),
            results=dict(self.results),
            sent=dict(self.sent),
            pulses=self.pulses.whole(),
            downtimes={each.name: each for each in self.downtimes},
            pauses={} if self.paused is None else {"all": Pause(self.paused, "")},
        )

    def put_back(self, changes: Changes) -> None:
        """Take back what could not be written."""
        self.changes = self.changes.behind(changes)

    # Inside.

    def _event(self, id: str, event: Event, result: Result | None = None) -> bool:
        """Ask `advance`; whether anything came of it."""
        before = self.statuses[id]
        after = advance(before, event, self.subjects[id].policy)
        if after is before:
            return False
        self._keep(id, after, event.at, before, result)
        self._schedule(id, event.at)
        return True

    def _keep(
        self, id: str, after: Status, at: Moment, before: Status | None = None, result: Result | None = None
    ) -> None:
        self.statuses[id] = after
        (self.wrong.add if wrong(after) else self.wrong.discard)(id)
        self._wake(id)
        if before is not None and _says_the_same(before, after):
            return
        self.changes.statuses[id] = after
        self._stirred = True
        was, now = UNWATCHED if before is None else _level(before), _level(after)
        if was != now:
            evidence = [step.as_dict() for step in result.steps] if result is not None else []
            self.changes.changes.append(Change(at, id, was, now, after.reason, evidence))

    def _schedule(self, id: str, now: Moment) -> None:
        subject = self.subjects[id]
        if not subject.looked_at:
            return
        asked = self.asked.setdefault(id, Asked())
        self.agenda.put(id, due(self.statuses[id], asked, subject.policy, subject.host, now.steady))

    def _wake(self, id: str) -> None:
        time = wake(self.statuses[id], self.subjects[id].policy)
        if time is None:
            self._wakes.drop((id,))
        else:
            self._wakes.put(id, time)

    def _entry(self, notice: Notice, entry: Entry | None) -> None:
        key = (notice.receiver, notice.id)
        self.changes.entries[key] = entry
        if entry is None:
            self.entries.pop(key, None)
        else:
            self.entries[key] = entry

    def _tell(self, notice: Notice, outcome: str, now: Moment, reason: str = "") -> None:
        self.changes.deliveries.append(of_notice(now, outcome, notice, reason=reason))

    def _note(self, answer: Owed, now: Moment) -> None:
        """Note what was decided; what is withheld for the same reason as before is no news."""
        for notice in answer.notices:
            self._tell(notice, kept.QUEUED, now)
        for receiver, id in (*answer.withdrawals, *answer.closings):
            self.changes.deliveries.append(Delivery(now, kept.WITHDRAWN, receiver, id))
        withheld = {(each.receiver, each.id): each.reason for each in answer.withheld}
        if _uncounted(withheld) != _uncounted(self.withheld):
            self.changes.withheld.append((now, tuple(answer.withheld)))
        self.withheld = withheld

    def _forget(self) -> None:
        """Forget what is watched no longer and owed to nobody."""
        if len(self.statuses) == len(self.subjects):
            return  # each subject has a status, so that there is no other
        owed_to = {id for _, id in self.entries}
        for id in [id for id in self.statuses if id not in self.subjects and id not in owed_to]:
            del self.statuses[id]
            self.wrong.discard(id)
            self.results.pop(id, None)
            self.newest.pop(id, None)
            self.changes.statuses[id] = None


def _uncounted(withheld: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """Return reasons without their numbers: "in 34 s" counts down."""
    return {key: _COUNTED.sub("", reason) for key, reason in withheld.items()}


def _level(status: Status) -> str:
    return UNSTABLE if status.unstable is not None else status.state


def _says_the_same(before: Status, after: Status) -> bool:
    """Whether a look changed nothing that the next one would not say again, and a restart would not begin anew."""
    if after.state != OK and before.reason != after.reason:
        return False
    return bool(_LASTING(before) == _LASTING(after))


def _worth_keeping(before: Status, after: Status) -> bool:
    """Whether a result is kept: one that failed as the one before it did would be written at each look."""
    return before.seen != after.seen or before.reason != after.reason or before.state != after.state
