"""Removing what a provider made, in an order that works, journalled; and telling what may be removed at all.

Called by the lifecycle (destroy, undo) and by the reaper: both go by the provider's word of what exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from infratest.deadline import Deadline
from infratest.errors import InfratestError, StateError
from infratest.lifecycle.stopping import Done, Progress, Stop, each
from infratest.providers.base import Provider, Resource
from infratest.store.journal import Operation
from infratest.store.records import Held

HOST = "host"

#: Of `Lease.labels`. DIRECTORY lets a reaper on the same machine see whether a lease was renewed since.
STATE, OWNER, STACK = "infratest.state", "infratest.owner", "infratest.stack"
ENV, EXPIRES, DIRECTORY = "infratest.env", "infratest.expires", "infratest.directory"
PRODUCTION = "infratest.production"


def short(resource_id: str) -> str:
    """Return enough of a provider's id to know a resource by: all of one that begins with its region."""
    return resource_id if "/" in resource_id else resource_id[:12]


def leftovers(existing: Iterable[Resource], state_id: str, live: Mapping[str, Held]) -> list[Resource]:
    """Return what carries this state id and what its journal does not hold as live."""
    return [one for one in existing if one.labels.get(STATE) == state_id and one.id not in live]


def of_stack(existing: Iterable[Resource], state_id: str, stack: str, env: str) -> list[Resource]:
    """Return what this state directory made for one environment of a stack."""
    wanted = {STATE: state_id, STACK: stack, ENV: env}
    return [one for one in existing if all(one.labels.get(key, "") == value for key, value in wanted.items())]


def remove(
    provider: Provider,
    resources: Sequence[Resource],
    operation: Operation,
    *,
    jobs: int,
    deadline: Deadline,
    stop: Stop,
    say: Progress,
    insist: bool = True,
) -> list[Done[Resource, None]]:
    """Remove resources, hosts before what they stand in; go on after a failure. Returns what came of each.

    Args:
        insist: nothing is removed that the journal cannot take down (a full disk). Not for what it never held as
        live: there a record adds nothing, and its lack must not keep a machine alive.
    """
    unwritten = () if insist else (StateError,)

    def one(resource: Resource) -> None:
        say(resource.name, "removing", resource.kind)
        with suppress(*unwritten):
            operation.removing(resource)
        try:
            provider.destroy(resource, deadline)
        except InfratestError as error:
            say(resource.name, "failed", str(error))
            raise
        with suppress(*unwritten):
            operation.removed(resource)
        say(resource.name, "removed", resource.kind)

    hosts = [resource for resource in resources if resource.kind == HOST]
    others = [resource for resource in resources if resource.kind != HOST]
    done: list[Done[Resource, None]] = []
    for group in (hosts, others):
        done += each(group, one, jobs=jobs, stop=stop, clock=provider.clock)
    return done


def failures(done: Sequence[Done[Resource, None]]) -> list[str]:
    """Return, one line each, what was not removed and why."""
    lines = []
    for one in done:
        if one.error is not None:
            lines.append(f"{one.item.kind} {one.item.name} ({short(one.item.id)}): {one.error}")
        elif not one.ended:
            lines.append(f"{one.item.kind} {one.item.name} ({short(one.item.id)}): not begun")
    return lines
