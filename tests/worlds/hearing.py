"""A source of hints that is listened to, as a monitor does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue

from infratest.monitor.hints.base import Hint, Source

#: Seconds after which a thread that was to end has not.
LONG = 60.0


@contextmanager
def hearing(source: Source) -> Iterator[SimpleQueue[Hint]]:
    """Give what comes of a source; it must end when it is told to."""
    came: SimpleQueue[Hint] = SimpleQueue()

    def run() -> None:
        with suppress(OSError):  # of a connection that was ended
            source.run(came.put)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield came
    finally:
        source.end()
        thread.join(LONG)
        assert not thread.is_alive()
