"""When to believe what a listing says, where listings lag. For providers, and for the lifecycle above them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from infratest.deadline import Deadline
from infratest.hosts import GONE, Host
from infratest.providers.base import HostSpec, Provider

FIRST_PAUSE, LAST_PAUSE = 0.25, 2.0  # seconds between two looks; each pause is twice the one before it
#: Seconds by which two answers may lie apart and be in one row all the same, where listings lag for less.
CLOSE = 2.0


class Settling:
    """Something that answers say and that may be an old word, as that a host is not there.

    It is believed when it was said for so long in a row, counted from the first answer: a busy cloud gives it late. Two
    answers that lie further apart than a listing may lag are no row: in between, while the cloud refused to answer, it
    may have known better, and have forgotten anew.

    Args:
        lag: seconds for which listings may lag, `Provider.settles`. 0: what is said is believed at once. at_least:
        seconds for which it must be said where that is more, as by a thing that comes late.
    """

    def __init__(self, lag: float, at_least: float = 0.0) -> None:
        self.seconds = max(lag, at_least)
        self._apart = max(lag, CLOSE) if lag else float("inf")
        self._since: float | None = None  # when the first of the row was answered
        self._last = 0.0
        self._pause = FIRST_PAUSE

    def said(self, asked: float, answered: float) -> bool:
        """Take down that an answer says so; return whether it is believed now.

        Args:
            asked, answered: when, by the provider's `clock.monotonic`.
        """
        if self._since is None or answered - self._last > self._apart:
            self._since, self._pause = answered, FIRST_PAUSE
        self._last = answered
        return self.seconds <= 0 or asked - self._since >= self.seconds

    def pause(self, now: float) -> float:
        """Return how many seconds to wait before it is asked again."""
        pause, self._pause = self._pause, min(self._pause * 2, LAST_PAUSE)
        return pause if self._since is None else min(pause, max(0.0, self._since + self.seconds - now))


@runtime_checkable
class KeepsListings(Protocol):
    """A provider that says again what it listed a moment ago, to ask its cloud less."""

    def look_anew(self) -> None:
        """Keep nothing: what `existing` says next is listed after this. Called where it contradicts the journal."""


def settled_hosts(
    provider: Provider, specs: Sequence[HostSpec], held: Collection[str], deadline: Deadline, wait: Deadline
) -> tuple[list[Host], list[str]]:
    """Return the hosts as they are now, and the names of those of which it is not known whether they are gone.

    Args:
        held: names of hosts that are there by the journal; one of them is gone only if it stays so. wait: until when
        a provider that says so is asked again.
    """
    clock, settling = provider.clock, Settling(provider.settles)
    there: dict[str, Host] = {}
    while True:
        began = clock.monotonic()
        hosts = provider.hosts(specs, deadline)
        believed = settling.said(began, clock.monotonic())
        there |= {host.name: host for host in hosts if host.state != GONE}
        missing = [host.name for host in hosts if host.name in held and host.name not in there]
        if believed or not missing or wait.passed or deadline.passed:
            return [there.get(host.name, host) for host in hosts], [] if believed else missing
        clock.sleep(min(settling.pause(clock.monotonic()), wait.left, deadline.left))
