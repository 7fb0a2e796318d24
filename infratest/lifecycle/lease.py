"""How long a stack may stand without being used, and that using it begins the time anew.

Called by whoever works on hosts without changing the stack: tests, checks, `run`, `ssh`. Verbs that change it renew its
lease themselves (`lifecycle.operation`).
"""

from __future__ import annotations

import time
from contextlib import suppress

from infratest.errors import StateError
from infratest.providers.base import Lease
from infratest.stack.declared import GUEST, StackFile
from infratest.store.directory import StateDir, owner
from infratest.store.journal import Journal
from infratest.store.terms import Term, expires, term

LEASE = 24 * 3600  # seconds
#: Seconds of a lease that pass before it is worth a record: what is used every minute writes one an hour.
USED_UP = 3600


def expiry(now: float, term: Term | None) -> int:
    """Return when a lease ends that begins now: 24 h later, and never after the budget of what it is for."""
    end = int(now) + LEASE
    return end if term is None or term.ends is None else min(end, int(term.ends))


def begun_now(stack: StackFile, state: StateDir, now: float, term: Term | None = None) -> Lease:
    """Return the lease of a stack that is worked on now, in seconds since the epoch.

    Args:
        term: for which the stack may stand, where it has a budget.
    """
    return Lease(
        owner=owner(),
        state_id=state.id,
        stack=stack.name,
        env=stack.env,
        expires=expiry(now, term),
        directory=str(state.path),
        production=stack.production,
        off_at=int(term.ends) if term and term.ends and stack.budget and stack.budget.enforce == GUEST else 0,
    )


def renew(state: StateDir, stack: str, env: str) -> None:
    """Let a lease last as long as one that begins now, where there is one; who may only read leaves it.

    Nothing is renewed while somebody else is at work.
    """
    journal, now = Journal(state), time.time()
    with suppress(StateError):
        records = journal.records()
        end, anew = expires(records, stack, env), expiry(now, term(records, stack, env))
        if end is not None and end < anew - USED_UP:
            with state.lock(purpose="a lease"):
                # Whoever held the lock a moment ago may have destroyed the stack.
                if expires(journal.records(), stack, env) is not None:
                    journal.lease(stack, env, anew)
