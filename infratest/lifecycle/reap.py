"""Reap: what an interrupted run left at the provider is removed, and faults it left on hosts are taken back.

Called by `infratest reap`. It goes by what the provider says exists, never by what the journal says was made: of that
it removes what carries this state directory's id and is not held as live; beyond that only expired leases, of this
owner when asked, of another when asked by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import InfratestError, StateError
from infratest.hosts import GONE
from infratest.lifecycle.aside import over
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.removal import DIRECTORY, ENV, EXPIRES, OWNER, PRODUCTION, STACK, STATE, failures, leftovers
from infratest.providers.base import Resource
from infratest.stack.open import open_transport
from infratest.store.directory import StateDir, owner
from infratest.store.journal import Journal
from infratest.store.records import Undo, asides
from infratest.store.terms import expires, term


@dataclass(frozen=True, kw_only=True)
class Doomed:
    """One resource that the reaper removes, and why."""

    resource: Resource
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reaped:
    """What was removed and taken back, and, one line each, what was not."""

    removed: tuple[Doomed, ...] = ()
    undone: tuple[Undo, ...] = ()
    left: tuple[str, ...] = ()


def find(lifecycle: Lifecycle, *, expired: bool = False, of_owner: str | None = None) -> list[Doomed]:
    """Return what `reap` would remove; asks the provider, changes nothing.

    Args:
        expired: also this owner's expired leases. of_owner: also those of this owner.
    """
    existing, now = lifecycle.listing.settled(lifecycle.limit(OTHER)), lifecycle.clock.time()
    held = lifecycle.journal.live()
    found = {one.id: Doomed(resource=one, reason="not live in this state directory's journal")
             for one in leftovers(existing, lifecycle.state_id(), held)}  # fmt: skip
    aside = asides(lifecycle.journal.records())
    for one in existing:
        old = aside.get(one.id)
        if old is not None and one.id in held and one.name != old.name and over(lifecycle, old):
            reason = f"it was {old.name} before that was replaced, and was kept for as long as it had to be"
            found[one.id] = Doomed(resource=one, reason=reason)
    owners = {name for name in (owner() if expired else None, of_owner) if name}
    for one in existing:
        if one.labels.get(OWNER) not in owners or one.id in found:
            continue
        end = _lease_end(lifecycle, one)
        if end is not None and end < now:
            reason = f"lease of {one.labels[OWNER]} expired {_ago(now - end)} ago"
            found[one.id] = Doomed(resource=one, reason=reason)
    return list(found.values())


def reap(lifecycle: Lifecycle, *, expired: bool = False, of_owner: str | None = None) -> Reaped:
    """Take back open faults, then remove what `find` finds, all under the stack's lock.

    Raises:
        StateError: another run is at work in this state directory. Stopped: it was told to stop.
    """
    with lifecycle.operation("reap", OTHER, renew=False) as (operation, deadline):
        undone, left = _take_back(lifecycle, deadline)
        doomed = find(lifecycle, expired=expired, of_owner=of_owner)
        done = lifecycle.remove([one.resource for one in doomed], operation, deadline, lifecycle.stop, insist=False)
        if lifecycle.stop.is_set:
            lifecycle.all_well(done)
        gone = {one.item.id for one in done if one.ended and one.error is None}
        lifecycle.journal.interrupted_are_over(operation)
    return Reaped(
        removed=tuple(one for one in doomed if one.resource.id in gone),
        undone=tuple(undone),
        left=(*left, *failures(done)),
    )


def _lease_end(lifecycle: Lifecycle, resource: Resource) -> float | None:
    """When a lease ends: by its label, unless the journal says another; None where nobody can tell."""
    try:
        end = float(resource.labels[EXPIRES])
    except (KeyError, ValueError):
        return None
    stack, env = resource.labels.get(STACK, ""), resource.labels.get(ENV, "")
    ours = resource.labels.get(STATE) == lifecycle.state_id()
    here = (lifecycle.stack.name, lifecycle.stack.env)
    if resource.labels.get(PRODUCTION) == "true" or (ours and (stack, env) == here and lifecycle.stack.production):
        return None  # a production host goes by `destroy --yes-production` alone
    folder = resource.labels.get(DIRECTORY, "")
    state = lifecycle.state if ours else StateDir(Path(folder)) if folder else None
    if state is None:
        return end
    try:
        if not ours and (state.path / "id").read_text("ascii").strip() != resource.labels.get(STATE):
            return end
        records = Journal(state).records()
        end = max(end, float(expires(records, stack, env) or 0))
        budget = term(records, stack, env)
        return end if budget is None or budget.ends is None else min(end, budget.ends)
    except (OSError, ValueError):
        return end  # on another machine, or gone: the label is all there is
    except StateError:
        return None  # it may have been renewed there


def _take_back(lifecycle: Lifecycle, deadline: Deadline) -> tuple[list[Undo], list[str]]:
    """Run the open undos of this stack, the last fault first; one on a host that is gone went with it."""
    here = (lifecycle.stack.name, lifecycle.stack.env)
    undos = [undo for undo in lifecycle.journal.open_undos() if (undo.stack, undo.env) in (here, ("", ""))]
    known = {spec.name: spec for spec in lifecycle.stack.hosts}
    undone, left = [], []
    for undo in undos:
        spec = known.get(undo.host)
        host = lifecycle.now([spec], deadline)[0] if spec else None
        if host is not None and host.state != GONE:
            lifecycle.progress(undo.host, "taking back", undo.command)
            try:
                transport = open_transport(host)
                try:
                    transport.open(deadline.at_most(30.0))
                    result = transport.run(["sh", "-c", undo.command], deadline, sudo=host.sudo)
                finally:
                    transport.close()
            except InfratestError as error:
                left.append(f"fault on {undo.host} ({undo.command}): {error}")
                continue
            if result.exit != 0:
                words = result.stderr.decode("utf-8", "replace").strip() or f"exit {result.exit}"
                left.append(f"fault on {undo.host} ({undo.command}): {words}")
                continue
        lifecycle.journal.undo_done(undo.id)
        undone.append(undo)
    return undone, left


def by_owner(doomed: Sequence[Doomed], name: str) -> list[Doomed]:
    """Return those that carry this owner's name."""
    return [one for one in doomed if one.resource.labels.get(OWNER) == name]


def _ago(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} h"
