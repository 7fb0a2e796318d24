"""A host's console: what it printed while it booted, which tells why it does not come up."""

from __future__ import annotations

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.providers.base import Console, Consoles

LAST_LINES = 8  # of a console, below the message of a host that did not come up
SECONDS = 10.0  # that looking at a console may add to such a failure


def console(life: Lifecycle, name: str) -> Console:
    """Return what the console of a host says; takes no lock and writes nothing.

    Raises:
        UserError: the provider has no consoles. ProviderError: the host is not there.
    """
    if not isinstance(life.provider, Consoles):
        raise UserError(f"provider {life.stack.provider} shows no console of its hosts")
    return _of(life, life.provider, name, life.limit(OTHER))


def last_words(life: Lifecycle, name: str) -> str:
    """Return the end of a host's console, to stand below an error; empty where there is none to see."""
    if not isinstance(life.provider, Consoles):
        return ""
    try:
        text = _of(life, life.provider, name, Deadline(SECONDS, life.clock.monotonic)).text
    except InfratestError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()][-LAST_LINES:]
    return "".join(f"\n  {name} console: {line}" for line in lines)


def _of(life: Lifecycle, provider: Consoles, name: str, deadline: Deadline) -> Console:
    for resource in life.made(deadline):
        if resource.name == name:
            return provider.console(resource, deadline)
    raise ProviderError(f"{name}: not there; `infratest up` makes it")
