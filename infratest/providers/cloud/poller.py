"""One listing a tick for all who wait: what a cloud's servers are now, asked once however many want to know.

libcloud has every waiter list everything every five seconds. Here whoever comes first when a tick is due asks, and the
others get the same answer. A tick is short after a change and grows while nothing happens. A server that one listing
does not have is not gone: listings of clouds lag, so it is looked for by its id before anybody believes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.cloud.account import LOOK
from infratest.providers.cloud.drivers.base import Server

#: Seconds between two listings: after a change, and at most.
SHORTEST, LONGEST, GROWTH = 1.0, 5.0, 1.3
#: Seconds that a server which was just made may be missing before it is looked for by its id.
UNLISTED = 10.0
#: Looks by its id, a tick apart, that a server must be missing from before it counts as gone.
MISSES = 2

Listing = Mapping[str, Server]
#: Lists all servers of ours, or those with these ids alone.
List = Callable[[Sequence[str], Deadline], list[Server]]


class Poller:
    """The servers of one account in one region. Its methods are called from several threads at once."""

    def __init__(self, listed: List, clock: Callable[[], float] = time.monotonic) -> None:
        self._list = listed
        self._clock = clock
        self._changed = threading.Condition()
        self._newest: Listing = {}
        self._begun = -1e9  # when the newest listing was begun
        self._dirty = -1e9  # when this process last changed something
        self._asking = False
        self._tick = SHORTEST
        self.ticks = 0

    def touched(self) -> None:
        """Say that this process has changed something: what was listed before is old."""
        with self._changed:
            self._dirty, self._tick = self._clock(), SHORTEST

    def now(self, deadline: Deadline) -> Listing:
        """Return a listing that is not older than the shortest tick, nor than the last change of this process."""
        return self._after(max(self._clock() - SHORTEST, self._dirty), deadline)[1]

    def look(self, ids: Sequence[str], deadline: Deadline) -> list[Server]:
        """Return servers by their ids, those that are there: for what a listing does not have."""
        return self._list(ids, deadline)

    def wait(
        self, id: str, ready: Callable[[Server], bool], deadline: Deadline, what: str, *, leaving: bool = False
    ) -> Server | None:
        """Wait until a server is as it should be and return it; None where it is gone.

        Args:
            ready: is asked of the server in each listing; what it raises ends the wait. what: for messages.
            leaving: the server is to go, so that one look by its id is enough to believe it.
        Raises:
            ProviderError: the deadline passed; the message says what the server was at last.
        """
        began, misses, last = self._clock(), 0, ""
        with self._changed:
            seen, asked = self._dirty, self._begun
        self._due(asked, deadline)
        while True:
            seen, listing = self._after(seen, deadline)
            server = listing.get(id)
            if server is None and (leaving or last or self._clock() - began > UNLISTED):
                server = next(iter(self._list([id], deadline)), None)
                misses = 0 if server else misses + 1
                if misses == (1 if leaving else MISSES):
                    return None
            if server is not None:
                last = server.state
                if ready(server):
                    return server
            if deadline.passed:
                raise ProviderError(f"{what}: {f'still {last}' if last else 'not listed yet'}, and no time is left")
            self._due(seen, deadline)

    def _after(self, moment: float, deadline: Deadline) -> tuple[float, Listing]:
        """Return a listing begun after a moment, and when: one that is there or on its way, else it is asked for."""
        while True:
            with self._changed:
                if self._begun > moment:
                    return self._begun, self._newest
                if not self._asking:
                    self._asking = True
                    break
                self._changed.wait(LOOK)
            if deadline.passed:
                raise ProviderError("the cloud's list of servers did not come in time")
        begun = self._clock()
        try:
            found = {server.id: server for server in self._list((), deadline)}
            with self._changed:
                self._tick = min(self._tick * GROWTH, LONGEST) if found == self._newest else SHORTEST
                self._newest, self._begun = found, begun
                self.ticks += 1
        finally:
            with self._changed:
                self._asking = False
                self._changed.notify_all()
        return begun, found

    def _due(self, seen: float, deadline: Deadline) -> None:
        """Wait until the next listing is due, or somebody has it."""
        while not deadline.passed:
            with self._changed:
                left = seen + self._tick - self._clock()
                if left <= 0 or self._begun > seen:
                    return
                self._changed.wait(min(left, LOOK))
