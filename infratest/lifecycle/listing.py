"""What exists, by a provider whose listings may lag, beside what the journal knows. For verbs that conclude from it.

A listing that contradicts the journal (what was made is missing, what was removed is there, what was asked for and not
answered has not come) is believed when it was so for `Provider.settles` seconds, and not before. Where listings do not
lag the first is believed, and this costs one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import GONE, Host
from infratest.lifecycle.removal import of_stack
from infratest.providers.base import HostSpec, Provider, Resource
from infratest.store.journal import Journal, live, removed, standing, unanswered

LOOK_AGAIN = 0.25  # seconds between the first two looks; each pause is twice the one before it
LAST_PAUSE = 2.0


class Unsettled(ProviderError):
    """There was no time to wait until a listing that contradicts the journal can be believed. `listing`: so far."""

    def __init__(self, message: str, listing: list[Resource]) -> None:
        super().__init__(message)
        self.listing = listing


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
        seconds, began, pause = max(self._provider.settles, at_least), clock.monotonic(), LOOK_AGAIN
        records = self._journal.records()
        there, gone = standing(records, *self._place), removed(records)
        asked = unanswered(records, *self._place, clock.time() - seconds) - self._waited_for
        seen: dict[str, Resource] = {}
        while True:
            last = clock.monotonic() - began >= seconds
            listing = {one.id: one for one in self._provider.existing(deadline)}
            seen |= listing
            exists = [one for id, one in seen.items() if id in listing or id not in gone]
            # Others' of the same name are no answer to what was asked from here.
            mine = of_stack(seen.values(), self._state_id(), *self._place)
            names = {(one.kind, one.name) for one in mine if one.id not in there and one.id not in gone}
            settled = seen.keys() >= there.keys() and not (listing.keys() & gone)
            if last or (settled and all((kind, name) in names for _, kind, name in asked)):
                self._waited_for |= asked
                return exists
            if deadline.passed:
                words = f"its listing contradicts what was made from here, and may be {seconds:.0f} s old"
                raise Unsettled(f"what exists is not known: {words}; try again with more time", exists)
            clock.sleep(min(pause, max(0.0, began + seconds - clock.monotonic()), deadline.left))
            pause = min(pause * 2, LAST_PAUSE)

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        """Return the hosts as they are now; one that the journal holds as live is gone only if it stays so."""
        clock = self._provider.clock
        began, pause = clock.monotonic(), LOOK_AGAIN
        records = live(self._journal.records()).values() if self._provider.settles else ()
        held = {one.name for one in records if (one.stack, one.env) == self._place}
        there: dict[str, Host] = {}
        while True:
            last = clock.monotonic() - began >= self._provider.settles or deadline.passed
            hosts = self._provider.hosts(specs, deadline)
            there |= {host.name: host for host in hosts if host.state != GONE}
            if last or all(host.name in there for host in hosts if host.name in held):
                return [there.get(host.name, host) for host in hosts]
            end = began + self._provider.settles
            clock.sleep(min(pause, max(0.0, end - clock.monotonic()), deadline.left))
            pause = min(pause * 2, LAST_PAUSE)
