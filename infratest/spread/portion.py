"""A portion of a run as a value: one host, and the tasks that are about it alone. JSON, and nothing else.

Made by who spreads a run (`spreading`), read by a worker. It names checks of ours and holds their arguments, texts and
numbers: no code. A worker reads keys and secrets itself, at the places that it names; none of them is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infratest import __version__
from infratest.cleaning import masked
from infratest.errors import InfratestError
from infratest.hosts import DOWN, Host
from infratest.outsiders import get
from infratest.plan.keep import of_host, of_task, plain
from infratest.plan.kept import task as read_task
from infratest.plan.tasks import CheckStep, Task
from infratest.spread.address import LOOPBACK

FORMAT = 1

#: What JSON has no word for: a map whose keys may be numbers, and a list that is no tuple.
MAP, LIST = "map", "list"


class OtherVersion(InfratestError):
    """A portion of another version of infratest, which may mean another thing by the same words."""


@dataclass(frozen=True, kw_only=True)
class Portion:
    """What one host is to be asked.

    Args:
        number: of this portion, which its answer has too. seconds: that it may take. login: seconds of one login.
        secrets: by name, where each is read by who asks: `{"file": PATH}` or `{"env": NAME}`.
    """

    number: int
    host: Host
    tasks: tuple[Task, ...]
    seconds: float
    login: float
    secrets: Mapping[str, Mapping[str, str]]


def written(
    number: int, host: Any, tasks: Sequence[Any], seconds: float, login: float, secrets: Mapping[str, Mapping[str, str]]
) -> str:
    """Return a portion as JSON. host, tasks: as `written_host` and `written_task` have them; the rest as `Portion`."""
    data = {
        "infratest": __version__,
        "format": FORMAT,
        "number": number,
        "seconds": seconds,
        "login": login,
        "host": host,
        "tasks": list(tasks),
        "secrets": {name: dict(source) for name, source in secrets.items()},
    }
    return json.dumps(data)


def read(text: str) -> Portion:
    """Return what `written` wrote.

    Raises:
        OtherVersion: another version wrote it. ValueError, KeyError, TypeError: it is none.
    """
    data = json.loads(text)
    if (data["infratest"], data["format"]) != (__version__, FORMAT):
        raise OtherVersion(str(data["infratest"]))
    return Portion(
        number=data["number"],
        host=Host(*_read(data["host"])),
        tasks=tuple([read_task(_read(task)) for task in data["tasks"]]),
        seconds=data["seconds"],
        login=data["login"],
        secrets=data["secrets"],
    )


def written_host(host: Host) -> Any:
    """Return a host as another machine reaches it; None where this machine alone can, or nobody has to."""
    addresses = [host.address, str(host.options.get("address") or ""), *(name for name, _ in host.endpoints.values())]
    if host.state in DOWN or any(each.startswith(LOOPBACK) for each in addresses):
        return None
    options = get("transport", host.transport).elsewhere(host.options)
    return None if options is None else _written_or_none(of_host(host.changed(options=options)))


def written_task(task: Task) -> Any:
    """Return a task that asks its own host alone, by sentences that are declarations and hold no secret; else None."""
    if not plain(task) or task.problem or task.skip:
        return None
    steps = [step for step in task.steps if isinstance(step, CheckStep)]
    looks = [look for step in steps for look in step.looks]
    if not looks or any((look.subject, look.location) != (task.host, task.host) for look in looks):
        return None
    for step in steps:
        step.needed  # noqa: B018  # who reads a password out of an argument has it masked from here on
    return _written_or_none(of_task(task))


def _written_or_none(value: Any) -> Any:
    try:
        return _written(value)
    except ValueError:
        return None


def _written(value: Any) -> Any:
    """Return a value as JSON has it: a tuple as a list. Raises ValueError where that cannot be, or is a secret."""
    if isinstance(value, str):
        if masked(value) != value:
            raise ValueError("it holds a secret")
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    if isinstance(value, list):
        return {LIST: [_written(each) for each in value]}
    if isinstance(value, Mapping):
        return {MAP: [[_written(name), _written(each)] for name, each in value.items()]}
    raise ValueError(f"a {type(value).__name__} is no plain value")


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple([_read(each) for each in value])
    if isinstance(value, dict) and LIST in value:
        return [_read(each) for each in value[LIST]]
    if isinstance(value, dict):
        return {_read(name): _read(each) for name, each in value[MAP]}
    return value
