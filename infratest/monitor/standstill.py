"""A loop that stood still: its process was stopped, or a disk held it up. What did not come meanwhile is not missing.

Asked by the loop's one thread with each turn.
"""

from __future__ import annotations

from infratest.alerting.moments import Moment
from infratest.alerting.status import Restart
from infratest.monitor.book import Book

#: Seconds between two turns beyond which the loop stood still.
STOOD = 5.0


class Standstill:
    """Knows when the loop turned last.

    Args:
        now: when it begins.
    """

    def __init__(self, now: Moment) -> None:
        self._turned = now.steady
        self._spared: dict[str, float | None] = {}  # by id, the newest look when it was spared last

    def turned(self, book: Book, now: Moment) -> None:
        """The loop turns. Where it stood still, what is watched goes on as after a restart.

        Once for each look, so that what never comes is missing however often that happens.
        """
        if now.steady - self._turned >= STOOD:
            looked = {id: book.statuses[id].looked for id in book.subjects}
            for id, newest in looked.items():
                if id not in self._spared or self._spared[id] != newest:
                    book.event(id, Restart(now))
            self._spared = looked
        self._turned = now.steady
