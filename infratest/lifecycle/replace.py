"""Replace: another host made in the place of one that is out of service, which is kept beside it, stopped.

Called by the heal engine. The old host is stopped and set aside before its successor is asked for. The successor is
made as `up` makes it, provisioned, and has to prove itself; where it does not, or anything fails, it is removed and the
old one stands in its place again. Killed at any point, the old one is there, and `up` finishes what was begun.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from infratest.errors import InfratestError, ProviderError, UserError
from infratest.hosts import GONE, STOPPED
from infratest.lifecycle import aside, budget, components
from infratest.lifecycle.operation import OTHER, UP, Lifecycle
from infratest.lifecycle.provision import provision
from infratest.lifecycle.stopping import Stop
from infratest.lifecycle.up import bring_up, choose, foresee_hosts, introduce, making
from infratest.lifecycle.waiting import await_ready
from infratest.providers._aside import aside_name
from infratest.providers.base import Halts, HostSpec
from infratest.store.records import Aside

#: Seconds for which a host that was put back is given time to boot.
BOOT = 60.0


@dataclass(frozen=True, kw_only=True)
class Before:
    """How the old host was: there at all, and not stopped."""

    there: bool
    ran: bool


def replace(
    life: Lifecycle,
    name: str,
    keep: float,
    arrived: Callable[[], None],
    proven: Callable[[float], str],
    command: Callable[..., str] = aside.here,
) -> str:
    """Make another host in the place of one, and return what was done, in words.

    Args:
        keep: seconds for which the old one is kept. arrived: called when the successor answers, before it is
        provisioned. proven: looks at what the successor is made for, for so many seconds at most, so that time is left
        for putting the old one back; returns why it does not hold, or nothing. command: as for `aside.fenced`.
    Raises:
        UserError: it cannot be; nothing was done. ProviderError: it was not; the message says what came of both.
    """
    specs = foresee_hosts(life, [name])
    spec = next(one for one in specs if one.name == name)
    passed, why = aside.fenced(life, spec, life.limit(OTHER), command)
    if not passed:
        raise UserError(why)
    state = life.now([spec], life.limit(OTHER))[0].state
    before = Before(there=state != GONE, ran=state not in (GONE, STOPPED) or name in aside.kept(life))
    try:
        _make(life, specs, spec)
        arrived()
        provision(life, [name])
        problem = proven(life.limit(UP).left)
        if problem:
            raise ProviderError(f"its successor is no better: {problem}")
    except InfratestError as error:
        raise ProviderError(f"{error}; {_taken_back(life, name, before, command)}") from error
    old = aside.kept(life).get(name)
    if old is None:
        return "another host was made in its place; there was none to keep"
    life.journal.aside(old.id, name, life.clock.time() + keep)
    return f"another host was made in its place; the old one is kept as {aside_name(name)}, stopped"


def put_back(life: Lifecycle, name: str) -> str:
    """Remove a host's successor, and start the host itself in its place; return what was done, in words.

    Raises:
        ProviderError: nothing is kept of it, or it could not be done; `up` finishes what was begun.
    """
    old = aside.kept(life).get(name)
    if old is None:
        raise ProviderError(f"nothing is kept of a host that was {name} before")
    _back(life, name, old, start=True, last=False)
    return f"its successor was removed, and what was kept as {aside_name(name)} is {name} again, started"


def _make(life: Lifecycle, specs: list[HostSpec], spec: HostSpec) -> None:
    """Set the old host aside and bring up another one under its name, with what it comes after."""
    with making(life, "replace", UP) as (operation, deadline):
        budget.begin(life, specs, deadline)  # before anything is stopped
        choose(life, [spec], deadline)
        before = aside.kept(life).get(spec.name)
        old = next((one for one in life.made(deadline) if one.name == spec.name), None)
        if before is not None and old is not None:  # `fenced` has seen that its time is over
            ended = [one for one in life.made(deadline) if one.id == before.id]
            life.all_well(life.remove(ended, operation, deadline, life.stop))
        if old is not None:
            aside.set_aside(life, old, spec, deadline)
        bring_up(life, specs, operation, deadline)
        if old is not None and any(one.id == old.id and one.name == spec.name for one in life.made(deadline)):
            raise ProviderError(f"{spec.name} was set aside, and is in its place still by its provider's word")


def _taken_back(life: Lifecycle, name: str, before: Before, command: Callable[..., str]) -> str:
    """Put the old host back after a failure, and return what came of it, in words."""
    try:
        old = aside.kept(life).get(name)
        if old is None and not before.there:
            return "there was none before it"
        _back(life, name, old, start=before.ran, last=True)
    except InfratestError as problem:
        return f"the old one is not in its place again: {problem}; `{command('up')}` finishes it"
    return f"the old one is in its place again, {'started' if before.ran else 'stopped as it was'}"


def _back(life: Lifecycle, name: str, old: Aside | None, *, start: bool, last: bool) -> None:
    """Put a host back, as an operation.

    Args:
        old: what stands aside; None where that was not come to. last: this is the undo of what failed, or was told to
        stop.
    """
    halting, stop = life.provider, Stop() if last else life.stop
    with life.operation("put back", OTHER) as (operation, limit):
        deadline = life.last() if last else limit
        if old is not None:
            resource = aside.put_back(life, old, operation, deadline, stop)
        else:
            resource = next((one for one in life.made(deadline) if one.name == name), None)
        if resource is None:
            raise ProviderError("it is not there any more, by its provider's word")
        if start and isinstance(halting, Halts):
            halting.start(resource, deadline)
            if old is not None:
                components.fit(life, deadline)
                if not life.provider.resolves_names:
                    introduce(life, (), deadline)
            # Whoever looks at it next is to see what it is, not that it boots; it may never answer, and was so before.
            with suppress(InfratestError):
                specs = [spec for spec in life.stack.hosts if spec.name == name]
                await_ready(life, specs, deadline.at_most(BOOT))
