"""Waiting for what comes by itself: asked again until it is there, never for a fixed time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from infratest.clock import REAL, Clock

T = TypeVar("T")

#: Seconds between two looks.
PAUSE = 0.01


def wait_until(look: Callable[[], T], seconds: float = 10.0, clock: Clock = REAL) -> T:
    """Return the first true answer.

    Args:
        seconds: of this clock.
    Raises:
        AssertionError: there was none within this many seconds.
    """
    end = clock.monotonic() + seconds
    while not (answer := look()):
        assert clock.monotonic() < end, f"waited {seconds:g} s in vain for {look}"
        clock.sleep(PAUSE)
    return answer
