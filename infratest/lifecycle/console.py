"""A host's console: what it printed while it booted, which tells why it does not come up."""

from __future__ import annotations

import re
from dataclasses import replace

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.providers.base import Console, Consoles

LAST_LINES = 8  # of a console, below the message of a host that did not come up
#: What cloud-init says of user data that it cannot use; a boot goes on for many lines after it.
COMPLAINT = re.compile(r"cloud-init.*\[(WARNING|ERROR|CRITICAL)\]: ")
COMPLAINTS = 3  # that are shown above the last lines
#: What a terminal does not show but obeys, such as colours (ECMA-48, 5.4, and the title of a window).
SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_])")
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
    return "".join(f"\n  {name} console: {line}" for line in telling(text))


def telling(text: str) -> list[str]:
    """Return the lines of a console that tell most: what cloud-init complains of, and the last ones."""
    lines = [line for line in text.splitlines() if line.strip()]
    complaints = list(dict.fromkeys(line for line in lines if COMPLAINT.search(line)))[:COMPLAINTS]
    return [*complaints, *(line for line in lines[-LAST_LINES:] if line not in complaints)]


def plain(text: str) -> str:
    """Return what a terminal would show of a console's text, without its colours."""
    text = SEQUENCE.sub("", text).replace("\r", "")
    return clean(text, len(text), lines=True)


def _of(life: Lifecycle, provider: Consoles, name: str, deadline: Deadline) -> Console:
    for resource in life.made(deadline):
        if resource.name == name:
            seen = provider.console(resource, deadline)
            return replace(seen, text=plain(seen.text))
    raise ProviderError(f"{name}: not there; `infratest up` makes it")
