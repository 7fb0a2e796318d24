"""A stack as its provider and its journal see it: the value that `Lifecycle.status` returns and `status` shows."""

from __future__ import annotations

from dataclasses import dataclass

from infratest.hosts import Host
from infratest.providers.base import Resource
from infratest.store.journal import Begun, Undo


@dataclass(frozen=True, kw_only=True)
class Status:
    """A stack as its provider and its journal see it now.

    Args:
        hosts: in the stack file's order. expires: when the lease ends, in seconds since the epoch, or None.
        owner, state_id: of this state directory; the id is empty where nothing was ever made from it.
        resources: what the journal holds as live here, kind and name. interrupted: operations without an end; where
        `busy` says that the lock is held one of them is at work. leftovers: what `reap` would remove. undos: faults
        not known to be taken back.
    """

    hosts: tuple[Host, ...]
    expires: int | None
    owner: str
    state_id: str
    resources: tuple[tuple[str, str], ...]
    interrupted: tuple[Begun, ...]
    leftovers: tuple[Resource, ...]
    undos: tuple[Undo, ...]
