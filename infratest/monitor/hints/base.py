"""A hint: something says that a result should be looked at now. It says when, and never what will be seen.

The contract of a source of hints, and which results each of them is for. Polling goes on as if there were none, so a
hint that is lost costs nothing, and one too many costs a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from infratest.hosts import Host
from infratest.plan.tasks import CheckStep, Look, Task

#: What a hint may be about beside a whole host: the fact that looks at it.
PROCESS, SERVICE = "process", "service"
#: The transport of a host that is this machine.
HERE = "local"


@dataclass(frozen=True, slots=True)
class Hint:
    """What may have changed.

    Args:
        host: its name; empty for every host that is this machine. fact, name: what on it, as `process` and `nginx`;
        empty where it is the host itself.
    """

    host: str = ""
    fact: str = ""
    name: str = ""


class Source(Protocol):
    """Something that gives hints, in a thread of its own."""

    def run(self, told: Callable[[Hint], None]) -> None:
        """Give hints until `end` is called.

        Raises:
            InfratestError, OSError: it hears no more. It is run again after a while.
        """

    def end(self) -> None:
        """Have `run` return; called once, by another thread, also where it does not run."""


def subjects(tasks: Iterable[Task], hosts: Mapping[str, Host]) -> dict[Hint, list[str]]:
    """Return, by what may change on this machine, the ids of the results that look at it.

    Args:
        tasks: those that are watched. hosts: by name.
    """
    here = {name for name, host in hosts.items() if host.transport == HERE}
    found: dict[Hint, list[str]] = {}
    for task in tasks:
        looks = [look for step in task.steps if isinstance(step, CheckStep) for look in step.looks]
        for hint in dict.fromkeys(hint for look in looks if look.location in here for hint in _of(look)):
            found.setdefault(hint, []).append(task.id)
    return found


def _of(look: Look) -> Iterable[Hint]:
    for need in look.check.needed:
        if need.fact == PROCESS:  # the fact tells of all; which is meant, its sentence knows
            yield Hint("", PROCESS, str(getattr(look.check, "name", "")))
        elif need.fact == SERVICE:
            yield Hint("", SERVICE, str(need.argument[0]))
