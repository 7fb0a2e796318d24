"""Whose a container is, by the labels of its lease: names are joined, so that two hosts may have one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.base import Context
from infratest.providers.container.engine import HOST_LABEL, Engine


def labels(found: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of a container that was inspected."""
    return {str(key): str(value) for key, value in (found["Config"].get("Labels") or {}).items()}


def host_of(context: Context, found: Mapping[str, Any], state: str) -> str:
    """Return which of a stack's hosts a container is; empty where it is none."""
    told = labels(found)
    return told.get(HOST_LABEL, "") if context.owns(told, state) else ""


def holder(engine: Engine, context: Context, name: str, deadline: Deadline) -> str:
    """Return in words which host of another stack or environment has a container's name; empty where none has."""
    with suppress(ProviderError):
        for told in map(labels, engine.inspect([name], deadline)):
            if HOST_LABEL in told and not context.owns(told, context.state_id):
                place = (told.get("infratest.stack"), told.get("infratest.env"))
                return f"host {told[HOST_LABEL]} of {'/'.join(filter(None, place))}"
    return ""


def created(
    engine: Engine, context: Context, name: str, words: list[str], deadline: Deadline, given: bytes = b""
) -> str:
    """Return the id of a container that is made by these words of the engine.

    Raises:
        ProviderError: it was not made; where a host of another stack or environment has its name, whose it is. The
        engine's own advice would be to remove that one.
    """
    try:
        return engine.run(words, deadline, given).strip().splitlines()[-1]
    except ProviderError:
        if whose := holder(engine, context, name, deadline):
            raise ProviderError(
                f"the container {name} is {whose}: joined by hyphens, its names and this host's are one; rename the "
                "host, the environment or the stack"
            ) from None
        raise
