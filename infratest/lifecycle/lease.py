"""How long a stack may stand without being used, and that using it begins the time anew.

Called by whoever works on hosts without changing the stack: tests, checks, `run`, `ssh`. Verbs that change it renew its
lease themselves (`lifecycle.operation`).
"""

from __future__ import annotations

import time
from contextlib import suppress

from infratest.errors import StateError
from infratest.providers.base import Lease
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir, owner
from infratest.store.journal import Journal, expires

LEASE = 24 * 3600  # seconds
#: Seconds of a lease that pass before it is worth a record: what is used every minute writes one an hour.
USED_UP = 3600


def begun_now(stack: StackFile, state: StateDir, now: float) -> Lease:
    """Return the lease of a stack that is worked on now, in seconds since the epoch."""
    return Lease(
        owner=owner(),
        state_id=state.id,
        stack=stack.name,
        env=stack.env,
        expires=int(now) + LEASE,
        directory=str(state.path),
        production=stack.production,
    )


def renew(state: StateDir, stack: str, env: str) -> None:
    """Let a lease end 24 h from now, where there is one and nobody else is at work; who may only read leaves it."""
    journal, now = Journal(state), time.time()
    with suppress(StateError):
        end = expires(journal.records(), stack, env)
        if end is not None and end < now + LEASE - USED_UP:
            with state.lock(purpose="a lease"):
                # Whoever held the lock a moment ago may have destroyed the stack.
                if expires(journal.records(), stack, env) is not None:
                    journal.lease(stack, env, int(now) + LEASE)
