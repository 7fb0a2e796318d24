"""A container engine's events: what happened to the hosts of one stack, as the engine says it by itself.

Source: `docker events` and `podman events`, which take the same filters and write an object a line. Called by the
container provider, for a monitor that would else look later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from time import time
from typing import Any, Self

from infratest.cleaning import clean
from infratest.errors import ProviderError
from infratest.local_program import Lines, listened
from infratest.providers.container.engine import HOST_LABEL, PODMAN, Engine

#: What may change how a host is. A look by the engine is an event, too (`exec_start`), and says nothing.
TOLD = frozenset(("start", "die", "died", "stop", "pause", "unpause", "oom", "destroy", "remove"))


class Events:
    """What an engine says of containers, from its block's begin to its end.

    Args:
        label: which those containers have, as NAME=VALUE.
    """

    def __init__(self, engine: Engine, label: str) -> None:
        form = "json" if engine.kind == PODMAN else "{{json .}}"
        filters = ["--filter", "type=container", "--filter", f"label={label}"]
        # From now on, so that nothing is missed until the engine has the question.
        since = ["--since", str(int(time()))]
        self._words = [engine.program, *engine.options, "events", *since, *filters, "--format", form]
        self._engine = engine
        self._stack = ExitStack()
        self._lines: Lines | None = None
        self._ended = False

    def __enter__(self) -> Self:
        self._lines = self._stack.enter_context(listened(self._words, self._engine.environment))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[str]:
        """Yield the names of hosts. Raises ProviderError: the engine says no more."""
        last = ""
        for line in self._lines or ():
            try:
                event = json.loads(line)
            except ValueError:
                last = clean(line, 200) or last
                continue
            host = _host(event)
            if host:
                yield host
        if not self._ended:
            raise ProviderError(f"{self._engine.kind} tells no more events{': ' if last else ''}{last}; is it there?")

    def end(self) -> None:
        """Hear no more."""
        self._ended = True
        if self._lines is not None:
            self._lines.end()


def _host(event: Any) -> str:
    """Return the name of the host that an event is about; nothing where it says nothing of how one is."""
    if not isinstance(event, dict):
        return ""
    actor = event.get("Actor") or event  # podman has what docker calls Actor at the top
    attributes = actor.get("Attributes") if isinstance(actor, dict) else None
    happened = event.get("Action") or event.get("Status")
    if happened not in TOLD or not isinstance(attributes, dict):
        return ""
    return str(attributes.get(HOST_LABEL, ""))
