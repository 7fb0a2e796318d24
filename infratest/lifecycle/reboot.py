"""Reboot: hosts boot anew by their provider's means, and are ready again."""

from __future__ import annotations

from collections.abc import Sequence

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.hosts import RUNNING
from infratest.lifecycle.operation import UP, Lifecycle
from infratest.lifecycle.waiting import await_ready
from infratest.providers.base import Halts, HostSpec, Provider, Reboots, Resource
from infratest.stack.selection import chosen


def reboot(life: Lifecycle, names: Sequence[str] | None = None) -> list[str]:
    """Have hosts that run boot anew, and wait until they are ready; return their names.

    Raises:
        UserError: the provider can neither reboot nor halt and start. ProviderError: one did not come back.
    """
    specs = chosen(life.stack.hosts, names)
    provider = life.provider
    if not isinstance(provider, Reboots | Halts):
        words = "a scenario can, by `When the host is rebooted`"
        raise UserError(f"provider {life.stack.provider} cannot reboot a host; {words}")
    with life.operation("reboot", UP) as (_, deadline):
        running = {host.name for host in life.now(specs, deadline) if host.state == RUNNING}
        mine = {one.name: one for one in life.made(deadline) if one.name in running}

        def one(spec: HostSpec) -> None:
            life.progress(spec.name, "rebooting", "")
            _reboot(provider, mine[spec.name], deadline)

        asked = [spec for spec in specs if spec.name in mine]
        life.all_well(life.each(asked, one, life.stop))
        await_ready(life, asked, deadline)
    return [spec.name for spec in asked]


def _reboot(provider: Provider, resource: Resource, deadline: Deadline) -> None:
    """Boot one anew; where the provider has no word for it, by a halt and a start."""
    if isinstance(provider, Reboots):
        provider.reboot(resource, deadline)
    elif isinstance(provider, Halts):
        provider.halt(resource, deadline)
        provider.start(resource, deadline)
