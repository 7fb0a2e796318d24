"""A look at a shop, beside all contestants: when it works again, for them all by the same eye."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from benchmarks.drills.faults import Fault
from benchmarks.drills.host import LOOK, Host


@dataclass(kw_only=True)
class Times:
    """One run, in seconds since its fault.

    Args:
        red: until the contestant has said that something is wrong; None where it says nothing. green: until the shop
        worked again; None where it never did. rung: what healed it, as the contestant has it. own: seconds that the
        rung took. wrong: what else was tried, or why it does not count.
    """

    red: float | None = None
    green: float | None = None
    rung: str = ""
    own: float = 0.0
    wrong: str = ""


@dataclass
class Watch:
    """Looks at the shop of a host, from its fault on, until it works again. Begun and ended by `with`."""

    host: Host
    fault: Fault
    broken: float = field(default_factory=time.monotonic)
    green: float | None = None

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._works = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def wait(self, seconds: float) -> bool:
        """Wait until it works again, and no longer; return whether it does."""
        return self._works.wait(max(0.0, seconds))

    def _look(self) -> None:
        while not self._over.is_set():
            works = self.host.works(self.fault.shown)
            at = time.monotonic() - self.broken
            # What works for one moment between two tries of an init system is no shop that works.
            if works and self._still():
                self.green = at
                self._works.set()
                return
            self._over.wait(LOOK)

    def _still(self) -> bool:
        return not any(self._over.wait(LOOK) or not self.host.works(self.fault.shown) for _ in range(3))
