"""The life of a stack: up, halt, destroy, status. Called by the verbs, the pytest plugin and the demo.

Every changing verb holds the stack's lock, journals before each call of the provider, and renews the lease. What `up`
made is undone when it fails or is told to stop, by the same rule as the reaper's: all that the provider says exists
under this state id and that the journal does not hold as live. An `up` killed in the middle has no end in the
journal, so that everything it made is what `reap`, or the next `up`, removes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, StateError, UserError
from infratest.hosts import GONE, PAUSED, RUNNING, STOPPED, Host
from infratest.lifecycle.lease import begun_now
from infratest.lifecycle.ready import Ready, await_ready
from infratest.lifecycle.removal import HOST, failures, leftovers, of_stack, remove
from infratest.lifecycle.status import Status
from infratest.lifecycle.stopping import Done, Progress, Stop, StoppableDeadline, Stopped, each, failing, silent
from infratest.providers.base import Foresees, Halts, HostSpec, Lease, Provider, Request, Resource
from infratest.stack import graph
from infratest.stack.declared import StackFile
from infratest.stack.open import as_made, open_provider
from infratest.stack.selection import chosen, with_needed
from infratest.store.directory import StateDir, owner
from infratest.store.journal import (
    DONE,
    FAILED,
    INTERRUPTED,
    Journal,
    Operation,
    asked,
    begun,
    expires,
    live,
    not_removed,
    pending,
)

UP, OTHER, UNDO = 1800.0, 600.0, 180.0  # seconds that `up`, any other verb and an undo have, where nothing is said
LATE, LOOK_AGAIN = 2.0, 0.25  # seconds that a call which was cut off may still bring something about; between looks
SETTLED = 60.0  # seconds in which a host that ran before this `up` must answer


class Lifecycle:
    """One stack in one environment, with one state directory.

    Args:
        jobs: hosts worked on at once. deadline: of the whole verb. progress: told of each step. ready: runs `ready:`
        sentences. provider: the stack's own, where it is not given. stop: set by `stopping.signals`.
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
        provider: Provider | None = None,
        stop: Stop | None = None,
        undo_seconds: float = UNDO,
    ) -> None:
        self.stack = stack
        self.state = state
        self.jobs = jobs
        self.progress = progress
        self.stop = stop or Stop()
        self.journal = Journal(state)
        self.provider = provider or open_provider(stack, state)
        self._ready = ready
        self._deadline = deadline
        self._undo_seconds = undo_seconds

    # Verbs

    def up(self, names: Sequence[str] | None = None) -> list[Host]:
        """Make what is not there, start what is halted, leave alone what runs; return the hosts, all ready.

        Args:
            names: of hosts; what they come `after` is brought up with them. None for all.
        Raises:
            ProviderError: it failed; the message says what was undone. Stopped: it was told to stop, likewise.
        """
        specs = self.foresee(names)
        with self.operation("up", UP) as (operation, deadline):
            try:
                self._clear(operation)
                for together in graph.rounds(specs):
                    self._raise(together, operation, deadline)
                return self.provider.hosts(specs, deadline)  # a signal that cuts this off undoes it, as any other
            except InfratestError as error:
                raise self._undone(operation, self._told(error)) from error

    def foresee(self, names: Sequence[str] | None = None) -> list[HostSpec]:
        """Return the hosts that `up` brings up. Raises UserError: one that its provider could never make, and why."""
        specs = with_needed(self.stack.hosts, names)
        if isinstance(self.provider, Foresees):
            self.provider.foresee(specs)
        return specs

    def halt(self, names: Sequence[str] | None = None) -> list[str]:
        """Stop hosts without losing their disks; return the names of those that ran.

        Raises:
            UserError: the provider cannot halt. ProviderError: one could not be halted.
        """
        specs = chosen(self.stack.hosts, names)
        halting = self.provider
        if not isinstance(halting, Halts):
            raise UserError(f"provider {self.stack.provider} cannot halt a host; it only knows where hosts are")
        with self.operation("halt", OTHER) as (_, deadline):
            running = {host.name for host in self.provider.hosts(specs, deadline) if host.state == RUNNING}
            mine = [one for one in self.made(deadline) if one.name in running]

            def one(resource: Resource) -> None:
                self.progress(resource.name, "halting", "")
                halting.halt(resource, deadline)
                self.progress(resource.name, "halted", "")

            self.all_well(each(mine, one, jobs=self.jobs, stop=self.stop))
        return [resource.name for resource in mine]

    def destroy(self, names: Sequence[str] | None = None, *, yes_production: bool = False) -> list[Resource]:
        """Remove hosts, and with the last one all else the stack is made of; fine if nothing is there.

        Raises:
            UserError: the stack is production and `yes_production` is false. ProviderError: what is left, and why.
        """
        if self.stack.production and not yes_production:
            raise UserError(
                f"stack {self.title} is `production: true`: destroy removes its hosts for good; "
                "say so with --yes-production"
            )
        with self.operation("destroy", OTHER, renew=False) as (operation, deadline):
            doomed = self.doomed(names, deadline)
            done = self.remove(doomed, operation, deadline, self.stop)
            self.all_well(done)
        return doomed

    def doomed(self, names: Sequence[str] | None, deadline: Deadline) -> list[Resource]:
        """Return what `destroy` removes for these hosts; asks the provider, changes nothing."""
        mine = of_stack(self.provider.existing(deadline), self.state_id(), self.stack.name, self.stack.env)
        made = {one.name for one in mine if one.kind == HOST}
        declared = {spec.name for spec in self.stack.hosts}
        chosen(self.stack.hosts, [name for name in names or () if name not in made])
        wanted = declared if names is None else set(names)
        hosts = [one for one in mine if one.kind == HOST and one.name in wanted]
        everything = wanted >= declared
        rest = [one for one in mine if one not in hosts]
        # What the stack file no longer names goes with the whole stack; a network goes with its last host.
        return mine if everything or not any(one.kind == HOST for one in rest) else hosts

    def status(self) -> Status:
        """Return the stack as it is; takes no lock and writes nothing."""
        deadline = self.limit(OTHER)
        records = self.journal.records()
        held = live(records)
        state_id = self.state_id()
        here = (self.stack.name, self.stack.env)
        existing = self.provider.existing(deadline) if state_id else []
        return Status(
            hosts=tuple(as_made(self.provider.hosts(self.stack.hosts, deadline), self.stack, self.state)),
            expires=expires(records, *here),
            owner=owner(),
            state_id=state_id,
            resources=tuple((one.kind, one.name) for one in held.values() if (one.stack, one.env) == here),
            interrupted=tuple(begun(records)),
            leftovers=tuple(leftovers(existing, state_id, held)),
            undos=tuple(self.journal.open_undos()),
        )

    def hosts(self, names: Sequence[str] | None = None) -> list[Host]:
        """Return the hosts as they are now; takes no lock and writes nothing."""
        return as_made(self.provider.hosts(chosen(self.stack.hosts, names), self.limit(OTHER)), self.stack, self.state)

    @contextmanager
    def changing(self, verb: str) -> Iterator[Deadline]:
        """Hold the lock and renew the lease around another verb that changes hosts, as `provision`."""
        with self.operation(verb, UP) as (_, deadline):
            yield deadline

    @property
    def title(self) -> str:
        return f"{self.stack.name}/{self.stack.env}" if self.stack.env else self.stack.name

    # What an operation is

    @contextmanager
    def operation(self, verb: str, seconds: float, renew: bool = True) -> Iterator[tuple[Operation, Deadline]]:
        """Hold the lock and a begun operation, with its deadline; the end is journalled whichever way it comes.

        Args:
            seconds: that it has, where the caller of the verb said nothing. renew: the lease, for 24 h from now.
        """
        where = (self.stack.name, self.stack.env)
        with self.state.lock(purpose=f"{verb} of {self.title}"):
            operation = self.journal.begin(verb, *where)
            if renew:
                self.journal.lease(*where, self._lease().expires)
            try:
                yield operation, self.limit(seconds)
            except InfratestError as problem:
                error = self._told(problem)
                # What went wrong is worth more to the user than that the journal could not take its end: an
                # operation without one counts as interrupted, which is no less true.
                with suppress(InfratestError):
                    operation.end(INTERRUPTED if isinstance(error, Stopped) else FAILED)
                    self._tidy(operation)
                if error is problem:
                    raise
                raise error from problem
            operation.end(DONE)
            with suppress(StateError):  # what was asked for is done; a damaged journal is told by what reads it next
                self._tidy(operation)

    def _tidy(self, operation: Operation) -> None:
        """Forget what is gone, by the provider's word; keep it all while anything is left to reap.

        A run that was killed while a provider removed something may have left the provider's own notes of it, as a
        line in known_hosts: removing it once more is fine by contract, and takes these away.
        """
        deadline = self._last()
        if deadline.passed:
            return  # the next verb tidies: what is gone is forgotten a little later
        existing = self.provider.existing(deadline)
        there = {one.id for one in existing}
        for resource in not_removed(self.journal.records(), self.stack.name, self.stack.env):
            if resource.id not in there:
                self.provider.destroy(resource, deadline)
                operation.removed(resource)
        if not leftovers(existing, self.state_id(), self.journal.live()):
            self.journal.tidy(self.stack.name, self.stack.env)

    def _lease(self) -> Lease:
        return begun_now(self.stack, self.state)

    def limit(self, seconds: float) -> Deadline:
        """Return the deadline the caller gave, else one of so many seconds; it has passed too when we are to stop."""
        given = self._deadline
        work = given.sooner(min(self._undo_seconds, given.seconds / 5)) if given else Deadline(seconds)
        return StoppableDeadline(work, self.stop)

    def _last(self) -> Deadline:
        """Return the deadline of what comes at the end however a verb went: its undo, and tidying up."""
        return (self._deadline or Deadline(self._undo_seconds)).at_most(self._undo_seconds)

    def state_id(self) -> str:
        """The id of the state directory, empty where there is none: looking must not make one."""
        return self.state.id if (self.state.path / "id").exists() else ""

    def made(self, deadline: Deadline) -> list[Resource]:
        """Return the hosts of this stack and environment that exist and were made from here, declared or not."""
        mine = of_stack(self.provider.existing(deadline), self.state_id(), self.stack.name, self.stack.env)
        return [one for one in mine if one.kind == HOST]

    # Up

    def _clear(self, operation: Operation) -> None:
        """Remove what an operation that was killed left behind: it would stand in the way under the same names."""
        deadline = self.limit(OTHER)
        found = leftovers(self.provider.existing(deadline), self.state.id, self.journal.live())
        done = self.remove(found, operation, deadline, self.stop)
        self.all_well(done)

    def _raise(self, specs: Sequence[HostSpec], operation: Operation, deadline: Deadline) -> None:
        """Bring up hosts that may come up together."""
        now = {host.name: host for host in self.provider.hosts(specs, deadline)}
        self._make([spec for spec in specs if now[spec.name].state == GONE], operation, deadline)
        self._start([host for host in now.values() if host.state in (STOPPED, PAUSED)], deadline)
        failed = Stop(self.stop)
        limits = {
            spec.name: StoppableDeadline(
                deadline.at_most(SETTLED) if now[spec.name].state == RUNNING else deadline, failed
            )
            for spec in specs
        }

        def one(spec: HostSpec) -> None:
            def look() -> Host:
                return self.provider.hosts([spec], deadline)[0]

            def say(words: str) -> None:
                self.progress(spec.name, "waiting", words)

            await_ready(look, spec.ready, self._ready, limits[spec.name], say)
            self.progress(spec.name, "ready", "ran already" if now[spec.name].state == RUNNING else "")

        self.all_well(each(specs, failing(one, failed), jobs=self.jobs, stop=failed), failed.reason)

    def _make(self, specs: Sequence[HostSpec], operation: Operation, deadline: Deadline) -> None:
        if not specs:
            return
        for together in self.provider.requests(specs, self._lease()):
            mine = of_stack(self.provider.existing(deadline), self.state.id, self.stack.name, self.stack.env)
            there = {(one.kind, one.name) for one in mine}
            failed = Stop(self.stop)

            def one(request: Request) -> None:
                self.progress(request.name, "making", request.kind)
                operation.asked(request.kind, request.name)
                operation.made(self.provider.create(request, StoppableDeadline(deadline, failed)), request.spec)  # noqa: B023
                self.progress(request.name, "made", request.kind)

            wanted = [request for request in together if (request.kind, request.name) not in there]
            self.all_well(each(wanted, failing(one, failed), jobs=self.jobs, stop=failed), failed.reason)

    def _start(self, down: Sequence[Host], deadline: Deadline) -> None:
        halting, states = self.provider, {host.name: host.state for host in down}
        if not states:
            return
        if not isinstance(halting, Halts):
            raise ProviderError(f"{', '.join(states)}: stopped, and provider {self.stack.provider} cannot start hosts")

        def one(resource: Resource) -> None:
            self.progress(resource.name, "starting", f"was {states[resource.name]}")
            halting.start(resource, deadline)

        halted = [resource for resource in self.made(deadline) if resource.name in states]
        self.all_well(each(halted, one, jobs=self.jobs, stop=self.stop))

    def _undone(self, operation: Operation, error: InfratestError) -> InfratestError:
        """Remove what this operation made, and return the error that says so."""
        stopped = isinstance(error, Stopped)
        words = f"up of {self.title}: {error}\n{self._undo(operation, LATE if stopped else 0.0)}"
        if isinstance(error, Stopped):
            return Stopped(words, error.status)
        return UserError(words) if isinstance(error, UserError) else ProviderError(words)

    def _undo(self, operation: Operation, late: float) -> str:
        """Remove all that is not live, whatever the journal can still take, and return what to say of it.

        Args:
            late: seconds to wait for what was asked for and cut off: it may come to exist after we had stopped asking.
        """
        records = self.journal.records()
        if not asked(records, operation.id):
            return "nothing had been made"
        limit, end = self._last(), time.monotonic() + late
        later = "run `infratest reap` to remove what is left"
        gone: list[Resource] = []
        try:
            missing = pending(records, operation.id)
            while True:
                found = leftovers(self.provider.existing(limit), self.state.id, self.journal.live())
                left = failures(self.remove(found, operation, limit, Stop(), insist=False))
                gone += found
                missing -= {(one.kind, one.name) for one in found}
                if left or not missing or time.monotonic() > end or limit.passed:
                    break
                time.sleep(LOOK_AGAIN)
        except InfratestError as problem:
            return f"not undone: {problem}\n{later}"
        if left:
            return f"not undone: {'; '.join(left)}\n{later}"
        return (
            f"undone: {', '.join(f'{one.kind} {one.name}' for one in gone)} removed"
            if gone
            else "nothing had been made"
        )

    # Threads

    def remove(
        self, resources: Sequence[Resource], operation: Operation, deadline: Deadline, stop: Stop, insist: bool = True
    ) -> list[Done[Resource, None]]:
        """Remove resources, hosts first, journalled; see `removal.remove`."""
        return remove(
            self.provider, resources, operation,
            jobs=self.jobs, deadline=deadline, stop=stop, say=self.progress, insist=insist,
        )  # fmt: skip

    def all_well(self, done: Sequence[Done[Any, Any]], first: str = "") -> None:
        """Raise what came of the work: that it was told to stop, else what failed (the first failure, where known)."""
        hung = [str(one.error) for one in done if one.error is not None and not one.ended]
        if self.stop.is_set:
            raise self._stopped(hung)
        errors = list(dict.fromkeys(str(one.error) for one in done if one.error is not None))
        if errors:
            users = all(isinstance(one.error, UserError) for one in done if one.error is not None)
            raise (UserError if users else ProviderError)(first or "; ".join(errors))

    def _told(self, error: InfratestError) -> InfratestError:
        """Return the error, or that we were told to stop: a call that is cut off for that fails in its own words."""
        return self._stopped([]) if self.stop.is_set and not isinstance(error, Stopped) else error

    def _stopped(self, hung: Sequence[str]) -> Stopped:
        words = "; ".join([f"stopped by {self.stop.reason}", *hung])
        return Stopped(words, 128 + self.stop.signal if self.stop.signal else 130)
