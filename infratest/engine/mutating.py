"""Each sentence put to the test: what it says is broken on its host, it must turn red, and be green again after it.

One fault a sentence, made by `mutations` from what it says, one at a time, undone before the next. Never red by
accident: a sentence counts only where it held just before its fault, was red (not unknown) with it, and holds after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from infratest import rfc3339
from infratest.acts.base import Act, Guarded
from infratest.check import CONTROLLER
from infratest.engine.acting import Acting, HostAccess
from infratest.engine.interrupts import ending_in_order
from infratest.engine.judge import Verdict
from infratest.engine.looks import Item
from infratest.engine.results import problem, result, skipped
from infratest.engine.run import Run, Settings
from infratest.engine.settle import settle
from infratest.errors import InfratestError
from infratest.gherkin.sentence import ALL, Tail
from infratest.model import Evidence, Report, Result, StepResult
from infratest.mutations.base import Claim, in_words
from infratest.mutations.choice import fault
from infratest.plan.tasks import CheckStep, Look, Plan, Task
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WARNING
from infratest.transports.base import Transport
from infratest.units import counted

#: Seconds after which a fault must have turned its sentence red, and after which it must be green without it.
RED_SECONDS, GREEN_SECONDS = 8.0, 60.0
#: Seconds between two looks: the first, and the longest.
PAUSE, LONGEST_PAUSE = 0.1, 1.0

ACTS = "it acts: what it breaks is its own"
OWN = "steps of your own: what they look at is not known, so nothing is broken for them"
ACROSS = "it is about several hosts at once: no fault is known that breaks it"


def mutated(
    plan: Plan, make: Callable[..., Transport], settings: Settings, stack: str, env: str, production: bool
) -> Report:
    """Break what each sentence of a plan says, and return which of them turned red, as a report with the score.

    A sentence that turned red is ok, one that did not is critical; where there was no fault, or it could not be made
    or undone, it is unknown.
    """
    started, clock = time.time(), time.monotonic()
    going = Run(plan, make, settings)
    mutating = Mutating(going)
    with ending_in_order():
        try:
            results = mutating.results()
        finally:
            going.close()
    took = round(time.monotonic() - clock, 4)
    about = (stack, env, rfc3339.written(started), took, results, production, going.cost)
    return Report(*about, notes=[score(results)], problem="" if sentences(results) else "no sentence could be broken")


def sentences(results: Sequence[Result]) -> list[StepResult]:
    """Return all that was put to the test."""
    return [step for outcome in results if outcome.state != SKIPPED for step in outcome.steps]


def score(results: Sequence[Result]) -> str:
    """Return the mutation score, in words; in whole percent, and 100 for all of them alone."""
    steps = sentences(results)
    if steps and all(outcome.blocked_by is not None for outcome in results if outcome.state != SKIPPED):
        return f"no mutation score: nothing was broken, for no host of {counted(len(steps), 'sentence')} answers"
    red = sum(step.state == OK for step in steps)
    percent = 100 * red // len(steps) if steps else 0
    return f"mutation score {percent} %: {red} of {len(steps)} sentences turned red when what they say was broken"


class Mutating:
    """One run of it."""

    def __init__(self, going: Run) -> None:
        self.going = going

    def results(self) -> list[Result]:
        """Put every sentence to the test, task by task; then look whether all holds that held before."""
        plan, going = self.going.plan, self.going
        asked = [task for task in plan.tasks if self._left_out(task) is None]
        before = dict(zip((task.id for task in asked), going.check(asked), strict=True))
        found = []
        for task in plan.tasks:
            outcome = self._left_out(task) or self._task(task, before[task.id])
            if going.settings.on_result is not None:
                going.settings.on_result(outcome)
            found.append(outcome)
        after = dict(zip((task.id for task in asked), going.check(asked), strict=True))
        return [
            _not_as_before(outcome, after[outcome.id])
            if outcome.id in after and before[outcome.id].state == OK and after[outcome.id].state != OK
            else outcome
            for outcome in found
        ]

    def _left_out(self, task: Task) -> Result | None:
        """Return the result of a task in which nothing is broken, None for the others."""
        hosts = self.going.plan.hosts
        if task.skip:
            return skipped(task, hosts)
        if task.problem:
            return problem(task, hosts)
        if task.acting:
            return result(task, hosts, state=SKIPPED, reason=ACTS)
        if task.scenario.own:
            return result(task, hosts, state=UNKNOWN, reason=OWN)
        return None

    def _task(self, task: Task, before: Result) -> Result:
        began = time.monotonic()
        said = [
            (step, seen)
            for step, seen in zip(task.steps, before.steps, strict=True)
            if not step.line.condition and (isinstance(step, CheckStep) or seen.state != OK)
        ]
        if before.state == SKIPPED or before.blocked_by is not None:
            return before.changed(steps=tuple([seen for _, seen in said]))
        steps = [self._sentence(task, step, seen) if isinstance(step, CheckStep) else seen for step, seen in said]
        return result(task, self.going.plan.hosts, steps, duration=time.monotonic() - began)

    def _sentence(self, task: Task, step: CheckStep, seen: StepResult) -> StepResult:
        if seen.state != OK:
            return _step(step, UNKNOWN, f"it does not hold as things stand: {seen.reason}")
        if step.tail.quantifier != ALL or not step.looks:
            return _step(step, UNKNOWN, ACROSS)
        look = step.looks[0]
        host = self._host(look)
        if not host:
            return _step(step, UNKNOWN, "which host of this stack it is about is not known")
        try:
            claim = Claim(look.check, step.negated, step.threshold.critical if step.threshold else None)
            act = fault(claim)
        except InfratestError as error:
            act = str(error)
        if isinstance(act, str):
            return _step(step, UNKNOWN, act)
        return self._broken(task, step, host, act)

    def _broken(self, task: Task, step: CheckStep, host: str, act: Act) -> StepResult:
        """Make a fault, look, undo it, and look again."""
        words = in_words(act)
        first = self._look(task, step)
        if first.state != OK:
            return _step(step, UNKNOWN, f"it does not hold before its own fault, behind those before: {first.reason}")
        acting, failure, red = Acting(self.going, task), "", first
        try:
            if isinstance(act, Guarded):
                act.guard(HostAccess(self.going, host), self.going.deadline.at_most(act.seconds))
            acting.act_on(host, act, self.going.deadline.at_most(act.seconds))
            red = self._until(task, step, (CRITICAL, WARNING), RED_SECONDS)
        except InfratestError as error:
            failure = f"the fault could not be made: {error}"
        except KeyboardInterrupt:
            self.going.connections.close_to_others()
            raise
        finally:
            problems = acting.undo()
        green = self._until(task, step, (OK,), GREEN_SECONDS)
        if problems:
            return _step(step, UNKNOWN, problems[0].reason)
        if green.state != OK:
            return _step(step, CRITICAL, f"it does not hold any more, {words} and that undone: {green.reason}")
        return _step(step, UNKNOWN, failure) if failure else _judged(step, words, red)

    def _until(self, task: Task, step: CheckStep, states: Sequence[str], seconds: float) -> Verdict:
        """Look until a sentence is in one of the states, or the time is over; return the last verdict."""
        deadline, pause = self.going.deadline.at_most(seconds), PAUSE
        while True:
            verdict = self._look(task, step)
            if verdict.state in states or deadline.passed:
                return verdict
            time.sleep(min(pause, deadline.left))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _look(self, task: Task, step: CheckStep) -> Verdict:
        """Ask a sentence once, now: without its `within` and `for`."""
        tail: Tail = step.tail.changed(within=None, during=None)
        once: CheckStep = step.changed(tail=tail)
        item = Item(once, task.scenario.severity, self.going.deadline)
        settle([item], self.going.collector, self.going.deadline, {})
        return item.verdict or Verdict(state=UNKNOWN, reason="it was not asked")

    def _host(self, look: Look) -> str:
        """Return the host whose state a look is about, empty where none of the stack's is it."""
        hosts = self.going.plan.hosts
        if look.location != CONTROLLER and look.location in hosts:
            return look.location
        if look.subject in hosts:
            return look.subject
        texts = [value for value in look.check.values() if isinstance(value, str)]
        for host in hosts.values():
            if any(place and place in text for text in texts for place in (host.address, host.name)):
                return host.name
        return ""


def _judged(step: CheckStep, words: str, red: Verdict) -> StepResult:
    if red.state in (CRITICAL, WARNING):
        shown = Evidence("fault", words, None, f"{red.state}: {red.reason}", 0.0)
        return StepResult(step.line.text, step.line.number, OK, "", evidence=(shown,))
    if red.state == OK:
        return _step(step, CRITICAL, f"survived: {words}, and it still held after {RED_SECONDS:.0f} s")
    return _step(step, UNKNOWN, f"unknown and not red, for {words}: {red.reason}")


def _step(step: CheckStep, state: str, reason: str) -> StepResult:
    return StepResult(step.line.text, step.line.number, state, reason)


def _not_as_before(outcome: Result, after: Result) -> Result:
    words = f"it does not hold any more when all faults are undone: {after.reason}"
    step = StepResult("(afterwards)", outcome.line, CRITICAL, words)
    changed: Result = outcome.changed(state=CRITICAL, reason=words, steps=(*outcome.steps, step))
    return changed
