"""The dead-man's switch: a URL elsewhere that is asked as long as the monitor works. Silence there is the alarm.

It is asked only behind a turn of which all is written, and while looks come back and are given out in time: a process
that merely lives would keep it quiet. What does not take it is a problem like any other, told to the receivers. And
another monitor, whose `/health` says whether it works: two that watch each other notice each other's death.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread

from infratest.alerting.subject import ALIVE, PEER
from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.receivers._http import asked
from infratest.stack.monitor import Alive
from infratest.states import CRITICAL

#: Seconds that asking it may take.
SECONDS = 20.0
#: How many may be under way at once: one that hangs must not be the monitor's silence.
AT_ONCE = 3
#: How often in a row another monitor must not answer until it does not work: one that begins anew is away for a moment.
MISSES = 3
#: Where a monitor says whether it works.
HEALTH = "/health"


@dataclass(frozen=True)
class Pinged:
    """What came of asking it.

    Args:
        error: why it was not heard, empty where it was. id: of the result that says so. state: of that, where there is
        an error.
    """

    error: str = ""
    id: str = ALIVE
    state: str = CRITICAL


class Switch:
    """Asks the URLs, each time in a thread of its own.

    Args:
        done: called with what came of it.
    """

    def __init__(self, done: Callable[[Pinged], None]) -> None:
        self._done = done
        self._next: float | None = None
        self._under_way: dict[str, list[Thread]] = {ALIVE: [], PEER: []}
        self._missed = 0

    def worked(self, alive: Alive | None, now: float) -> None:
        """The monitor works, at a time of its own: ask where that is due. alive: as the stack file has it now."""
        if alive is None:
            return
        if self._next is not None and now < self._next:
            return
        begun = [
            self._begin(id, url)
            for id, url in ((ALIVE, alive.ping), (PEER, alive.peer and alive.peer.rstrip("/") + HEALTH))
            if url
        ]
        if any(begun):
            self._next = now + alive.every

    def wait(self, seconds: float) -> None:
        """Wait for those that are under way, so long at most."""
        deadline = Deadline(seconds)
        for threads in self._under_way.values():
            for thread in threads:
                thread.join(deadline.left)

    def _begin(self, id: str, url: str) -> bool:
        """Ask a URL, where not too many hang there; whether it is asked."""
        self._under_way[id] = [each for each in self._under_way[id] if each.is_alive()]
        if len(self._under_way[id]) >= AT_ONCE:
            return False
        thread = Thread(target=self._ask, args=(id, url), name="alive", daemon=True)
        thread.start()
        self._under_way[id].append(thread)
        return True

    def _ask(self, id: str, url: str) -> None:
        try:
            error = asked(url, Deadline(SECONDS))
        except (InfratestError, OSError) as raised:
            error = str(raised)
        if id == PEER:
            self._missed = self._missed + 1 if error else 0
            if 0 < self._missed < MISSES:
                return
        self._done(Pinged(error, id))
