"""Waiting for what comes by itself: asked again until it is there, never for a fixed time."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")

#: Seconds between two looks.
PAUSE = 0.01


def wait_until(look: Callable[[], T], seconds: float = 10.0) -> T:
    """Return the first true answer.

    Raises:
        AssertionError: there was none within this many seconds.
    """
    end = monotonic() + seconds
    while not (answer := look()):
        assert monotonic() < end, f"waited {seconds:g} s in vain for {look}"
        sleep(PAUSE)
    return answer
