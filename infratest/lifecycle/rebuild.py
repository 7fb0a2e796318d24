"""Rebuild: hosts made anew from their image under the same name, and ready again; what their disks held is lost.

In place where the provider can, so that a host keeps its id and its address; elsewhere it is removed and made.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.lifecycle import budget, made_from
from infratest.lifecycle.operation import UP, Lifecycle
from infratest.lifecycle.up import bring_up, choose, foresee_hosts, making
from infratest.providers.base import HostSpec, Rebuilds, Resource
from infratest.stack.selection import chosen
from infratest.store.journal import Operation


def rebuild(life: Lifecycle, names: Sequence[str] | None = None, *, yes_production: bool = False) -> list[str]:
    """Make hosts anew that are there, and wait until they are ready; return their names.

    What they come `after` is brought up with them.

    Raises:
        UserError: the stack is production and `yes_production` is false, or its provider makes no hosts.
        ProviderError: a host is not there (nothing was done then), or could not be made anew; the message says what was
        undone.
    """
    if life.stack.production and not yes_production:
        words = "what its hosts hold is lost; say so with --yes-production"
        raise UserError(f"stack {life.title} is `production: true`: {words}")
    life.refuse_another()
    specs = foresee_hosts(life, names)
    with making(life, "rebuild", UP) as (operation, deadline):
        if not life.provider.requests(specs, life.lease()):
            raise UserError(f"provider {life.stack.provider} makes no hosts, so that none can be made anew")
        there = present(life, names, deadline)
        budget.begin(life, specs, deadline)  # before anything is lost
        again = {one.name for one in there}
        choose(life, [spec for spec in specs if spec.name in again], deadline)
        _empty(life, there, operation, deadline)
        bring_up(life, specs, operation, deadline)
    return [one.name for one in there]


def present(life: Lifecycle, names: Sequence[str] | None, deadline: Deadline) -> list[Resource]:
    """Return the hosts that would be rebuilt. Raises ProviderError: one of those named is not there, or none is."""
    selected = [spec.name for spec in chosen(life.stack.hosts, names)]
    mine = {one.name: one for one in life.made(deadline)}
    absent = [name for name in selected if name not in mine]
    if absent and (names is not None or len(absent) == len(selected)):
        raise ProviderError(f"{', '.join(absent)}: not there; `infratest up` makes it")
    return [mine[name] for name in selected if name in mine]


def _empty(life: Lifecycle, there: Sequence[Resource], operation: Operation, deadline: Deadline) -> None:
    """Have the hosts begin anew in place, or remove them where that cannot be."""
    specs = {spec.name: spec for spec in life.stack.hosts}
    records = life.journal.records()
    # In place a host stays what it is but for its disk: with another size it is another machine.
    found = made_from.changes(records, life.stack.name, life.stack.env, life.stack.hosts)
    changed = {one.host for one in found}

    def one(resource: Resource) -> bool:
        if resource.name in changed:
            return False
        life.progress(resource.name, "rebuilding", "")
        return _in_place(life, resource, specs[resource.name], deadline)

    done = life.each(there, one, life.stop)
    life.all_well(done)
    gone = [each.item for each in done if not each.value]
    life.all_well(life.remove(gone, operation, deadline, life.stop))


def _in_place(life: Lifecycle, resource: Resource, spec: HostSpec, deadline: Deadline) -> bool:
    """Return whether a host began anew in place; it is then provisioned with nothing, from the first moment on."""
    if not isinstance(life.provider, Rebuilds):
        return False
    life.journal.provisioned(resource.id, resource.name, "")
    return life.provider.rebuild(resource, spec, deadline)
