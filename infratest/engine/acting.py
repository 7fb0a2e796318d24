"""One acting task: its lines in order, facts asked anew after each act, its faults undone when it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from infratest.acts.base import Act, Guarded, perform
from infratest.deadline import Deadline
from infratest.engine.judge import unseen
from infratest.engine.looks import Item
from infratest.engine.results import not_judged, result
from infratest.engine.settle import settle
from infratest.errors import ActError, DeadlineExceeded, InfratestError, TransportError
from infratest.gherkin.suite import GIVEN, THEN
from infratest.model import NOT_JUDGED, Result, StepResult
from infratest.plan.tasks import ActStep, CheckStep, Step, Task, reachable_id
from infratest.states import CRITICAL, OK, UNKNOWN, held
from infratest.transports.base import CommandResult
from infratest.units import duration

if TYPE_CHECKING:
    from infratest.engine.run import Run
    from infratest.facts.base import Need

#: Seconds that undoing one fault may take.
UNDO_SECONDS = 60.0


def undo_time(deadline: Deadline) -> float:
    """Return the seconds that are kept back of a run for undoing its faults: a fifth of it, at most UNDO_SECONDS."""
    return min(UNDO_SECONDS, deadline.seconds / 5)


class UndoLog(Protocol):
    """Where the undo of a fault is written before the fault (the journal)."""

    def undo_asked(self, host: str, command: Sequence[str]) -> str:
        """Note an undo and return its id."""

    def undo_done(self, undo: str) -> None:
        """Note that it was undone."""


class Acting:
    """One task on its way."""

    def __init__(self, going: Run, task: Task) -> None:
        self.going = going
        self.task = task
        #: Of all but the undo, which has what is left of the whole run's.
        self.deadline = going.deadline.sooner(undo_time(going.deadline)) if task.acting else going.deadline
        self.steps: list[StepResult] = []
        self.undos: list[tuple[str, str, tuple[str, ...]]] = []
        self.stop = ""
        self.refused: Step | None = None  # the act that may not be done
        self.blocked = ""
        self.measured: dict[Need, object] = {}  # by its acts, as what is so
        self.unjudged: set[int] = set()  # places of steps that come behind the one that stopped it

    def result(self) -> Result:
        """Run the task to its end and return its result."""
        started = time.monotonic()
        try:
            self._guard()
            self.lines(self.task.steps)
        except KeyboardInterrupt:
            # Whoever still waits for an answer holds the connection that the undo needs.
            self.going.connections.close_to_others()
            raise
        finally:
            problems = self.undo()
        self.steps += problems
        return self.concluded(time.monotonic() - started)

    def concluded(self, took: float) -> Result:
        """Return the result that the steps so far come to."""
        hosts = self.going.plan.hosts
        if self.blocked and not any(step.state == CRITICAL for step in self.steps):
            by = reachable_id(self.blocked)
            return result(
                self.task, hosts, self.steps, state=UNKNOWN, reason=f"blocked by {by}", blocked_by=by, duration=took
            )
        return result(self.task, hosts, self.steps, duration=took, unjudged=self.unjudged)

    def _guard(self) -> None:
        """Ask the hosts, before anything is done, whether each act may be done to them; note what stops the task."""
        for step in self.task.steps:
            for host, act in step.targets if isinstance(step, ActStep) else ():
                if isinstance(act, Guarded):
                    try:
                        act.guard(HostAccess(self.going, host), self.deadline.at_most(act.seconds))
                    except InfratestError as error:
                        self.stop, self.refused = f"nothing was done: '{step.line.text}' on {host}: {error}", step
                        return

    def lines(self, steps: Sequence[Step]) -> None:
        """Carry out these lines in order, and note what came of each."""
        place = 0
        while place < len(steps):
            step = steps[place]
            if isinstance(step, CheckStep):
                stretch = self._stretch_from(steps, place)
                self._check(stretch)
                place += len(stretch)
                continue
            if step is self.refused:
                self._note(step, UNKNOWN, self.stop)
            elif self.stop:
                self._not_judged(step)
            elif isinstance(step, ActStep):
                self._act(step)
            else:
                self._note(step, UNKNOWN if step.problem else OK, step.problem)
                if step.problem:
                    self.stop = f"{NOT_JUDGED}'{step.line.text}' is undefined"
            place += 1

    def _stretch_from(self, steps: Sequence[Step], place: int) -> list[CheckStep]:
        """Return the checking sentences from here to the next line of another kind; Given and Then are not mixed."""
        stretch: list[CheckStep] = []
        first = steps[place]
        for step in steps[place:]:
            if not isinstance(step, CheckStep) or (step.line.kind == GIVEN) != (first.line.kind == GIVEN):
                break
            stretch.append(step)
        return stretch

    def _check(self, stretch: Sequence[CheckStep]) -> None:
        if self.stop:
            for step in stretch:
                self._not_judged(step)
            return
        items = [self.going.item(step, self.task) for step in stretch]
        going = self.going
        settle(items, going.collector, self.deadline, going.blocked, measured=self.measured, answered=going.answered)
        for item in items:
            self._judged(item)

    def _judged(self, item: Item) -> None:
        if self.stop and item.step.line.kind != GIVEN:  # by one before it in its stretch
            self._not_judged(item.step)
            return
        if item.verdict is None:
            self._note(item.step, UNKNOWN, "it was not asked")
            return
        self.steps.append(item.verdict.step(item.step))
        self.blocked = self.blocked or item.verdict.blocked
        line = item.step.line
        if line.kind != THEN and not held(item.verdict.state, item.severity):
            self.stop = not_judged(line, item.verdict.state)

    def _act(self, step: ActStep) -> None:
        tag = self.task.scenario.tag("timeout")
        seconds = max((act.seconds for _, act in step.targets), default=0.0)
        deadline = self.deadline.at_most(min(seconds, duration(tag)) if tag else seconds)
        for host, act in step.targets:
            try:
                self.act_on(host, act, deadline)
            except TransportError as error:
                self.blocked = host if not self.blocked else self.blocked
                self.going.blocked[host] = error
                self._failed(step, host, error)
                return
            except InfratestError as error:
                self._failed(step, host, error)
                return
        self._note(step, OK, "")

    def act_on(self, host: str, act: Act, deadline: Deadline) -> None:
        """Do an act on a host, its undo on record before. Raises InfratestError: it could not be done."""

        def record_undo(command: tuple[str, ...]) -> None:
            log = self.going.settings.undo_log
            self.undos.append((log.undo_asked(host, command) if log else "", host, command))

        perform(act, HostAccess(self.going, host, self.measured), deadline, self.deadline, record_undo)

    def undo(self) -> list[StepResult]:
        """Undo what can be undone, the last first; what could not be undone is a step of its own, and unknown."""
        problems = []
        undos, self.undos = self.undos, []
        for undo, host, command in reversed(undos):
            deadline = self.going.deadline.at_most(UNDO_SECONDS)
            try:
                with self.going.connections.use(host, deadline) as transport:
                    answer = transport.run(command, deadline, sudo=self.going.plan.hosts[host].sudo)
                failure = "" if answer.exit == 0 else answer.stderr.decode("utf-8", "replace").strip() or "it failed"
            except InfratestError as error:
                failure = str(error)
            if failure:
                words = f"could not undo on {host}: {' '.join(command)}: {failure}; `infratest reap` tries again"
                problems.append(StepResult("(undo)", self.task.scenario.line, UNKNOWN, words))
            elif self.going.settings.undo_log and undo:
                self.going.settings.undo_log.undo_done(undo)
        return problems

    def _failed(self, step: ActStep, host: str, error: InfratestError) -> None:
        self._note(step, UNKNOWN, f"{host}: could not be done: {error}")
        self.stop = f"{NOT_JUDGED}'{step.line.text}' could not be done"

    def _not_judged(self, step: Step) -> None:
        self.unjudged.add(len(self.steps))
        self._note(step, UNKNOWN, self.stop)

    def _note(self, step: Step, state: str, reason: str) -> None:
        numbers = unseen(step) if isinstance(step, CheckStep) else ()
        self.steps.append(StepResult(step.line.text, step.line.number, state, reason, numbers))


class HostAccess:
    """What an act works with on a host of this run: the run's own connection to it."""

    def __init__(self, going: Run, host: str, measured: dict[Need, object] | None = None) -> None:
        self.host = host
        self._going = going
        self._measured = {} if measured is None else measured

    def run(self, command: Sequence[str], deadline: Deadline) -> CommandResult:
        begun = False
        try:
            with self._going.connections.use(self.host, deadline) as transport:
                begun = True
                return transport.run(command, deadline, sudo=self._going.plan.hosts[self.host].sudo)
        except DeadlineExceeded as error:
            if not begun:
                raise
            # The host let us in: that the command takes longer says nothing of the host itself.
            raise ActError(str(error)) from error

    def forget(self) -> None:
        self._going.connections.forget(self.host)

    def start(self, deadline: Deadline) -> None:
        if self._going.settings.start is not None:
            self._going.settings.start(self.host, deadline)

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        return self._going.plan.endpoint(address, port)

    def keep(self, need: Need, value: object) -> None:
        self._measured[need] = value
