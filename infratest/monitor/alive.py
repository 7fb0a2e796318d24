"""The dead-man's switch: a URL elsewhere that is asked as long as the monitor works. Silence there is the alarm.

It is asked only behind a turn of which all is written, and while looks come back and are given out in time: a process
that merely lives would keep it quiet. What does not take it is a problem like any other, told to the receivers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread

from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.receivers._http import asked
from infratest.stack.monitor import Alive

#: Seconds that asking it may take.
SECONDS = 20.0
#: How many may be under way at once: one that hangs must not be the monitor's silence.
AT_ONCE = 3


@dataclass(frozen=True)
class Pinged:
    """What came of asking it: nothing wrong, or why it was not heard."""

    error: str = ""


class Switch:
    """Asks the URL, each time in a thread of its own.

    Args:
        done: called with what came of it.
    """

    def __init__(self, done: Callable[[Pinged], None]) -> None:
        self._done = done
        self._next: float | None = None
        self._under_way: list[Thread] = []

    def worked(self, alive: Alive | None, now: float) -> None:
        """The monitor works, at a time of its own: ask where that is due. alive: as the stack file has it now."""
        if alive is None:
            return
        if self._next is not None and now < self._next:
            return
        self._under_way = [each for each in self._under_way if each.is_alive()]
        if len(self._under_way) >= AT_ONCE:
            return
        self._next = now + alive.every
        thread = Thread(target=self._ask, args=(alive.ping,), name="alive", daemon=True)
        thread.start()
        self._under_way.append(thread)

    def wait(self, seconds: float) -> None:
        """Wait for those that are under way, so long at most."""
        deadline = Deadline(seconds)
        for thread in self._under_way:
            thread.join(deadline.left)

    def _ask(self, url: str) -> None:
        try:
            self._done(Pinged(asked(url, Deadline(SECONDS))))
        except (InfratestError, OSError) as error:
            self._done(Pinged(str(error)))
