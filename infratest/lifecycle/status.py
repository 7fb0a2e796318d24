"""A stack as its provider and its journal see it: what `infratest status` shows."""

from __future__ import annotations

from dataclasses import dataclass

from infratest.hosts import Host
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.removal import leftovers
from infratest.providers.base import Resource
from infratest.stack.open import as_made, by_another
from infratest.store.directory import owner
from infratest.store.records import Begun, Undo, begun, live
from infratest.store.terms import Term, expires, term


@dataclass(frozen=True, kw_only=True)
class Status:
    """A stack as its provider and its journal see it now.

    Args:
        hosts: in the stack file's order. expires: when the lease ends, in seconds since the epoch, or None.
        owner, state_id: of this state directory; the id is empty where nothing was ever made from it.
        resources: what the journal holds as live here, kind and name. interrupted: operations without an end; where
        `busy` says that the lock is held one of them is at work. leftovers: what `reap` would remove. undos: faults
        not known to be taken back. by_another: what another provider made, a line each. term: for which the stack may
        stand, where it has a budget.
    """

    hosts: tuple[Host, ...]
    expires: int | None
    owner: str
    state_id: str
    resources: tuple[tuple[str, str], ...]
    interrupted: tuple[Begun, ...]
    leftovers: tuple[Resource, ...]
    undos: tuple[Undo, ...]
    by_another: tuple[str, ...]
    term: Term | None = None


def status(life: Lifecycle) -> Status:
    """Return the stack as it is; takes no lock and writes nothing."""
    deadline = life.limit(OTHER)
    records = life.journal.records()
    held = live(records)
    state_id = life.state_id()
    here = (life.stack.name, life.stack.env)
    existing = life.listing.settled(deadline) if state_id else []
    return Status(
        hosts=tuple(as_made(life.now(life.stack.hosts, deadline), life.stack, life.state)),
        expires=expires(records, *here),
        owner=owner(),
        state_id=state_id,
        resources=tuple((one.kind, one.name) for one in held.values() if (one.stack, one.env) == here),
        interrupted=tuple(begun(records)),
        leftovers=tuple(leftovers(existing, state_id, held)),
        undos=tuple(life.journal.open_undos()),
        by_another=tuple(by_another(life.stack, life.state, life.provider, records)),
        term=term(records, *here),
    )
