"""Halt: hosts stopped without losing their disks."""

from __future__ import annotations

from collections.abc import Sequence

from infratest.errors import UserError
from infratest.hosts import RUNNING
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.providers.base import Halts, Resource
from infratest.stack.selection import chosen


def halt(life: Lifecycle, names: Sequence[str] | None = None) -> list[str]:
    """Stop hosts without losing their disks; return the names of those that ran.

    Raises:
        UserError: the provider cannot halt. ProviderError: one could not be halted.
    """
    specs = chosen(life.stack.hosts, names)
    halting = life.provider
    if not isinstance(halting, Halts):
        raise UserError(f"provider {life.stack.provider} cannot halt a host; it only knows where hosts are")
    with life.operation("halt", OTHER) as (_, deadline):
        running = {host.name for host in life.now(specs, deadline) if host.state == RUNNING}
        mine = [one for one in life.made(deadline) if one.name in running]

        def one(resource: Resource) -> None:
            life.progress(resource.name, "halting", "")
            halting.halt(resource, deadline)
            life.progress(resource.name, "halted", "")

        life.all_well(life.each(mine, one, life.stop))
    return [resource.name for resource in mine]
