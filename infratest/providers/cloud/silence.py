"""A cloud that keeps a verb waiting is told of while it does: nobody should look at a still screen and guess."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

#: Seconds after which a call that has no good answer yet is told of.
LONG = 3.0


class Silence:
    """What one account keeps waiting for. Each reason is told once, however many calls wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[str] = set()

    @contextmanager
    def watched(self, what: str, reason: Callable[[], str]) -> Iterator[None]:
        """Have it told where what is done here takes long.

        Args:
            what: is asked for. reason: returns what it waits for just then, in words.
        """
        timer = threading.Timer(LONG, self._tell, (what, reason))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _tell(self, what: str, reason: Callable[[], str]) -> None:
        words = reason()
        with self._lock:
            if words.partition(";")[0] in self._told:
                return
            self._told.add(words.partition(";")[0])
        log.warning("%s: %s", what, words)
