"""Destroy: hosts removed for good, and with the last one all else the stack is made of."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from infratest.deadline import Deadline
from infratest.errors import StateError, UserError
from infratest.lifecycle import components
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.removal import HOST, of_stack
from infratest.providers.base import Resource
from infratest.stack.selection import chosen
from infratest.store.records import not_removed


def destroy(life: Lifecycle, names: Sequence[str] | None = None, *, yes_production: bool = False) -> list[Resource]:
    """Remove hosts, and with the last one all else the stack is made of; fine if nothing is there.

    Raises:
        UserError: the stack is production and `yes_production` is false. ProviderError: what is left, and why.
    """
    if life.stack.production and not yes_production:
        raise UserError(
            f"stack {life.title} is `production: true`: destroy removes its hosts for good; "
            "say so with --yes-production"
        )
    with life.operation("destroy", OTHER, renew=False) as (operation, deadline):
        doomed = doomed_resources(life, names, deadline)
        done = life.remove(doomed, operation, deadline, life.stop)
        life.all_well(done)
        with suppress(StateError):
            for resource in _gone_before(life, names):
                life.forget([resource], operation, deadline)
                life.progress(resource.name, "removed", "was not there any more")
    return doomed


def _gone_before(life: Lifecycle, names: Sequence[str] | None) -> list[Resource]:
    """Return what the journal still holds of these once all that was there is removed."""
    left = not_removed(life.journal.records(), life.stack.name, life.stack.env)
    return [one for one in left if names is None or (one.kind == HOST and one.name in names)]


def doomed_resources(life: Lifecycle, names: Sequence[str] | None, deadline: Deadline) -> list[Resource]:
    """Return what `destroy` removes for these hosts; asks the provider, changes nothing."""
    try:
        mine = life.mine(deadline)
    except StateError:  # a journal that cannot be read keeps nothing alive: what the provider lists is enough
        mine = of_stack(life.provider.existing(deadline), life.state_id(), life.stack.name, life.stack.env)
    made = {one.name for one in mine if one.kind == HOST}
    declared = {spec.name for spec in life.stack.hosts}
    chosen(life.stack.hosts, [name for name in names or () if name not in made])
    wanted = declared if names is None else set(names)
    hosts = [one for one in mine if one.kind == HOST and one.name in wanted]
    everything = wanted >= declared
    rest = [one for one in mine if one not in hosts]
    # What the stack file no longer names goes with the whole stack; a network goes with its last host.
    if everything or not any(one.kind == HOST for one in rest):
        return mine
    return [*hosts, *components.of_hosts(mine, wanted)]
