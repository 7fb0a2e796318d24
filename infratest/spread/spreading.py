"""A run spread over workers: what is about one host goes to one of them, and the rest is asked here.

`Spreading` is the `spread` of a run's settings. What stays: what is looked at from the controller or from several
hosts, acts, steps of the user's own, what holds a secret, and hosts that this machine alone reaches. An answer counts
once, by its portion's number, and not at all behind the run's deadline: then it is not known, whoever was asked.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from infratest import errors
from infratest.cleaning import clean
from infratest.engine.judge import unseen
from infratest.engine.results import REASON_LIMIT, result
from infratest.errors import InfratestError, TransportError, UserError
from infratest.model import Cost, Result, StepResult
from infratest.plan.tasks import CheckStep, Task
from infratest.spread.portion import written, written_host, written_task
from infratest.states import UNKNOWN
from infratest.units import human

if TYPE_CHECKING:
    from infratest.engine.checking import OnResult
    from infratest.engine.run import Run
    from infratest.spread.base import Engine

log = logging.getLogger(__name__)

#: Numbers of portions: no two of this process have the same one.
NUMBERS = count(1)
#: Seconds, and the part of its time, after the deadline that an answer is waited for: a worker ends by the same one.
LATE, PART = 0.25, 0.05
#: What may stand between us and a host, by its name in an answer.
BLOCKERS = {
    kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TransportError)
}


class Spreading:
    """Has the checking tasks of runs asked by workers.

    Args:
        engine: what carries portions. secrets: by name, where workers read them: `{"file": PATH}`, `{"env": NAME}`.
    """

    def __init__(self, engine: Engine, secrets: Mapping[str, Mapping[str, str]]) -> None:
        self._engine = engine
        self._secrets = secrets

    def __call__(self, going: Run, tasks: Sequence[Task], on_result: OnResult | None = None) -> list[Result]:
        """Run checking tasks; return their results in that order."""
        parts = self._parted(going, tasks)
        found: dict[str, Result] = {}
        away = {task.id for part in parts for task in part.tasks}
        here = [task for task in tasks if task.id not in away]
        log.info("%d of %d scenarios go to workers, on %d hosts", len(away), len(tasks), len(parts))
        begun = _Begun(going, parts, on_result, found)
        asked = self._engine.ask(begun.texts(self._secrets)) if parts else None
        try:
            for task, outcome in zip(here, going.check_here(here, on_result), strict=True):
                found[task.id] = outcome
            if asked is not None:
                deadline = going.deadline
                for number, answer in asked.answers(deadline.left + LATE + PART * deadline.seconds):
                    begun.take(number, answer)
        finally:
            if asked is not None:
                asked.drop()
        begun.give_up()
        return [found[task.id] for task in tasks]

    def _parted(self, going: Run, tasks: Sequence[Task]) -> list[_Part]:
        """Return by host what can go to workers."""
        parts: dict[str, _Part | None] = {}
        for task in tasks:
            if task.host not in parts:
                host = written_host(going.hosts[task.host]) if task.host in going.hosts else None
                parts[task.host] = None if host is None else _Part(task.host, host)
            part = parts[task.host]
            value = None if part is None else written_task(task)
            if part is not None and value is not None:
                part.tasks.append(task)
                part.values.append(value)
        return [part for part in parts.values() if part is not None and part.tasks]


@dataclass
class _Part:
    """What goes to a worker: the tasks of a host. host, values: that host and those tasks as JSON has them."""

    name: str
    host: Any
    tasks: list[Task] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


class _Begun:
    """Portions that are asked, by number, until each has its results."""

    def __init__(
        self, going: Run, parts: Sequence[_Part], on_result: OnResult | None, found: dict[str, Result]
    ) -> None:
        self._going = going
        self._on_result = on_result
        self._found = found
        self._open = {next(NUMBERS): part for part in parts}

    def texts(self, secrets: Mapping[str, Mapping[str, str]]) -> dict[int, tuple[str, str]]:
        """Return each host's name and portion, as time is now."""
        seconds, login = self._going.deadline.left, self._going.settings.login
        return {
            number: (part.name, written(number, part.host, part.values, seconds, login, secrets))
            for number, part in self._open.items()
        }

    def take(self, number: int, answer: str | InfratestError) -> None:
        """Take an answer; one to what is not open (any more) counts nothing. Raises UserError: another version."""
        if number not in self._open:
            return
        part = self._open.pop(number)
        tasks = part.tasks
        if isinstance(answer, InfratestError):
            self._lost(tasks, str(answer))
            return
        try:
            data = json.loads(answer)
            if data["number"] != number:
                raise ValueError(f"it is the answer to portion {data['number']}, and this is {number}")
            if "version" in data:
                raise _another(str(data["version"]))
            if "cannot" in data:
                self._lost(tasks, f"its worker could not ask it: {data['cannot']}")
                return
            self._results(part, data)
        except (ValueError, KeyError, TypeError) as error:
            self._lost(tasks, f"a worker's answer cannot be read: {clean(str(error), 200)}")

    def _results(self, part: _Part, data: Mapping[str, Any]) -> None:
        results = {each.id: each for each in map(Result.from_dict, data["results"])}
        blocked, cost = data["blocked"], Cost(**data["cost"])
        if blocked is not None:
            kind, words = blocked
            self._going.blocked[part.name] = BLOCKERS.get(kind, TransportError)(words)
        if data["answered"]:
            self._going.answered.add(part.name)
        self._going.spent += cost
        for task in part.tasks:
            if task.id in results:
                self._tell(task, results[task.id])
        self._lost([task for task in part.tasks if task.id not in results], "its worker left it out of its answer")

    def give_up(self) -> None:
        """Say of all that has no answer that nobody knows."""
        limit = human(self._going.deadline.seconds, "s")
        words = f"no worker has answered within {limit}; give it more with --timeout, or see whether the workers run"
        for part in self._open.values():
            self._lost(part.tasks, words)
        self._open = {}

    def _lost(self, tasks: Sequence[Task], why: str) -> None:
        why = clean(why, REASON_LIMIT)
        for task in tasks:
            steps = [
                StepResult(step.line.text, step.line.number, UNKNOWN, why, unseen(step))
                for step in task.steps
                if isinstance(step, CheckStep)
            ]
            self._tell(task, result(task, self._going.hosts, steps, state=UNKNOWN, reason=why))

    def _tell(self, task: Task, outcome: Result) -> None:
        self._found[task.id] = outcome
        if self._on_result is not None:
            self._on_result(task, outcome)


def _another(version: str) -> UserError:
    from infratest import __version__

    return UserError(
        f"a worker has infratest {clean(version, 40)}, and this is {__version__}: install the same one on all workers"
    )
