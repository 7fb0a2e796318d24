"""Suspend and resume: hosts stopped with their memory kept, and let go on where they were."""

from __future__ import annotations

from collections.abc import Sequence

from infratest.errors import UserError
from infratest.hosts import PAUSED, RUNNING
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.providers.base import Halts, Resource, Suspends
from infratest.stack.selection import chosen


def suspend(life: Lifecycle, names: Sequence[str] | None = None) -> list[str]:
    """Suspend hosts that run; return their names.

    Raises:
        UserError: the provider cannot suspend. ProviderError: one could not be suspended.
    """
    specs = chosen(life.stack.hosts, names)
    provider = life.provider
    if not isinstance(provider, Suspends):
        raise UserError(f"provider {life.stack.provider} cannot suspend a host; `infratest halt` may do")
    with life.operation("suspend", OTHER) as (_, deadline):
        running = {host.name for host in life.now(specs, deadline) if host.state == RUNNING}
        mine = [one for one in life.made(deadline) if one.name in running]

        def one(resource: Resource) -> None:
            life.progress(resource.name, "suspending", "")
            provider.suspend(resource, deadline)
            life.progress(resource.name, "suspended", "")

        life.all_well(life.each(mine, one, life.stop))
    return [resource.name for resource in mine]


def resume(life: Lifecycle, names: Sequence[str] | None = None) -> list[str]:
    """Let suspended hosts go on; return their names. What is halted stays so: that is for `up`.

    Raises:
        UserError: the provider cannot suspend. ProviderError: one could not go on.
    """
    specs = chosen(life.stack.hosts, names)
    provider = life.provider
    if not isinstance(provider, Suspends) or not isinstance(provider, Halts):
        raise UserError(f"provider {life.stack.provider} cannot suspend a host, so that none can be resumed")
    with life.operation("resume", OTHER) as (_, deadline):
        paused = {host.name for host in life.now(specs, deadline) if host.state == PAUSED}
        mine = [one for one in life.made(deadline) if one.name in paused]

        def one(resource: Resource) -> None:
            life.progress(resource.name, "resuming", "")
            provider.start(resource, deadline)
            life.progress(resource.name, "resumed", "")

        life.all_well(life.each(mine, one, life.stop))
    return [resource.name for resource in mine]
