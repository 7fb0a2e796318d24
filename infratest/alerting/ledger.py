"""The ledger of who was given which notice, and what is on its way: its values and its changes. Pure.

Kept by the store, one entry for each receiver and problem. Each change is written before or after what it is about:

    queued       with what `owed` answers; nothing is on its way before that is written
    attempted    before a notice is handed to its receiver: should the process die now, it may have arrived
    delivered    after the receiver took it
    refused      after the receiver said no, or was not reached: it has surely not arrived
    lost         after a time-out or a torn connection: it may have arrived

What may have arrived is sent again under the same key, so that a receiver that knows keys shows it once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from infratest.states import OK

PROBLEM, RECOVERY, FLAPPING, ACK, REMINDER = "problem", "recovery", "flap", "ack", "reminder"

#: The level of what flaps; all others are states.
UNSTABLE = "unstable"

#: Seconds until a receiver is tried again, doubled each time up to the last. A receiver that was dead for a day has
#: what it is owed ten minutes after it came back.
FIRST_PAUSE, LAST_PAUSE = 10.0, 600.0


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a receiver is to be given.

    Args:
        receiver: its name. id: of the cause. problem: what all notices of it have in common, for the receiver to put
        them together. begun: of its entry. number: of the notice, within that. kind: of those above. level: what is so:
        a state, or `unstable`. members: ids that the cause stands in the way of. ack: when it was acknowledged, of a
        notice of that. reason: in one line. route: the rules that it is told by. on: the kinds that those tell of.
    """

    receiver: str
    id: str
    problem: str
    begun: float
    number: int
    kind: str
    level: str
    members: tuple[str, ...] = ()
    ack: float | None = None
    reason: str = ""
    route: str = ""
    on: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """By what a receiver knows that it has a notice already."""
        return f"{self.problem}/{self.receiver}/{round(self.begun * 1e6)}.{self.number}"

    def alike(self, other: Notice | None) -> bool:
        """Whether another one says the same."""
        return other is not None and (self.kind, self.level, self.ack) == (other.kind, other.level, other.ack)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a receiver was given of one problem.

    Args:
        problem: of its notices. begun: when there was something to give for the first time, in the monitor's own
        time: a problem may be over for a receiver and come back, as where a feature is taken out and put back.
        level: of the newest that arrived, `ok` where none did. at: when it arrived, in the monitor's own time. ack:
        the acknowledgement that it was given notice of. number: of the newest notice. pending: what is on its way.
        doubt: what was attempted and may have arrived. certain: the doubt before the newest attempt. tries, retry:
        how often that failed, and when it is tried again. on: the kinds that the rules of the newest notice tell of:
        they may be for the problem no longer, as where it got milder, and hold for its end.
    """

    problem: str
    begun: float
    level: str = OK
    at: float = 0.0
    ack: float | None = None
    number: int = 0
    pending: Notice | None = None
    doubt: Notice | None = None
    certain: Notice | None = None
    tries: int = 0
    retry: float = 0.0
    on: frozenset[str] = frozenset()

    @property
    def unsure(self) -> bool:
        """Whether another level than `level` may have arrived."""
        return self.doubt is not None and self.doubt.kind in (PROBLEM, RECOVERY, FLAPPING)

    @property
    def open(self) -> bool:
        """Whether the receiver knows of a problem, or may."""
        return self.level != OK or self.unsure

    @property
    def retried(self) -> bool:
        """Whether a handing over failed since one last succeeded: another try begins no new time of gathering.

        Else one notice that is never taken would have all others of its receiver be gathered for ever.
        """
        return self.tries > 0


#: Receiver and id of the cause -> entry.
Ledger = Mapping[tuple[str, str], Entry]


def queued(entry: Entry | None, notice: Notice) -> Entry:
    """Return an entry with a notice on its way, in place of any before it."""
    entry = entry or Entry(notice.problem, notice.begun)
    return replace(entry, pending=notice, number=max(entry.number, notice.number), on=notice.on)


def withdrawn(entry: Entry) -> Entry | None:
    """Return an entry with nothing on its way; None where nothing of it need be remembered."""
    return _kept(replace(entry, pending=None))


def attempted(entry: Entry) -> Entry:
    """Return an entry whose notice is about to be handed over."""
    return replace(entry, certain=entry.doubt, doubt=entry.pending)


def delivered(entry: Entry, notice: Notice, now: float) -> Entry | None:
    """Return an entry of which the receiver took a notice; None where the problem is over for it.

    What was put on its way since, as nobody waits for a receiver, stays there.
    """
    newer = entry.pending if entry.pending != notice else None
    ack = notice.ack if notice.kind == ACK else entry.ack
    level, number, on = notice.level, entry.number, entry.on
    made = Entry(entry.problem, entry.begun, level=level, at=now, ack=ack, number=number, pending=newer, on=on)
    return _kept(made)


def refused(entry: Entry, now: float, after: float = 0.0) -> Entry | None:
    """Return an entry whose notice has surely not arrived in the newest attempt; None where nothing else did.

    Args:
        after: seconds for which the receiver wants to be left alone.
    """
    return _kept(replace(_failed(entry, now, after), doubt=entry.certain))


def unsent(entry: Entry) -> Entry | None:
    """Return an entry as it was before the newest attempt, which nobody made: not by its receiver's fault."""
    return _kept(replace(entry, doubt=entry.certain, certain=None))


def lost(entry: Entry, now: float) -> Entry:
    """Return an entry whose notice may have arrived or not."""
    return _failed(entry, now)


def messages(ledger: Ledger, gathering: Collection[str], now: float) -> list[tuple[Notice, ...]]:
    """Return what is to be handed over now, a message each: what is on its way and not waiting for another try.

    Args:
        gathering: receivers whose notices go together in one message. now: in the monitor's own time.
    """
    ready = [entry.pending for _, entry in sorted(ledger.items()) if entry.pending is not None and entry.retry <= now]
    together = [tuple(each for each in ready if each.receiver == name) for name in sorted(gathering)]
    return [some for some in together if some] + [(each,) for each in ready if each.receiver not in gathering]


def after(
    ledger: Ledger, notices: Iterable[Notice], withdrawals: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Entry]:
    """Return a ledger with these notices on their way and these withdrawn."""
    made = dict(ledger)
    for key in withdrawals:
        entry = withdrawn(made.pop(key))
        if entry is not None:
            made[key] = entry
    for notice in notices:
        made[notice.receiver, notice.id] = queued(made.get((notice.receiver, notice.id)), notice)
    return made


def _failed(entry: Entry, now: float, after: float = 0.0) -> Entry:
    pause = max(after, min(LAST_PAUSE, FIRST_PAUSE * 2 ** min(entry.tries, 10)))
    return replace(entry, tries=entry.tries + 1, retry=now + pause, certain=None)


def _kept(entry: Entry) -> Entry | None:
    return entry if entry.open or entry.pending is not None else None
