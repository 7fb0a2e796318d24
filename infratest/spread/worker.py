"""What a worker does: it asks one host what a portion says, judges, and answers with the report's own values.

`answer` is the one function that is ever submitted; it is found by its name in the infratest that is installed there. A
worker is a thread of this process, or of a process on another machine. Its connections stay open from one portion to
the next, by host.
"""

from __future__ import annotations

import json
import resource
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from infratest import __version__
from infratest.cleaning import Secret, clean, masked
from infratest.collect.connections import Held
from infratest.engine.apart import defects_told
from infratest.engine.run import Run, Settings
from infratest.errors import InfratestError
from infratest.plan.tasks import Plan
from infratest.spread import portion
from infratest.spread.portion import OtherVersion, Portion
from infratest.stack import secret_sources
from infratest.stack.open import open_transport

#: Seconds after which a connection that nobody asked for is closed, when another one is put back.
IDLE = 600.0
#: Characters of why a worker could not ask.
WORDS = 500


class Warm:
    """Connections between two portions, by host; one that is asked twice at once has two, and keeps one.

    Args:
        most: hosts whose connections are kept; those that were used longest ago go first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[str, tuple[float, Held]] = {}
        self._lock = Lock()

    def take(self, host: str) -> Held:
        with self._lock:
            return self._held.pop(host, (0.0, Held()))[1]

    def give(self, host: str, held: Held) -> None:
        """Take one back, and close what is too many or was idle for too long."""
        now = monotonic()
        with self._lock:
            closed = [self._held.pop(host)] if host in self._held else []
            self._held[host] = (now, held)
            names = [*self._held]
            old = [name for name in names if self._held[name][0] < now - IDLE]
            closed += [self._held.pop(name) for name in {*old, *names[: -self._most]}]
        for _, each in closed:
            each.close()

    def close(self) -> None:
        """Close all."""
        with self._lock:
            closed, self._held = list(self._held.values()), {}
        for _, each in closed:
            each.close()


#: Hosts whose connections one process keeps, where its limit of open files says nothing less.
MOST = 10_000


def _most() -> int:
    """Return how many connections may stay open: half of the files that this process may have open."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if limit == resource.RLIM_INFINITY else max(16, min(limit // 2, MOST))


#: This process's.
WARM = Warm(_most())


def answer(text: str) -> str:
    """Return what came of a portion, as JSON; both are texts, so that nothing else is ever carried.

    It has `number` and one of: `results` with `blocked` (why the host could not be asked, or null), `answered` (whether
    it was at any time) and `cost`;
    `version`, where this infratest is another one; `cannot`, why nothing was asked.
    """
    told: dict[str, Any] = {"number": None}
    try:
        told["number"] = json.loads(text)["number"]
        told |= defects_told(_asked)(portion.read(text))
    except OtherVersion:
        told["version"] = __version__
    except (InfratestError, OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        told["cannot"] = clean(str(error) or type(error).__name__, WORDS)
    return json.dumps(told)


def _asked(given: Portion) -> dict[str, Any]:
    for name, source in given.secrets.items():  # so that they are masked in all that a host says
        Secret(secret_sources.read(source, Path("/"), f"secret {name}"))
    key = repr(given.host)
    held = WARM.take(key)
    settings = Settings(seconds=given.seconds, jobs=1, login=given.login, held=held)
    going = Run(Plan(given.tasks, {given.host.name: given.host}), open_transport, settings)
    try:
        results = going.check(given.tasks)
        going.keep()
    finally:
        going.close()
        WARM.give(key, held)
    error = going.blocked.get(given.host.name)
    return {
        "results": [result.as_dict() for result in results],
        "blocked": None if error is None else [type(error).__name__, masked(str(error))],
        "answered": given.host.name in going.answered,
        "cost": going.cost.as_dict(),
    }
