"""Snapshots: hosts kept as they are under a name, brought back, listed and forgotten.

What a host was provisioned with is part of what is brought back: the journal notes it with the snapshot, so that after
a restore to the time before a provisioning `status` and `up` say again that the host is not provisioned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.hosts import RUNNING
from infratest.lifecycle import provisioned
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.waiting import await_ready
from infratest.providers.base import Resource, Snapshot, Snapshots
from infratest.stack.selection import chosen

#: A name that every provider takes as it is.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def save(life: Lifecycle, name: str, names: Sequence[str] | None = None) -> list[str]:
    """Keep hosts under a name; return which. What was kept is forgotten again where one of them fails.

    Raises:
        UserError: no name, or the provider keeps no snapshots. ProviderError: one could not be kept.
    """
    provider = _able(life)
    _checked(name)
    with life.operation("snapshot save", OTHER) as (_, deadline):
        digests = provisioned.digests(life.journal.records())
        mine = _there(life, names, deadline)
        there = [one.name for one in mine if name in _names(provider, one, deadline)]
        if there:
            words = f"`infratest snapshot delete {name}` removes it"
            raise ProviderError(f"{', '.join(there)}: there is a snapshot {name!r} already; {words}")

        def one(resource: Resource) -> None:
            provider.take_snapshot(resource, name, deadline)
            life.journal.snapshot(resource.id, resource.name, name, digests.get(resource.id, ""))
            life.progress(resource.name, "kept", name)

        done = life.each(mine, one, life.stop)
        if any(one.error is not None or not one.ended for one in done):
            _forget(life, provider, name, [one.item for one in done])
        life.all_well(done)
    return [one.name for one in mine]


def restore(
    life: Lifecycle, name: str, names: Sequence[str] | None = None, *, yes_production: bool = False
) -> list[str]:
    """Bring hosts back as they were kept; those that run then are ready again. Returns which.

    Raises:
        UserError: the stack is production and `yes_production` is false, or the provider keeps no snapshots.
        ProviderError: a host has none of that name (nothing was done then), or could not be brought back.
    """
    provider = _able(life)
    _checked(name)
    if life.stack.production and not yes_production:
        words = "what its hosts hold since then is lost; say so with --yes-production"
        raise UserError(f"stack {life.title} is `production: true`: {words}")
    with life.operation("snapshot restore", OTHER) as (_, deadline):
        mine = _there(life, names, deadline)
        known = {one.name: _names(provider, one, deadline) for one in mine}
        missing = [one.name for one in mine if name not in known[one.name]]
        if missing:
            others = sorted({each for host in missing for each in known[host]})
            words = f"there are {', '.join(others)}" if others else "there is none"
            raise ProviderError(f"{', '.join(missing)}: no snapshot {name!r}; {words}")
        kept = {one["id"]: one["digest"] for one in life.journal.records() if _is(one, name)}

        def one(resource: Resource) -> None:
            life.progress(resource.name, "restoring", name)
            provider.restore_snapshot(resource, name, deadline)
            life.journal.provisioned(resource.id, resource.name, kept.get(resource.id, ""))
            life.progress(resource.name, "restored", name)

        life.all_well(life.each(mine, one, life.stop))
        _await(life, [one.name for one in mine], deadline)
    return [one.name for one in mine]


def delete(life: Lifecycle, name: str, names: Sequence[str] | None = None) -> list[str]:
    """Forget what is kept under a name, of the hosts that have it; return which.

    Raises:
        UserError: the provider keeps no snapshots. ProviderError: no host has one of that name.
    """
    provider = _able(life)
    _checked(name)
    with life.operation("snapshot delete", OTHER) as (_, deadline):
        mine = [one for one in _there(life, names, deadline) if name in _names(provider, one, deadline)]
        if not mine:
            raise ProviderError(f"no host has a snapshot {name!r}; `infratest snapshot list` shows what there is")

        def one(resource: Resource) -> None:
            provider.delete_snapshot(resource, name, deadline)
            life.progress(resource.name, "forgotten", name)

        life.all_well(life.each(mine, one, life.stop))
    return [one.name for one in mine]


def listed(life: Lifecycle, names: Sequence[str] | None = None) -> Mapping[str, Sequence[Snapshot]]:
    """Return what is kept of each host that is there, the oldest first; takes no lock and writes nothing."""
    provider = _able(life)
    deadline = life.limit(OTHER)
    return {one.name: provider.snapshots(one, deadline) for one in _there(life, names, deadline)}


def _able(life: Lifecycle) -> Snapshots:
    if not isinstance(life.provider, Snapshots):
        raise UserError(f"provider {life.stack.provider} keeps no snapshots of its hosts")
    return life.provider


def _checked(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of a snapshot: write letters, digits, `.`, `_` and `-`, at most 63")


def _is(record: Mapping[str, object], name: str) -> bool:
    return record["what"] == "snapshot" and record["snapshot"] == name


def _there(life: Lifecycle, names: Sequence[str] | None, deadline: Deadline) -> list[Resource]:
    """Return the hosts that exist, of those selected. Raises ProviderError: one of those named does not, or none."""
    selected = [spec.name for spec in chosen(life.stack.hosts, names)]
    mine = {one.name: one for one in life.made(deadline)}
    absent = [name for name in selected if name not in mine]
    if absent and (names is not None or len(absent) == len(selected)):
        raise ProviderError(f"{', '.join(absent)}: not there; `infratest up` makes it")
    return [mine[name] for name in selected if name in mine]


def _names(provider: Snapshots, resource: Resource, deadline: Deadline) -> set[str]:
    return {one.name for one in provider.snapshots(resource, deadline)}


def _forget(life: Lifecycle, provider: Snapshots, name: str, resources: Sequence[Resource]) -> None:
    """Take back what was kept by a call that failed for another host."""
    deadline = life.last()
    for resource in resources:
        with suppress(InfratestError):  # why the call failed is told; what is left is in `snapshot list`
            if name in _names(provider, resource, deadline):
                provider.delete_snapshot(resource, name, deadline)


def _await(life: Lifecycle, names: Sequence[str], deadline: Deadline) -> None:
    """Wait until what runs of these hosts answers."""
    specs = chosen(life.stack.hosts, names)
    states = {host.name: host.state for host in life.now(specs, deadline)}
    running = [replace(spec, ready=()) for spec in specs if states[spec.name] == RUNNING]
    await_ready(life, running, deadline)
