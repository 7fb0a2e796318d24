"""Whether a receiver takes what it is sent, as a result like any other. Pure."""

from __future__ import annotations

from infratest.alerting.subject import of_receiver
from infratest.model import Result
from infratest.states import CRITICAL, OK

#: Failures in a row after which a receiver is a problem of its own, told to the others.
DEAD = 3


def of_tries(name: str, tries: int) -> Result:
    """Return how a receiver is that has not taken what is on its way to it so many times in a row."""
    state, reason = (OK, "") if tries < DEAD else (CRITICAL, f"it has not taken what it was sent, {tries} times")
    return Result(of_receiver(name), "", f"receiver {name}", 0, "-", state, reason)
