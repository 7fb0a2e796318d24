"""What exists, by a provider whose listings may lag, beside what the journal knows. For verbs that conclude from it.

A listing that contradicts the journal (what was made and not removed whole is missing, what was removed is there, what
was asked for and not answered has not come) is believed when it was so for `Provider.settles` seconds from the first
answer, which a busy provider may give late, and not before. Where listings do not lag the first is believed, and this
costs one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infratest.clock import Clock
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import GONE, Host
from infratest.lifecycle.removal import of_stack
from infratest.providers.base import HostSpec, Provider, Resource
from infratest.store.journal import Journal, live, not_removed, removed, unanswered

LOOK_AGAIN = 0.25  # seconds between the first two looks; each pause is twice the one before it
LAST_PAUSE = 2.0


class Unsettled(ProviderError):
    """There was no time to wait until a listing that contradicts the journal can be believed. `listing`: so far."""

    def __init__(self, message: str, listing: list[Resource]) -> None:
        super().__init__(message)
        self.listing = listing


class _Wait:
    """Until a listing that is asked for now can be believed: so many seconds after the first one was answered."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end: float | None = None

    def answered(self) -> None:
        if self._end is None:
            self._end = self._clock.monotonic() + self.seconds

    @property
    def left(self) -> float:
        return self.seconds if self._end is None else max(0.0, self._end - self._clock.monotonic())

    @property
    def over(self) -> bool:
        return self.left <= 0


class Listing:
    """The listings of one provider, for the verbs on one environment of a stack.

    Args:
        state_id: returns the id that all made from this state directory carries, empty where there is none yet.
    """

    def __init__(self, provider: Provider, journal: Journal, state_id: Callable[[], str], stack: str, env: str) -> None:
        self._provider = provider
        self._journal = journal
        self._state_id = state_id
        self._place = (stack, env)
        self._waited_for: set[tuple[str, str, str]] = set()

    def settled(self, deadline: Deadline, at_least: float = 0.0) -> list[Resource]:
        """Return what exists, whoever's it is.

        Args:
            at_least: seconds to wait for what was asked for and not answered, where the provider's own are fewer.
        Raises:
            Unsettled: the deadline came first.
        """
        clock = self._provider.clock
        wait, pause = _Wait(clock, max(self._provider.settles, at_least)), LOOK_AGAIN
        records = self._journal.records()
        # What was only begun to be removed is there until it is known to be gone: its network is under its hosts still.
        there, gone = {one.id for one in not_removed(records, *self._place)}, removed(records)
        asked = unanswered(records, *self._place, clock.time() - wait.seconds) - self._waited_for
        seen: dict[str, Resource] = {}
        while True:
            last = wait.over
            listing = {one.id: one for one in self._provider.existing(deadline)}
            wait.answered()
            seen |= listing
            exists = [one for id, one in seen.items() if id in listing or id not in gone]
            # Others' of the same name are no answer to what was asked from here.
            mine = of_stack(seen.values(), self._state_id(), *self._place)
            names = {(one.kind, one.name) for one in mine if one.id not in there and one.id not in gone}
            settled = seen.keys() >= there and not (listing.keys() & gone)
            if last or (settled and all((kind, name) in names for _, kind, name in asked)):
                self._waited_for |= asked
                return exists
            if deadline.passed:
                words = f"its listing contradicts what was made from here, and may be {wait.seconds:.0f} s old"
                raise Unsettled(f"what exists is not known: {words}; try again with more time", exists)
            clock.sleep(min(pause, wait.left, deadline.left))
            pause = min(pause * 2, LAST_PAUSE)

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        """Return the hosts as they are now; one that the journal holds as live is gone only if it stays so."""
        clock = self._provider.clock
        wait, pause = _Wait(clock, self._provider.settles), LOOK_AGAIN
        records = live(self._journal.records()).values() if self._provider.settles else ()
        held = {one.name for one in records if (one.stack, one.env) == self._place}
        there: dict[str, Host] = {}
        while True:
            last = wait.over or deadline.passed
            hosts = self._provider.hosts(specs, deadline)
            wait.answered()
            there |= {host.name: host for host in hosts if host.state != GONE}
            if last or all(host.name in there for host in hosts if host.name in held):
                return [there.get(host.name, host) for host in hosts]
            clock.sleep(min(pause, wait.left, deadline.left))
            pause = min(pause * 2, LAST_PAUSE)
