"""Hosts that a verb waits for until they are ready, all in one place: for `up`, `reboot` and `snapshot restore`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from infratest.deadline import Deadline
from infratest.hosts import Host
from infratest.lifecycle import login_key
from infratest.lifecycle.console import last_words
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.ready import Awaited, Waiting
from infratest.lifecycle.stopping import Stop, StoppableDeadline
from infratest.providers.base import HostSpec
from infratest.stack.declared import GUEST


def await_ready(
    life: Lifecycle,
    specs: Sequence[HostSpec],
    deadline: Deadline,
    *,
    ran: Callable[[HostSpec], str] = lambda spec: "",
    settled: float | None = None,
    answered: Callable[[Awaited, Host], None] = lambda one, host: None,
) -> None:
    """Wait until hosts are ready.

    Args:
        ran: says of a host that was there before what to say of it when it is ready, of others nothing; within
        `settled` seconds such a one must answer. answered: called once a host answers, before its `ready:` sentences.
    Raises:
        ProviderError: one is down or was given up, or is not ready before the deadline. Stopped: we were told to stop.
    """
    failed = Stop(life.stop)
    awaited = []
    for spec in specs:
        words = ran(spec)
        limit = deadline.at_most(settled) if words and settled is not None else deadline
        awaited.append(Awaited(spec=spec, limit=StoppableDeadline(limit, failed), before=words))

    def met(one: Awaited, host: Host) -> None:
        login_key.settle(host, one.limit)
        answered(one, host)

    budget = life.stack.budget
    waiting = Waiting(
        awaited,
        look=lambda some: life.provider.hosts(some, deadline),
        settles=life.provider.settles,
        ready=life.ready,
        jobs=life.jobs,
        failed=failed,
        clock=life.clock,
        say=life.progress,
        answered=met,
        refused=login_key.follow,
        last_words=partial(last_words, life),
        seeded=life.provider.seeded,
        insists=bool(budget and budget.enforce == GUEST),
    )
    life.all_well(waiting.all(), failed.reason)
