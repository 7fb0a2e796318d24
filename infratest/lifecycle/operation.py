"""What every verb on the life of a stack shares: one stack and its state directory, and what a changing verb is.

Each verb is a file beside this one: up, halt, destroy, provision, status, reap. Called by the command line, the pytest
plugin and the demo. Every changing verb holds the stack's lock, journals before each call of the provider, and renews
the lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from infratest.clock import REAL
from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, StateError, UserError
from infratest.hosts import GONE, Host
from infratest.lifecycle.lease import begun_now
from infratest.lifecycle.listing import Listing, Unsettled
from infratest.lifecycle.ready import Ready
from infratest.lifecycle.removal import HOST, STATE, failures, leftovers, of_stack, remove
from infratest.lifecycle.stopping import Done, Progress, Stop, StoppableDeadline, Stopped, each, silent
from infratest.providers.base import HostSpec, Lease, Provider, Resource
from infratest.stack import ownership
from infratest.stack.command import command
from infratest.stack.declared import StackFile
from infratest.stack.open import as_made, makers, open_provider, refuse_another
from infratest.stack.selection import chosen
from infratest.store.directory import StateDir
from infratest.store.journal import Journal, Operation
from infratest.store.records import DONE, FAILED, INTERRUPTED, asked, live, not_removed, removed
from infratest.store.terms import Term, term

T = TypeVar("T")
R = TypeVar("R")

#: Keeps what is on a host before it is provisioned for the first time. Called with the host, its provider's id (empty
#: where nobody here made it), the moment from which on it lives (0: since it was made), and a deadline.
Recorder = Callable[[Host, str, float, Deadline], None]

#: The last line of a verb that was not even begun, since nobody could say who makes the hosts: an engine is not there.
NOTHING_DONE = "nothing had been done"
UP, OTHER, UNDO = 1800.0, 600.0, 180.0  # seconds that `up`, any other verb and an undo have, where nothing is said


class Lifecycle:
    """One stack in one environment, with one state directory.

    Args:
        jobs: hosts worked on at once. deadline: of the whole verb. progress: called at each step. ready: runs `ready:`
        sentences. recorder: keeps what is on a host that is about to be provisioned. provider: the stack's own, where
        it is not given. stop: set by `stopping.signals`.
        undo_seconds: that an undo has at most. Of a deadline that the caller gave, a fifth is kept back for it.
    """

    def __init__(
        self,
        stack: StackFile,
        state: StateDir,
        *,
        jobs: int = 16,
        deadline: Deadline | None = None,
        progress: Progress = silent,
        ready: Ready | None = None,
        recorder: Recorder | None = None,
        provider: Provider | None = None,
        stop: Stop | None = None,
        undo_seconds: float = UNDO,
    ) -> None:
        self.stack = stack
        self.state = state
        self.jobs = jobs
        self.progress = progress
        self.stop = stop or Stop()
        self.provider = provider or open_provider(stack, state)
        self.clock = self.provider.clock
        self.journal = Journal(state, self.clock.time)
        where = (stack.name, stack.env)
        refusals = (self.refuse_another, self.refuse_foreign)
        self.listing = Listing(self.provider, self.journal, self.state_id, *where, *refusals)
        self.ready = ready
        self.recorder = recorder
        # The caller's is by the machine's clock; what it limits goes by the provider's.
        self._deadline = deadline and (deadline if self.clock is REAL else self._seconds(deadline.left))
        self._undo_seconds = undo_seconds

    def hosts(self, names: Sequence[str] | None = None) -> list[Host]:
        """Return the hosts as they are now; takes no lock and writes nothing."""
        hosts = self.now(chosen(self.stack.hosts, names), self.limit(OTHER))
        if any(host.state == GONE for host in hosts):
            self.refuse_another()
        return as_made(hosts, self.stack, self.state)

    def now(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        """Return hosts by their provider's word, given time to settle where it contradicts the journal."""
        return self.listing.hosts(specs, deadline)

    @contextmanager
    def changing(self, verb: str) -> Iterator[Deadline]:
        """Hold the lock and renew the lease around another verb that changes hosts, as `provision`."""
        with self.operation(verb, UP) as (_, deadline):
            yield deadline

    @property
    def title(self) -> str:
        return f"{self.stack.name}/{self.stack.env}" if self.stack.env else self.stack.name

    @contextmanager
    def operation(
        self, verb: str, seconds: float, renew: bool = True, nothing: str = NOTHING_DONE
    ) -> Iterator[tuple[Operation, Deadline]]:
        """Hold the lock and a begun operation, with its deadline; the end is journalled whichever way it comes.

        Args:
            seconds: that it has, where the caller of the verb said nothing. renew: the lease, for 24 h from now or to
            the budget's end. nothing: the last line where it is not even begun.
        """
        where = (self.stack.name, self.stack.env)
        with self.state.lock(purpose=f"{verb} of {self.title}"):
            self.refuse_another()
            first = not self.state_id()
            try:
                maker = makers(self.stack, self.provider)[0]
            except ProviderError as unasked:
                raise self.ended(verb, self.as_stop(unasked), nothing) from unasked
            operation = self.journal.begin(verb, *where, maker)
            try:
                if renew:
                    self.journal.lease(*where, self.lease().expires)
                yield operation, self.limit(seconds)
            except InfratestError as problem:
                error = self.as_stop(problem)
                # What went wrong is worth more to the user than that the journal could not take its end: an
                # operation without one counts as interrupted, which is no less true.
                with suppress(InfratestError):
                    operation.end(INTERRUPTED if isinstance(error, Stopped) else FAILED)
                    if first and not asked(self.journal.records(), operation.id):
                        self._as_before()
                    else:
                        self._tidy(operation)
                if error is problem:
                    raise
                raise error from problem
            operation.end(DONE)
            with suppress(StateError):  # what was asked for is done; a damaged journal is told by what reads it next
                self._tidy(operation)

    def command(self, *words: str) -> str:
        """Return the command line of a verb that is about this stack, environment and state directory from here."""
        return command(self.stack, self.state, *words)

    def refuse_another(self) -> None:
        """Raise UserError where the journal has things of another provider: by this one's word they would be gone."""
        with suppress(StateError):  # a damaged journal is told by what works with it
            refuse_another(self.stack, self.state, self.provider, self.journal.records())

    def refuse_foreign(self, deadline: Deadline) -> None:
        """Raise ProviderError where the credentials are not those of the account that has the stack's things."""
        ownership.refuse_foreign(self.stack, self.provider, self.journal.records(), deadline)

    def _as_before(self) -> None:
        """Have the state directory be one from which nothing was made, after a first operation that asked for nothing.

        Nothing anywhere carries its id, so that the next verb has no question for a provider, which is often what could
        not be asked. A run that is killed before this keeps the id: its provider is then asked, which misses nothing.
        """
        self.state.forget_id()
        self.journal.tidy(self.stack.name, self.stack.env)

    def _tidy(self, operation: Operation) -> None:
        """Forget what is gone, by the provider's word; keep it all while anything is left to reap.

        A run that was killed while a provider removed something may have left the provider's own notes of it, as a
        line in known_hosts: removing it once more is fine by contract, and takes these away. What is there still
        although it was removed is removed once more too: that is how some clouds are.
        """
        deadline = self.last()
        if deadline.passed:
            return  # the next verb tidies: what is gone is forgotten a little later
        try:
            existing = self.listing.settled(deadline)
        except Unsettled:
            return  # likewise
        records = self.journal.records()
        there, before = {one.id for one in existing}, removed(records)
        # What is live stays so until a verb that is about it says otherwise, whatever a listing leaves out.
        known = {*there, *live(records)}
        half = not_removed(records, self.stack.name, self.stack.env)
        self.forget([one for one in half if one.id not in known], operation, deadline)
        back = [one for one in existing if one.id in before and one.labels.get(STATE) == self.state_id()]
        left = failures(self.remove(back, operation, deadline, Stop()))
        if left:
            words = f"`{self.command('reap')}` removes it once more"
            raise ProviderError(f"removed, and there still: {'; '.join(left)}; {words}")
        existing = [one for one in existing if one not in back]
        if not leftovers(existing, self.state_id(), self.journal.live()):
            self.journal.tidy(self.stack.name, self.stack.env)

    def lease(self) -> Lease:
        """Return the lease of what is made now."""
        return begun_now(self.stack, self.state, self.clock.time(), self.term())

    def term(self) -> Term | None:
        """Return for how long the stack may stand, by the journal; None where it never had a budget."""
        return term(self.journal.records(), self.stack.name, self.stack.env)

    def limit(self, seconds: float) -> Deadline:
        """Return the deadline the caller gave, else one of so many seconds; it has passed too when we are to stop."""
        given = self._deadline
        work = given.sooner(min(self._undo_seconds, given.seconds / 5)) if given else self._seconds(seconds)
        return StoppableDeadline(work, self.stop)

    def last(self) -> Deadline:
        """Return the deadline of what comes at the end however a verb went: its undo, and tidying up."""
        return (self._deadline or self._seconds(self._undo_seconds)).at_most(self._undo_seconds)

    def _seconds(self, seconds: float) -> Deadline:
        return Deadline(seconds, self.clock.monotonic)

    def state_id(self) -> str:
        """Return the id of the state directory, empty where there is none: looking must not make one."""
        return self.state.id if (self.state.path / "id").exists() else ""

    def made(self, deadline: Deadline) -> list[Resource]:
        """Return the hosts of this stack and environment that exist and were made from here, in its order.

        Those that it does not declare any more stand at the end.
        """
        order = {spec.name: place for place, spec in enumerate(self.stack.hosts)}
        hosts = [one for one in self.mine(deadline) if one.kind == HOST]
        return sorted(hosts, key=lambda one: order.get(one.name, len(order)))

    def mine(self, deadline: Deadline) -> list[Resource]:
        """Return all of this stack and environment that exists and was made from here, but what is about to go."""
        return self.mine_of(self.listing.settled(deadline))

    def mine_of(self, existing: Iterable[Resource]) -> list[Resource]:
        """Return what of a listing is of this stack and environment, made from here, and not about to go."""
        before = removed(self.journal.records())
        mine = of_stack(existing, self.state_id(), self.stack.name, self.stack.env)
        return [one for one in mine if one.id not in before]

    def each(self, items: Sequence[T], work: Callable[[T], R], stop: Stop) -> list[Done[T, R]]:
        """Do the work on every item, as many at once as this verb may; see `stopping.each`."""
        return each(items, work, jobs=self.jobs, stop=stop, clock=self.clock)

    def remove(
        self, resources: Sequence[Resource], operation: Operation, deadline: Deadline, stop: Stop, insist: bool = True
    ) -> list[Done[Resource, None]]:
        """Remove resources, hosts first, journalled; see `removal.remove`."""
        return remove(
            self.provider, resources, operation,
            jobs=self.jobs, deadline=deadline, stop=stop, say=self.progress, insist=insist,
        )  # fmt: skip

    def forget(self, gone: Iterable[Resource], operation: Operation, deadline: Deadline) -> None:
        """Take down that these are not there any more, once their provider has removed what it noted of them."""
        for resource in gone:
            self.provider.destroy(resource, deadline)
            operation.removed(resource)

    def all_well(self, done: Sequence[Done[Any, Any]], first: str = "") -> None:
        """Raise what came of the work: that it was told to stop, else what failed (the first failure, where known)."""
        hung = [str(one.error) for one in done if one.error is not None and not one.ended]
        if self.stop.is_set:
            raise self._stopped(hung)
        errors = list(dict.fromkeys(str(one.error) for one in done if one.error is not None))
        if errors:
            users = all(isinstance(one.error, UserError) for one in done if one.error is not None)
            raise (UserError if users else ProviderError)(first or "; ".join(errors))

    def as_stop(self, error: InfratestError) -> InfratestError:
        """Return the error, or that we were told to stop: a call that is cut off for that fails in its own words."""
        return self._stopped([]) if self.stop.is_set and not isinstance(error, Stopped) else error

    def ended(self, verb: str, error: InfratestError, outcome: str) -> InfratestError:
        """Return the error that a verb ends with: of what, why, and in its last line what came of it."""
        words = f"{verb} of {self.title}: {error}\n{outcome}"
        if isinstance(error, Stopped):
            return Stopped(words, error.status)
        return UserError(words) if isinstance(error, UserError) else ProviderError(words)

    def _stopped(self, hung: Sequence[str]) -> Stopped:
        words = "; ".join([f"stopped by {self.stop.reason}", *hung])
        return Stopped(words, 128 + self.stop.signal if self.stop.signal else 130)
