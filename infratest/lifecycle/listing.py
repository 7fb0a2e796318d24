"""What exists, by a provider whose listings may lag, beside what the journal knows. For verbs that conclude from it.

A listing that contradicts the journal (what was made and not removed whole is missing, what was removed is there, what
was asked for and not answered has not come) is believed when it was so for `Provider.settles` seconds in a row, and not
before; `Settling` says what a row is. Where listings do not lag the first is believed, and this costs one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import Host
from infratest.lifecycle.removal import of_stack
from infratest.providers._settling import KeepsListings, Settling, settled_hosts
from infratest.providers.base import HostSpec, Provider, Resource
from infratest.stack.open import another_first
from infratest.stack.ownership import none_seen
from infratest.store.journal import Journal
from infratest.store.records import live, not_removed, removed, unanswered
from infratest.units import human


class Unsettled(ProviderError):
    """There was no time to wait until a listing that contradicts the journal can be believed.

    Args:
        what: what is not known for that. seconds: for which listings may lag. listing: what exists, as far as it is.
    """

    def __init__(self, what: str, seconds: float, listing: Sequence[Resource] = ()) -> None:
        words = f"a listing contradicts what was made from here, and may be {human(seconds, 's')} old"
        super().__init__(f"{what} is not known: {words}; try again with more time")
        self.listing = list(listing)


class Listing:
    """The listings of one provider, for the verbs on one environment of a stack.

    Args:
        state_id: returns the id that all made from this state directory carries, empty where there is none yet.
        refuse: raises where another provider made what is there, which is told before why this one cannot be asked.
        refuse_foreign: raises where the credentials are another account's; called where nothing is seen of what was
        made.
    """

    def __init__(
        self,
        provider: Provider,
        journal: Journal,
        state_id: Callable[[], str],
        stack: str,
        env: str,
        refuse: Callable[[], None],
        refuse_foreign: Callable[[Deadline], None],
    ) -> None:
        self._refuse = refuse
        self._refuse_foreign = refuse_foreign
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
        settling = Settling(self._provider.settles, at_least)
        records = self._journal.records()
        # What was only begun to be removed is there until it is known to be gone: its network is under its hosts still.
        there, gone = {one.id for one in not_removed(records, *self._place)}, removed(records)
        asked = unanswered(records, *self._place) - self._waited_for
        seen: dict[str, Resource] = {}
        keeps = self._provider if isinstance(self._provider, KeepsListings) else None
        anew = keeps is None or not self._provider.settles
        while True:
            began = clock.monotonic()
            with another_first(self._refuse):
                listing = {one.id: one for one in self._provider.existing(deadline)}
            # Where listings lag, one that may have been kept from before begins no row.
            believed = anew and settling.said(began, clock.monotonic())
            seen |= listing
            exists = [one for id, one in seen.items() if id in listing or id not in gone]
            # Others' of the same name are no answer to what was asked from here.
            mine = of_stack(seen.values(), self._state_id(), *self._place)
            if not mine and (there or asked):
                self._refuse_foreign(deadline)
            names = {(one.kind, one.name) for one in mine if one.id not in there and one.id not in gone}
            settled = seen.keys() >= there and not (listing.keys() & gone)
            if believed or (settled and all((kind, name) in names for _, kind, name in asked)):
                self._waited_for |= asked
                return exists
            if deadline.passed:
                raise Unsettled("what exists", settling.seconds, exists)
            clock.sleep(min(settling.pause(clock.monotonic()), deadline.left))
            if keeps is not None:
                keeps.look_anew()
                anew = True

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        """Return the hosts as they are now; one that the journal holds as live is gone only if it stays so.

        Raises:
            Unsettled: the deadline came first.
        """
        records = live(self._journal.records()).values()
        held = {one.name for one in records if (one.stack, one.env) == self._place}
        waited_for = held if self._provider.settles else ()
        with another_first(self._refuse):
            hosts, unsure = settled_hosts(self._provider, specs, waited_for, deadline, deadline)
            if none_seen(hosts, held):
                self._refuse_foreign(deadline)
        if unsure:
            raise Unsettled(f"whether {', '.join(unsure)} exists", self._provider.settles)
        return hosts
