"""Scenarios that hold steps of the user's own: run whole and in order by behave's ModelRunner, as results of ours.

Called by the engine with the tasks of a stretch, one stretch at a time, in a process of its own (`users_apart`).
Sentences of ours in them, and in the texts that a step hands to `context.execute_steps`, collect when they are reached,
through the same engine and judge as everywhere. behave's own output capture is off; what steps and hooks print goes to
standard error, because standard output belongs to the report.
"""

from __future__ import annotations

import copy
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import behave
from behave.configuration import Configuration
from behave.matchers import Match
from behave.model_type import Status
from behave.runner import Context, ModelRunner

from infratest.cleaning import clean
from infratest.engine.acting import Acting
from infratest.engine.results import result
from infratest.engine.run import Run
from infratest.errors import InfratestError
from infratest.gherkin.suite import THEN, Line
from infratest.gherkin.vocabulary import vocabulary
from infratest.model import NOT_JUDGED, Evidence, Result, StepResult
from infratest.plan.sessions import Session
from infratest.plan.tasks import ActStep, CheckStep, OtherStep, Step, Task
from infratest.states import OK, SKIPPED, UNKNOWN, failed, held, worst
from infratest.user_steps.calls import called, put_in
from infratest.user_steps.load import UsersSteps
from infratest.user_steps.stack import Stack

REASON_LIMIT, TRACE_LIMIT = 500, 2000
BEHAVE = str(Path(behave.__file__).parent)  # its own code: not what a user looks for in a traceback

#: Returns what a sentence comes to in a task, for one that a step of the user's own holds. Raises UserError.
PlanLine = Callable[[Line, Task], Step]


def users_tasks(
    steps: UsersSteps, parameters: Mapping[str, Any], plan_line: PlanLine, at: Callable[[str], None]
) -> Callable[[Sequence[Task], Run], list[Result]]:
    """Return what runs such tasks, for the engine's settings.

    Args:
        parameters: the stack's, which a step finds as `context.config.userdata`.
        at: told which step or hook of the user's is at work, and an empty text when it has ended.
    """

    def run(tasks: Sequence[Task], going: Run) -> list[Result]:
        return _Stretch(steps, parameters, tasks, going, plan_line, at).results()

    return run


class _Stretch:
    """Tasks that follow each other: one run of behave, with its hooks before and after all."""

    def __init__(
        self,
        steps: UsersSteps,
        parameters: Mapping[str, Any],
        tasks: Sequence[Task],
        going: Run,
        plan_line: PlanLine,
        at: Callable[[str], None],
    ) -> None:
        self.steps = steps
        self.parameters = parameters
        self.plan_line = plan_line
        self.at = at
        self.reason = ""
        self.going = going
        self.stack = Stack(going)
        self.scenarios = [_Scenario(task, going) for task in tasks]
        self.now: _Scenario | None = None
        self.line = 0  # of the step that is at work
        self.planned = {id(step): (one, place) for one in self.scenarios for place, step in enumerate(one.behaves)}

    def results(self) -> list[Result]:
        features = [
            _trimmed(list(group)) for _, group in groupby(self.scenarios, lambda one: one.task.scenario.feature)
        ]
        runner = self._runner(features)
        for one in self.scenarios:
            one.copied.run = partial(self._run, one, one.copied.run)
        try:
            with self.steps.importable(), redirect_stdout(sys.stderr):
                runner.run_model()
        except SystemExit as error:
            runner.reasons.append(f"a step ended the program (exit {error.code})")
        finally:
            for one in self.scenarios:
                one.undo()
        if runner.interrupted:
            raise KeyboardInterrupt
        return [one.result(runner.problems(one)) for one in self.scenarios]

    def _run(self, one: _Scenario, run: Callable[[Any], Any], runner: Any) -> Any:
        """Run a scenario and tell at once what came of it: those after it may end the process."""
        failed = run(runner)
        if self.going.settings.on_result is not None:
            self.going.settings.on_result(one.result(runner.problems(one)))
        return failed

    def find_match(self, step: Any) -> Any:
        """Return what runs a step, as behave asks its registry: ours, or the user's own."""
        one, place = self.planned.get(id(step), (None, 0))
        if one is None:  # a step in a step's own text (context.execute_steps)
            return self._users_match(step) or self._nested(step)
        self.now, self.line = one, step.line
        self.stack.begin(one.task)
        planned = one.task.steps[place]
        if planned.line.user:
            one.copied.continue_after_failed_step = False
            if isinstance(planned, OtherStep):
                put_in(step, planned)
            return self._users_match(step)
        if isinstance(planned, OtherStep) and planned.problem:
            return None
        return Match(lambda context: one.ours(place, context), [])

    def _users_match(self, step: Any) -> Any:
        match = called(self.steps, step, self.going.deadline)
        if match is None:
            return None
        function = match.func

        def at_work(*arguments: Any, **named: Any) -> None:
            self.at(f"your step {step.name!r} ({match.location})")
            self._noted(lambda: function(*arguments, **named))
            self.at("")

        match.func = at_work
        return match

    def _nested(self, step: Any) -> Any:
        """Return what runs a sentence of ours that a step of the user's own holds; a match that says why not."""
        match = vocabulary().match(step.name)
        line = Line(step.step_type, step.keyword, step.name, self.line, match, handed=True)
        now = self.now
        if now is None:  # in a hook before all scenarios
            return None
        return Match(lambda context: self._noted(lambda: now.nested(self.plan_line(line, now.task), context)), [])

    def _noted(self, work: Callable[[], None]) -> None:
        """Do work and keep the words of what it raises: of a step in a step behave hands on its traceback alone."""
        self.reason = ""
        try:
            work()
        except Exception as error:
            self.reason, said = clean(str(error), REASON_LIMIT), type(error).__name__
            if not isinstance(error, InfratestError | AssertionError):
                self.reason = f"{said}: {self.reason}"
            raise

    def _runner(self, features: list[Any]) -> Any:
        off = dict.fromkeys(("capture", "capture_stdout", "capture_stderr", "capture_log", "capture_hooks"), False)
        config = Configuration([], load_config=False, summary=False, **off)
        config.update_userdata(dict(self.parameters))
        runner = _Runner(config, features, self)
        runner.hooks = dict(self.steps.hooks)
        runner.context = _Context(runner)
        runner.context._set_root_attribute("infratest", self.stack)
        return runner


class _Scenario:
    """One task on its way: a copy of behave's scenario, and what came of each line."""

    def __init__(self, task: Task, going: Run) -> None:
        self.task = task
        self.acting = Acting(going, task)
        self.found: dict[int, list[StepResult]] = {}
        self.session = Session()
        self.unjudged: set[int] = set()  # places of our sentences that come behind what stopped it
        source: Any = task.scenario.source
        self.source = source
        # A copy, because one scenario may run on many hosts and again in the same process.
        self.copied = copied = copy.copy(source)
        copied.steps = [_fresh(step) for step in source.steps]
        copied._background_steps = [_fresh(step) for step in source.background_steps]
        copied.hook_failed, copied.should_skip, copied.error_message = False, False, None
        copied.clear_status()
        self.behaves: list[Any] = list(copied.all_steps)
        self.problems: list[StepResult] = []
        self.inside: list[Any] = []  # the copies of its rule and feature

    def ours(self, place: int, context: Any) -> None:
        """Carry out one of our own sentences; behave is told by an exception that it does not hold."""
        step = self.session.going_on(self.task.steps[place], self.task.scenario.path)
        before = len(self.acting.steps)
        self.unjudged |= {place} if self.acting.stop else set()
        # A check that does not hold stops nothing: those after it are judged too, as in every scenario.
        self.copied.continue_after_failed_step = isinstance(step, CheckStep) and step.line.kind == THEN
        self.acting.lines([step])
        self.found[place] = self.acting.steps[before:]
        self._told(self.found[place], context)

    def nested(self, step: Step, context: Any) -> None:
        """Carry out a sentence of ours that a step of the user's own holds."""
        if isinstance(step, ActStep) and not self.task.acting:
            raise InfratestError(f"'{step.line.text}' changes something, and the step that holds it only looks")
        before = len(self.acting.steps)
        self.acting.lines([self.session.going_on(step, self.task.scenario.path)])
        self._told(self.acting.steps[before:], context)

    def _told(self, found: Sequence[StepResult], context: Any) -> None:
        """Tell behave what came of a sentence."""
        if self.acting.undos:
            context.add_cleanup(self.undo)
        state = worst(one.state for one in found)
        if state == UNKNOWN:
            raise InfratestError(found[-1].reason)
        if not held(state, self.task.scenario.severity):
            raise AssertionError(found[-1].reason)

    @property
    def around(self) -> list[Any]:
        """What hooks and clean-ups are about: the scenario, its rule, its feature."""
        return [self.copied, *self.inside]

    def undo(self) -> None:
        """Undo this scenario's faults; done once, whoever asks first."""
        self.problems += self.acting.undo()

    def result(self, problems: Sequence[str]) -> Result:
        """Return what it came to.

        Args:
            problems: what went wrong around its steps: hooks, clean-ups, an end before its time.
        """
        well = all(one.state == OK for found in self.found.values() for one in found)
        well = well and not any(step.status.has_failed() for step in self.behaves)
        if self.copied.should_skip and well and not problems and not self.problems:
            reason = self.copied.skip_reason or "skipped by your own step or hook"
            return result(self.task, self.acting.going.plan.hosts, state=SKIPPED, reason=clean(reason, REASON_LIMIT))
        steps: list[StepResult] = []
        stop, unjudged = "", set[int]()
        for place, (step, behaves) in enumerate(zip(self.task.steps, self.behaves, strict=True)):
            if place in self.found:
                found = self.found[place]
                unjudged |= set(range(len(steps), len(steps) + len(found))) if place in self.unjudged else set()
            elif behaves.status in (Status.untested, Status.skipped):
                found = [_step(step, UNKNOWN, f"{NOT_JUDGED}{stop or 'it was not reached'}")]
                unjudged |= {len(steps)} if stop else set()
            else:
                found = [self._users(step, behaves)]
            if not stop and not all(held(one.state, self.task.scenario.severity) for one in found):
                stop = f"'{step.line.text}' did not hold"
            steps += found
        line = self.task.scenario.line
        around = [StepResult("(hooks)", line, UNKNOWN, clean(words, REASON_LIMIT)) for words in problems]
        self.acting.steps = [*around, *steps, *self.problems]
        self.acting.unjudged = {len(around) + place for place in unjudged}
        return self.acting.concluded(sum(behaves.duration for behaves in self.behaves))

    def _users(self, step: Step, behaves: Any) -> StepResult:
        if isinstance(step, OtherStep) and step.problem:
            return _step(step, UNKNOWN, step.problem)
        if behaves.status is Status.passed:
            return _step(step, OK, "")
        if behaves.status is Status.failed:
            return _step(step, failed(self.task.scenario.severity), _words(behaves), _trace(behaves))
        if behaves.status is Status.undefined:
            words = f"{behaves.name!r} is none of your steps: with its values put in, its text no longer fits"
            return _step(step, UNKNOWN, words)
        words = "it is not written yet" if behaves.status.name.startswith("pending") else _words(behaves)
        return _step(step, UNKNOWN, words, _trace(behaves))


class _Context(Context):  # type: ignore[misc]  # behave has no types
    """behave's context; of a step in a step, only one that does not hold is a failure: any other end is unknown."""

    def execute_steps(self, steps_text: str) -> bool:
        try:
            return bool(super().execute_steps(steps_text))
        except AssertionError as error:
            line, reason = str(error).partition("\n")[0], self._runner.step_registry.reason
            status, _, text = line.partition(" SUB-STEP: ")  # what behave puts behind it is a traceback of its own
            words = f"{text or line}: {reason.removeprefix(text.partition(' ')[2] + ': ') or 'it does not hold'}"
            raise (AssertionError if status == "FAILED" else InfratestError)(words) from None


class _Runner(ModelRunner):  # type: ignore[misc]  # behave has no types
    """behave's runner, told to remember why it stopped."""

    def __init__(self, config: Any, features: list[Any], registry: Any) -> None:
        super().__init__(config, features, registry)
        self.reasons: list[str] = []
        self.broken: list[str] = []

    @property
    def interrupted(self) -> bool:
        return any("KeyboardInterrupt" in reason for reason in self.reasons)

    def abort(self, reason: str | None = None) -> None:
        self.reasons.append(str(reason))
        super().abort(reason)

    def run_hook(self, hook_name: str, *args: Any) -> bool:
        if self.should_run_hook(hook_name):
            self.step_registry.at(f"your hook {hook_name}")
        held: bool = super().run_hook(hook_name, *args)
        self.step_registry.at("")
        if not held and hook_name.endswith("_all"):
            self.broken.append(f"your hook {hook_name} failed; what it says is on standard error")
        return held

    def problems(self, one: _Scenario) -> list[str]:
        """Return what went wrong around a scenario: hooks of all, of its feature, its own; clean-ups; an end."""
        found = [*self.broken, *(reason for reason in self.reasons if "HOOK-ERROR" not in reason)]
        if self._cleaned_up_badly():
            found.append("a clean-up after all scenarios failed; what it says is on standard error")
        for part in one.around:
            if part.hook_failed:
                found.append(str(part.error_message or f"a hook of {part.name!r} failed"))
            elif part.status is Status.cleanup_error:
                found.append(f"a clean-up after {part.name!r} failed; what it says is on standard error")
        return found

    def _cleaned_up_badly(self) -> bool:
        """Whether a clean-up failed that was none of a scenario's, a rule's or a feature's."""
        if not self.context._root["cleanup_errors"] or not self.context.fail_on_cleanup_errors:
            return False
        parts = [part for one in self.step_registry.scenarios for part in one.around]
        return all(part.status is not Status.cleanup_error for part in parts)


def _trimmed(scenarios: Sequence[_Scenario]) -> Any:
    """Return a copy of their feature that holds these scenarios alone, in its rules."""
    wanted: dict[int, list[_Scenario]] = {}
    for one in scenarios:
        wanted.setdefault(id(one.source), []).append(one)
    return _holding(scenarios[0].source.feature, wanted, [])


def _holding(container: Any, wanted: Mapping[int, list[_Scenario]], outside: list[Any]) -> Any:
    made = copy.copy(container)
    made.run_items, made.hook_failed, made.error_message = [], False, None
    made.clear_status()
    for item in container.run_items:
        if hasattr(item, "run_items"):
            inner = _holding(item, wanted, [made, *outside])
            made.run_items += [inner] if inner.run_items else []
            continue
        for source in item.scenarios if hasattr(item, "examples") else [item]:
            for one in wanted.get(id(source), ()):
                one.copied.feature = outside[-1] if outside else made
                one.inside = [made, *outside]
                made.run_items.append(one.copied)
    return made


def _fresh(step: Any) -> Any:
    made = copy.copy(step)
    made.reset()
    return made


def _step(step: Step, state: str, reason: str, evidence: Sequence[Evidence] = ()) -> StepResult:
    return StepResult(step.line.text, step.line.number, state, clean(reason, REASON_LIMIT), (), evidence)


def _words(behaves: Any) -> str:
    """Return why a user's step failed, in one line: its exception's words, or where it stood."""
    error = behaves.exception
    if error is None:
        return str(behaves.error_message or "a hook of this step failed")
    said = str(error).strip()
    if isinstance(error, AssertionError):
        return said or f"does not hold: {_place(behaves)}"
    if isinstance(error, InfratestError):  # our own words for users: where we raised them is nothing to a reader
        return said
    return f"{type(error).__name__}: {said} ({_place(behaves)})"


def _place(behaves: Any) -> str:
    frames: Iterator[Any] = iter(reversed(traceback.extract_tb(behaves.exc_traceback)))
    last = next(frames, None)
    return f"{last.line} ({last.filename}:{last.lineno})" if last else "somewhere"


def _trace(behaves: Any) -> tuple[Evidence, ...]:
    """Return the way to what was raised, from the user's own code on."""
    if behaves.exception is None:
        return ()
    frames = [frame for frame in traceback.extract_tb(behaves.exc_traceback) if not frame.filename.startswith(BEHAVE)]
    text = "".join(traceback.format_list(frames[-3:]))
    return (Evidence("your step", behaves.name, None, clean(text, TRACE_LIMIT, lines=True), behaves.duration),)
