"""The hosts of a stack stopped and started by their provider, for heals. Called by `infratest.project.heal`.

Only what was made from this state directory, for this stack in this environment.
"""

from __future__ import annotations

from infratest.clock import REAL
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.hosts import GONE, Host
from infratest.project.prepare import stack_hosts
from infratest.project.session import Session
from infratest.providers.base import Halts, Resource
from infratest.remedies.base import Power
from infratest.stack.open import open_provider


def power(session: Session, name: str) -> Power:
    """Return what the provider of a stack can do to one of its hosts."""
    return Power(
        halt=lambda deadline: _done(session, name, deadline, stop=True),
        start=lambda deadline: _done(session, name, deadline, stop=False),
        state=lambda deadline: _now(session, name, deadline),
        pause=lambda seconds: _pause(session, seconds),
    )


def host_now(session: Session, host: Host, deadline: Deadline) -> Host:
    """Return a host as its provider has it now."""
    return next((one for one in stack_hosts(session, deadline) if one.name == host.name), host)


def _done(session: Session, name: str, deadline: Deadline, *, stop: bool) -> None:
    """Stop or start a host. Raises UserError: its provider cannot, or did not make it; ProviderError: it could not."""
    provider = open_provider(session.stack, session.state)
    if not isinstance(provider, Halts):
        words = "take reboot, or a hook that reaches what holds its power"
        raise UserError(f"provider {session.stack.provider} can neither stop nor start a host: {words}")
    mine = [one for one in provider.existing(deadline) if _is(session, one, name)]
    if not mine:
        raise UserError(f"provider {session.stack.provider} has no {name} that was made from {session.state.path}")
    for one in mine:
        if stop:
            provider.halt(one, deadline)
        else:
            provider.start(one, deadline)


def _is(session: Session, resource: Resource, name: str) -> bool:
    wanted = {"state": session.state.id, "stack": session.stack.name, "env": session.stack.env}
    same = all(resource.labels.get(f"infratest.{label}") == value for label, value in wanted.items())
    return same and (resource.kind, resource.name) == ("host", name)


def _pause(session: Session, seconds: float) -> None:
    """Wait by the provider's clock. One whose time is made by waiting keeps it with its hosts, at the next call."""
    provider = open_provider(session.stack, session.state)
    provider.clock.sleep(seconds)
    if provider.clock is not REAL:
        provider.existing(Deadline(seconds, provider.clock.monotonic))


def _now(session: Session, name: str, deadline: Deadline) -> str:
    return next((one.state for one in stack_hosts(session, deadline) if one.name == name), GONE)
