"""Up: hosts made or started, and ready; or nothing of it.

What `up` made is undone when it fails or is told to stop, by the same rule as the reaper's: all that the provider says
exists under this state id and that the journal does not hold as live. An `up` killed in the middle has no end in the
journal, so that everything it made is what `reap`, or the next `up`, removes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.hosts import ABSENT, FAILED, GONE, PAUSED, RUNNING, STOPPED, Host
from infratest.lifecycle import aside, budget, components, names
from infratest.lifecycle.listing import Unsettled
from infratest.lifecycle.operation import OTHER, UP, Lifecycle
from infratest.lifecycle.ready import Awaited
from infratest.lifecycle.removal import HOST, failures, leftovers
from infratest.lifecycle.stopping import Stop, StoppableDeadline, Stopped, failing
from infratest.lifecycle.waiting import await_ready
from infratest.providers._choices import Choice, Chooses
from infratest.providers.base import Foresees, Halts, HostSpec, Request, Resource
from infratest.stack import graph, ownership
from infratest.stack.selection import with_needed
from infratest.store.journal import Operation
from infratest.store.records import asked, made_by, pending, standing
from infratest.units import counted

LATE = 2.0  # seconds that a call which was cut off may still bring something about
SETTLED = 60.0  # seconds in which a host that ran before this `up` must answer
SHOWN = 5  # names of hosts that have one problem
NOTHING = "nothing had been made"
LEFT = 10.0  # seconds for the names on a host that ran before and was not asked for

#: Told what exists, whoever's it is.
Seen = Callable[[Sequence[Resource]], None]


def up(life: Lifecycle, only: Sequence[str] | None = None, seen: Seen | None = None) -> list[Host]:
    """Make what is not there, start what is halted, leave alone what runs; return the hosts, all ready.

    Args:
        only: names of hosts; what they come `after` is brought up with them. None for all. seen: told what exists,
        whoever's it is, before anything is made.
    Raises:
        ProviderError: it failed; the message says what was undone. Stopped: it was told to stop, likewise.
    """
    life.refuse_another()
    specs = foresee_hosts(life, only)
    with making(life, "up", UP) as (operation, deadline):
        return bring_up(life, specs, operation, deadline, seen)


@contextmanager
def making(life: Lifecycle, verb: str, seconds: float) -> Iterator[tuple[Operation, Deadline]]:
    """Hold the operation of a verb that makes things; where it fails it is undone, and the error says what came of it.

    Args:
        seconds: as `Lifecycle.operation` has them.
    """
    with life.operation(verb, seconds, nothing=NOTHING) as (operation, deadline):
        try:
            yield operation, deadline
        except InfratestError as error:
            raise undone(life, operation, life.as_stop(error), verb) from error


def bring_up(
    life: Lifecycle, specs: Sequence[HostSpec], operation: Operation, deadline: Deadline, seen: Seen | None = None
) -> list[Host]:
    """Do what `up` does, within an operation that is begun; where it fails, its caller undoes it."""
    budget.begin(life, specs, deadline)
    # Who is there by the journal is made of nothing now. The listing comes after: what follows takes it as just had.
    place = (life.stack.name, life.stack.env)
    held = {one.name for one in life.journal.live().values() if (one.stack, one.env, one.kind) == (*place, HOST)}
    choose(life, [spec for spec in specs if spec.name not in held], deadline)
    mine = _clear(life, operation, seen)
    beside = components.requests(life, specs)
    below = components.carriers(life, beside)
    ask(life, below, operation, deadline, mine)
    ask(life, beside, operation, deadline, None if below else mine)
    earlier: list[HostSpec] = []
    for together in graph.rounds(specs):
        _raise(life, together, earlier, operation, deadline, None if beside or earlier else mine)
        earlier += together
    if not life.provider.resolves_names:
        introduce(life, specs, deadline)
    components.place(life, specs, deadline)
    return life.now(specs, deadline)  # a signal that cuts this off undoes it, as any other


def foresee_hosts(life: Lifecycle, only: Sequence[str] | None = None) -> list[HostSpec]:
    """Return the hosts that `up` brings up. Raises UserError: one that its provider could never make, and why."""
    specs = with_needed(life.stack.hosts, only)
    if isinstance(life.provider, Foresees):
        life.provider.foresee(specs)
    if not life.provider.declared:  # whoever named those that are there already has them find each other
        _refuse_alike(life.stack.hosts)
    components.foresee(life)
    return specs


def choose(life: Lifecycle, specs: Sequence[HostSpec], deadline: Deadline) -> None:
    """Have the provider choose what all these hosts are made of, before it makes or removes anything.

    Raises:
        UserError: what a host asks for is not there; all hosts are looked at, and those of one problem told together.
    """
    if not specs or not isinstance(life.provider, Chooses):
        return
    alike: dict[str, list[Choice]] = {}
    for one in life.provider.choose(specs, deadline):
        if one.problem:  # which differs for the hosts of a `count:` in the host's name alone
            alike.setdefault(one.problem.replace(f"hosts.{one.host}", "hosts"), []).append(one)
    if alike:
        raise UserError("; ".join(_problem(hosts) for hosts in alike.values()))


def _problem(hosts: Sequence[Choice]) -> str:
    first, *others = hosts
    if not others:
        return first.problem
    more = f" and {counted(len(others) - SHOWN, 'other')}" if len(others) > SHOWN else ""
    return f"{first.problem} (the same of {', '.join(one.host for one in others[:SHOWN])}{more})"


def _refuse_alike(specs: Iterable[HostSpec]) -> None:
    """Raise UserError where hosts that are made differ in capitals alone: names have none where they are looked up."""
    seen: dict[str, str] = {}
    for spec in specs:
        other = seen.setdefault(spec.name.lower(), spec.name)
        if other != spec.name:
            raise UserError(
                f"{spec.where or spec.name}: hosts {other} and {spec.name} differ in capital letters alone, which "
                "host names do not (RFC 4343), nor files on some systems: one would be found by the name of the other; "
                "rename one"
            )


def _clear(life: Lifecycle, operation: Operation, seen: Seen | None) -> list[Resource] | None:
    """Remove what an operation that was killed left behind: it would stand in the way under the same names.

    Returns:
        What there is of this stack, as the first `ask` needs it; None where something was removed since it was listed.
    """
    deadline = life.limit(OTHER)
    existing = life.listing.settled(deadline)
    if seen is not None:
        seen(existing)
    found = leftovers(existing, life.state.id, life.journal.live())
    life.all_well(life.remove(found, operation, deadline, life.stop))
    changed = aside.finish(life, [one for one in existing if one not in found], operation, deadline)
    return None if found or changed else life.mine_of(existing)


def _raise(
    life: Lifecycle,
    specs: Sequence[HostSpec],
    earlier: Sequence[HostSpec],
    operation: Operation,
    deadline: Deadline,
    mine: Sequence[Resource] | None,
) -> None:
    """Bring up hosts that may come up together, after those of earlier rounds."""
    now = {host.name: host for host in life.now(specs, deadline)}
    _refuse_failed(life, now.values())
    _make(life, [spec for spec in specs if now[spec.name].state == GONE], operation, deadline, mine)
    _start(life, [host for host in now.values() if host.state in (STOPPED, PAUSED)], deadline)
    components.fit(life, deadline)

    def ran(spec: HostSpec) -> str:
        return "ran already" if now[spec.name].state == RUNNING else ""

    def answered(one: Awaited, host: Host) -> None:
        """What it comes after has a name by now, which its `ready:` sentences may use."""
        if one.spec.ready and earlier and not life.provider.resolves_names:
            names.write(host, names.block([*life.provider.hosts(earlier, deadline), host]), one.limit)

    await_ready(life, specs, deadline, ran=ran, settled=SETTLED, answered=answered)


def _refuse_failed(life: Lifecycle, hosts: Iterable[Host]) -> None:
    """Raise where a host was given up by its provider: it may hold data, so that only its user has it made anew."""
    failed = [f"{host.name} ({host.reason or 'no reason given'})" for host in hosts if host.state == FAILED]
    if failed:
        again = f"`{life.command('destroy')}` with --host and its name, then `{life.command('up')}`, make it anew"
        raise ProviderError(f"given up by its provider: {', '.join(failed)}; {again}")


def _make(
    life: Lifecycle,
    specs: Sequence[HostSpec],
    operation: Operation,
    deadline: Deadline,
    mine: Sequence[Resource] | None,
) -> None:
    for together in life.provider.requests(specs, life.lease()) if specs else ():
        ask(life, together, operation, deadline, mine)
        mine = None


def ask(
    life: Lifecycle,
    together: Sequence[Request],
    operation: Operation,
    deadline: Deadline,
    mine: Sequence[Resource] | None = None,
) -> None:
    """Have all of these made that are not there, at once.

    Args:
        mine: what there is of this stack, where that was seen just now; else it is looked at.
    """
    if not together:
        return
    there = {(one.kind, one.name) for one in (life.mine(deadline) if mine is None else mine)}
    wanted = [request for request in together if (request.kind, request.name) not in there]
    if wanted:
        ownership.keep(life.stack, life.provider, life.journal, deadline)
    _forget(life, wanted, operation, deadline)
    failed = Stop(life.stop)

    def one(request: Request) -> None:
        life.progress(request.name, "making", request.kind)
        operation.asked(request.kind, request.name)
        operation.made(life.provider.create(request, StoppableDeadline(deadline, failed)), request.spec)
        life.progress(request.name, "made", request.kind)

    life.all_well(life.each(wanted, failing(one, failed), failed), failed.reason)


def _forget(life: Lifecycle, wanted: Sequence[Request], operation: Operation, deadline: Deadline) -> None:
    """Remove for good what the journal holds of these and the provider has no more: of a name there is one alone."""
    names = {(request.kind, request.name) for request in wanted}
    records = life.journal.records()
    held = standing(records, life.stack.name, life.stack.env).values()
    life.all_well(life.remove([one for one in held if (one.kind, one.name) in names], operation, deadline, life.stop))


def introduce(life: Lifecycle, specs: Sequence[HostSpec], deadline: Deadline) -> None:
    """Have the hosts of the stack know each other by name; one that was not asked for, and does not answer, is left."""
    everyone = life.now(life.stack.hosts, deadline)
    lines = names.block([host for host in everyone if host.state not in ABSENT])
    asked = {spec.name for spec in specs}

    def one(host: Host) -> None:
        try:
            names.write(host, lines, deadline if host.name in asked else deadline.at_most(LEFT))
        except InfratestError:
            if host.name in asked:
                raise

    running = [host for host in everyone if host.state == RUNNING]
    life.all_well(life.each(running, one, life.stop))


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
    life.all_well(life.each(halted, one, life.stop))


def undone(life: Lifecycle, operation: Operation, error: InfratestError, verb: str) -> InfratestError:
    """Remove what this operation of a verb made, and return the error that says so."""
    return life.ended(verb, error, _undo(life, operation, LATE if isinstance(error, Stopped) else 0.0))


def _undo(life: Lifecycle, operation: Operation, late: float) -> str:
    """Remove all that is not live, whatever the journal can still take, and return what to say of it.

    Args:
        late: seconds to wait for what was asked for and cut off: it may come to exist after we had stopped asking.
    """
    records = life.journal.records()
    if not asked(records, operation.id):
        return NOTHING
    limit = life.last()
    later = f"run `{life.command('reap')}` to remove what is left"
    try:
        existing, unsure = _coming(life, operation, limit, late)
        gone = leftovers(existing, life.state.id, life.journal.live())
        # What a listing does not show yet is removed by what the journal knows of it.
        gone += [one for one in made_by(records, operation.id) if one.id not in {other.id for other in gone}]
        left = failures(life.remove(gone, operation, limit, Stop(), insist=False))
    except InfratestError as problem:
        return f"not undone: {problem}\n{later}"
    if left or unsure:
        return f"not undone: {'; '.join([*left, *unsure])}\n{later}"
    return f"undone: {', '.join(f'{one.kind} {one.name}' for one in gone)} removed" if gone else NOTHING


def _coming(life: Lifecycle, operation: Operation, limit: Deadline, late: float) -> tuple[list[Resource], list[str]]:
    """Return what exists once what was asked for has come or will not come, and what of that is not known for sure."""
    coming = pending(life.journal.records(), operation.id)
    if not coming:
        return life.provider.existing(limit), []
    try:
        return life.listing.settled(limit.at_most(limit.left / 2), late), []  # the rest is for the removal
    except Unsettled as error:
        words = ", ".join(f"{kind} {name}" for kind, name in sorted(coming))
        return error.listing, [f"whether {words} comes to exist is not known yet"]
