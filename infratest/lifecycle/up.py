"""Up: hosts made or started, and ready; or nothing of it.

What `up` made is undone when it fails or is told to stop, by the same rule as the reaper's: all that the provider says
exists under this state id and that the journal does not hold as live. An `up` killed in the middle has no end in the
journal, so that everything it made is what `reap`, or the next `up`, removes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, Unreachable, UserError
from infratest.hosts import ABSENT, GONE, PAUSED, RUNNING, STOPPED, Host
from infratest.lifecycle import names
from infratest.lifecycle.console import last_words
from infratest.lifecycle.operation import OTHER, UP, Lifecycle
from infratest.lifecycle.ready import await_ready
from infratest.lifecycle.removal import failures, leftovers, of_stack
from infratest.lifecycle.stopping import Stop, StoppableDeadline, Stopped, each, failing
from infratest.providers.base import Foresees, Halts, HostSpec, Request, Resource
from infratest.stack import graph
from infratest.stack.selection import with_needed
from infratest.store.journal import Operation, asked, pending

LATE, LOOK_AGAIN = 2.0, 0.25  # seconds that a call which was cut off may still bring something about; between looks
SETTLED = 60.0  # seconds in which a host that ran before this `up` must answer
LEFT = 10.0  # seconds for the names on a host that ran before and was not asked for


def up(life: Lifecycle, only: Sequence[str] | None = None) -> list[Host]:
    """Make what is not there, start what is halted, leave alone what runs; return the hosts, all ready.

    Args:
        only: names of hosts; what they come `after` is brought up with them. None for all.
    Raises:
        ProviderError: it failed; the message says what was undone. Stopped: it was told to stop, likewise.
    """
    specs = foresee_hosts(life, only)
    with life.operation("up", UP) as (operation, deadline):
        try:
            _clear(life, operation)
            earlier: list[HostSpec] = []
            for together in graph.rounds(specs):
                _raise(life, together, earlier, operation, deadline)
                earlier += together
            if not life.provider.resolves_names:
                _introduce(life, specs, deadline)
            return life.provider.hosts(specs, deadline)  # a signal that cuts this off undoes it, as any other
        except InfratestError as error:
            raise _undone(life, operation, life.as_stop(error)) from error


def foresee_hosts(life: Lifecycle, only: Sequence[str] | None = None) -> list[HostSpec]:
    """Return the hosts that `up` brings up. Raises UserError: one that its provider could never make, and why."""
    specs = with_needed(life.stack.hosts, only)
    if isinstance(life.provider, Foresees):
        life.provider.foresee(specs)
    return specs


def _clear(life: Lifecycle, operation: Operation) -> None:
    """Remove what an operation that was killed left behind: it would stand in the way under the same names."""
    deadline = life.limit(OTHER)
    found = leftovers(life.provider.existing(deadline), life.state.id, life.journal.live())
    done = life.remove(found, operation, deadline, life.stop)
    life.all_well(done)


def _raise(
    life: Lifecycle, specs: Sequence[HostSpec], earlier: Sequence[HostSpec], operation: Operation, deadline: Deadline
) -> None:
    """Bring up hosts that may come up together, after those of earlier rounds."""
    now = {host.name: host for host in life.provider.hosts(specs, deadline)}
    _make(life, [spec for spec in specs if now[spec.name].state == GONE], operation, deadline)
    _start(life, [host for host in now.values() if host.state in (STOPPED, PAUSED)], deadline)
    failed = Stop(life.stop)
    limits = {
        spec.name: StoppableDeadline(deadline.at_most(SETTLED) if now[spec.name].state == RUNNING else deadline, failed)
        for spec in specs
    }

    def one(spec: HostSpec) -> None:
        def look() -> Host:
            return life.provider.hosts([spec], deadline)[0]

        def say(words: str) -> None:
            life.progress(spec.name, "waiting", words)

        def answered(host: Host) -> None:
            """What it comes after has a name by now, which its `ready:` sentences may use."""
            if spec.ready and earlier and not life.provider.resolves_names:
                names.write(host, names.block([*life.provider.hosts(earlier, deadline), host]), limits[spec.name])

        try:
            await_ready(look, spec.ready, life.ready, limits[spec.name], say, answered)
        except (ProviderError, Unreachable) as error:
            raise type(error)(f"{error}{last_words(life, spec.name)}") from error
        life.progress(spec.name, "ready", "ran already" if now[spec.name].state == RUNNING else "")

    life.all_well(each(specs, failing(one, failed), jobs=life.jobs, stop=failed), failed.reason)


def _make(life: Lifecycle, specs: Sequence[HostSpec], operation: Operation, deadline: Deadline) -> None:
    if not specs:
        return
    for together in life.provider.requests(specs, life.lease()):
        mine = of_stack(life.provider.existing(deadline), life.state.id, life.stack.name, life.stack.env)
        there = {(one.kind, one.name) for one in mine}
        failed = Stop(life.stop)

        def one(request: Request) -> None:
            life.progress(request.name, "making", request.kind)
            operation.asked(request.kind, request.name)
            operation.made(life.provider.create(request, StoppableDeadline(deadline, failed)), request.spec)  # noqa: B023
            life.progress(request.name, "made", request.kind)

        wanted = [request for request in together if (request.kind, request.name) not in there]
        life.all_well(each(wanted, failing(one, failed), jobs=life.jobs, stop=failed), failed.reason)


def _introduce(life: Lifecycle, specs: Sequence[HostSpec], deadline: Deadline) -> None:
    """Have the hosts of the stack know each other by name; one that was not asked for, and does not answer, is left."""
    everyone = life.provider.hosts(life.stack.hosts, deadline)
    lines = names.block([host for host in everyone if host.state not in ABSENT])
    asked = {spec.name for spec in specs}

    def one(host: Host) -> None:
        try:
            names.write(host, lines, deadline if host.name in asked else deadline.at_most(LEFT))
        except InfratestError:
            if host.name in asked:
                raise

    running = [host for host in everyone if host.state == RUNNING]
    life.all_well(each(running, one, jobs=life.jobs, stop=life.stop))


def _start(life: Lifecycle, down: Sequence[Host], deadline: Deadline) -> None:
    halting, states = life.provider, {host.name: host.state for host in down}
    if not states:
        return
    if not isinstance(halting, Halts):
        raise ProviderError(f"{', '.join(states)}: stopped, and provider {life.stack.provider} cannot start hosts")

    def one(resource: Resource) -> None:
        life.progress(resource.name, "starting", f"was {states[resource.name]}")
        halting.start(resource, deadline)

    halted = [resource for resource in life.made(deadline) if resource.name in states]
    life.all_well(each(halted, one, jobs=life.jobs, stop=life.stop))


def _undone(life: Lifecycle, operation: Operation, error: InfratestError) -> InfratestError:
    """Remove what this operation made, and return the error that says so."""
    stopped = isinstance(error, Stopped)
    words = f"up of {life.title}: {error}\n{_undo(life, operation, LATE if stopped else 0.0)}"
    if isinstance(error, Stopped):
        return Stopped(words, error.status)
    return UserError(words) if isinstance(error, UserError) else ProviderError(words)


def _undo(life: Lifecycle, operation: Operation, late: float) -> str:
    """Remove all that is not live, whatever the journal can still take, and return what to say of it.

    Args:
        late: seconds to wait for what was asked for and cut off: it may come to exist after we had stopped asking.
    """
    records = life.journal.records()
    if not asked(records, operation.id):
        return "nothing had been made"
    limit, end = life.last(), time.monotonic() + late
    later = "run `infratest reap` to remove what is left"
    gone: list[Resource] = []
    try:
        missing = pending(records, operation.id)
        while True:
            found = leftovers(life.provider.existing(limit), life.state.id, life.journal.live())
            left = failures(life.remove(found, operation, limit, Stop(), insist=False))
            gone += found
            missing -= {(one.kind, one.name) for one in found}
            if left or not missing or time.monotonic() > end or limit.passed:
                break
            time.sleep(LOOK_AGAIN)
    except InfratestError as problem:
        return f"not undone: {problem}\n{later}"
    if left:
        return f"not undone: {'; '.join(left)}\n{later}"
    return f"undone: {', '.join(f'{one.kind} {one.name}' for one in gone)} removed" if gone else "nothing had been made"
