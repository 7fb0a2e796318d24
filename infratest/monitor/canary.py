"""The canary: one real message at its dates, by the way that alarms go. Who misses it knows that no alarm would come.

It goes only while the monitor works (`alive` has the same rule), once for each date, over restarts too: that it goes is
written before it does. A receiver that does not take it is a problem, told to the others; one that takes it, but not
for all behind it, is a warning. Whether it came to people, a receipt says: a heartbeat of the stack's, signalled by
what they read their messages with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread

from infratest import cron
from infratest.alerting.moments import Moment
from infratest.alerting.subject import CANARY
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError
from infratest.monitor.alive import Pinged
from infratest.monitor.book import Book
from infratest.monitor.trial import Test, tried
from infratest.stack.monitor import Canary as Declared
from infratest.stack.monitor import ReceiverEntry
from infratest.states import CRITICAL, WARNING
from infratest.store.database.ledger import DELIVERED

#: Seconds after which one that was not taken goes once more.
AGAIN = 600.0
WORDS = (
    "the canary: this message comes at {at} ({zone}) as long as the monitor of {place} works and reaches you; "
    "nothing is wrong, until it does not come"
)


class Canary:
    """Sends the canary's messages, each in a thread of its own.

    Args:
        place: stack and environment. folder: of the stack file. done: called with what came of each.
    """

    def __init__(self, place: tuple[str, str], folder: Path, done: Callable[[Pinged], None]) -> None:
        self._place, self._folder, self._done = place, folder, done
        self._noted = self._under_way = False
        self._again: float | None = None

    def worked(
        self, said: Declared | None, receivers: Mapping[str, ReceiverEntry], book: Book, now: Moment
    ) -> Thread | None:
        """The monitor works, and all is written: send what is due; return the thread that does."""
        if said is None or self._under_way:
            return None
        if self._noted or (self._again is not None and now.steady >= self._again):
            self._noted, self._again, self._under_way = False, None, True
            thread = Thread(target=self._send, args=(said, receivers, now), name="canary", daemon=True)
            thread.start()
            return thread
        last = book.sent.get(CANARY)
        if last is None:  # the first date is one of those that come
            book.sent_to(CANARY, now)
        elif self._date(said, now) > now.wall - (now.steady - last):
            book.sent_to(CANARY, now)
            self._noted = True
        return None

    @staticmethod
    def _date(said: Declared, now: Moment) -> float:
        """Return the newest of its dates, in seconds since the epoch."""
        return cron.newest(said.at, said.zone, int(now.wall // 60) * 60) or 0.0

    def _send(self, said: Declared, receivers: Mapping[str, ReceiverEntry], now: Moment) -> None:
        test = Test(
            CANARY, "the canary", WORDS.format(at=said.at, zone=said.zone, place="/".join(filter(None, self._place)))
        )
        state = CRITICAL
        try:
            done = defects_told(tried)(receivers, said.receiver, self._folder, self._place, test, now.wall)
            error = "" if done.outcome == DELIVERED else f"{said.receiver} did not take the canary: {done.reason}"
            if not error and done.reason:  # to go again would be to go to those who have it
                state, error = WARNING, f"the canary did not reach all: {done.reason}"
        except (InfratestError, OSError) as raised:
            error = f"{said.receiver} could not be sent the canary: {raised}"
        if error and state == CRITICAL:
            self._again = now.steady + AGAIN
        self._under_way = False
        self._done(Pinged(error, CANARY, state))
