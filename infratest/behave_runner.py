"""The runner that plain `behave` is pointed at: `runner = infratest.behave_runner:Runner` in behave.ini.

behave reads its own options and shows what happened by its own formatters; what is run, judged and counted is the
engine's, through the same door as every other face. Status 0 only for ok and warning: a run in which nothing was
checked is never green. `-D name=value` are parameters of the stack file, but for stack, env, host, state
and scenario, which are the options of these names. What is not given, the variables INFRATEST_* say.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from behave.api.runner import ITestRunner
from behave.exception import ConfigError
from behave.formatter._registry import make_formatters
from behave.matchers import NoMatch
from behave.model_type import Status
from behave.reporter.junit import JUnitReporter

from infratest import outsiders
from infratest.cleaning import clean
from infratest.errors import InfratestError
from infratest.model import Report, Result, StepResult
from infratest.outputs._evidence import lines as evidence_lines
from infratest.outputs._shares import shares
from infratest.plan.tasks import NO_HOST, Task
from infratest.project.execute import execute, store
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session, mirrored, session_of
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING

#: Our states as behave shows them. Never read back: what decides is the report's state.
SHOWN = {
    OK: Status.passed,
    WARNING: Status.passed,
    CRITICAL: Status.failed,
    UNKNOWN: Status.error,
    SKIPPED: Status.skipped,
    WAIVED: Status.skipped,
}
GREEN = (OK, WARNING)
#: behave's options that would change what runs, and that this runner does not have: refused, never ignored.
REFUSED = ("wip", "steps_catalog", "dry_run", "stop", "name", "include_re", "exclude_re", "stage")
OPTIONS = ("stack", "env", "host", "state", "scenario")


class Runner(ITestRunner):  # type: ignore[misc]  # behave has no types
    """One run of `behave`."""

    def __init__(self, config: Any) -> None:
        self.config = config

    @property
    def _verbosity(self) -> int:
        return int(bool(self.config.verbose))

    @property
    def undefined_steps(self) -> list[Any]:
        """None for behave: an undefined sentence is a result of ours, with the nearest sentence in its reason."""
        return []

    def run(self) -> bool:
        """Run, show, and return whether behave is to exit with 1.

        Raises:
            ConfigError: an option of behave's that this runner does not have.
        """
        for name in REFUSED:
            if getattr(self.config, name, None):
                option = name.removesuffix("_re").replace("_", "-")
                raise ConfigError(f"--{option}: not with infratest's runner; choose by --tags or FEATURE:LINE")
        try:
            session = _session(self.config)
            report = self._checked(session)
        except InfratestError as error:
            _say(f"infratest: {error}")
            return True
        except KeyboardInterrupt:
            _say("infratest: interrupted")
            return True
        return report.state not in GREEN

    def _checked(self, session: Session) -> Report:
        tags = self.config.tag_expression.to_string() if self.config.tags else mirrored("tags")
        scenario = self.config.userdata.get("scenario") or mirrored("scenario")
        request = Request(
            features=self.config.paths,
            tags=(tags,) if tags else (),
            scenario=scenario,
            face="test",
        )
        prepared = prepare(session, request)
        report = execute(session, request, prepared)
        store(session, report)
        self._show(report, {task.id: task for task in prepared.plan.tasks})
        if self.config.junit:
            folder = Path(self.config.junit_directory)
            folder.mkdir(parents=True, exist_ok=True)
            text = outsiders.get("output", "junit")(verbosity=0, colour=False).render(report)
            (folder / "TESTS-infratest.xml").write_text(text, encoding="utf-8")
        return report

    def _show(self, report: Report, tasks: dict[str, Task]) -> None:
        formatters = make_formatters(self.config, self.config.outputs)
        reporters = [one for one in self.config.reporters if not isinstance(one, JUnitReporter)]
        shown = [(tasks[result.id], result) for result in report.results if result.id in tasks]
        seconds = shares(report)
        for _, group in groupby(shown, lambda pair: pair[1].feature):
            feature = _feature(list(group), seconds, self._verbosity)
            for formatter in formatters:
                _play(formatter, feature, self.config.show_skipped)
            for reporter in reporters:
                reporter.feature(feature)
        for formatter in formatters:
            formatter.close()
        for reporter in reporters:
            reporter.duration = report.duration  # behave's own clock measures how long it takes to show this
            reporter.end()
        for result in report.results:
            if result.id not in tasks or result.state == WAIVED:
                _say(f"{result.state}: {result.id}: {result.reason}")
        counts = ", ".join(f"{number} {state}" for state, number in report.counts.items() if number)
        _say("\n".join([*report.notes, f"infratest: {report.state.upper()} ({counts or 'nothing was checked'})"]))


def _session(config: Any) -> Session:
    given = {name: str(value) for name, value in config.userdata.items()}
    options = {name: given.pop(name, None) for name in OPTIONS}
    return session_of(
        options["stack"],
        env=options["env"],
        host=(options["host"],) if options["host"] else (),
        state=options["state"],
        defined=given,
        jobs=config.jobs if config.jobs > 1 else None,
        verbosity=int(bool(config.verbose)),
    )


def _feature(results: Sequence[tuple[Task, Result]], seconds: Mapping[str, float], verbosity: int) -> Any:
    """Return a copy of behave's feature that holds these scenarios, one for each host, as they came out."""
    source: Any = results[0][0].scenario.source
    made = copy.copy(source.feature)
    made.run_items = [_scenario(task, result, seconds[result.id], verbosity) for task, result in results]
    made.clear_status()
    return made


def _scenario(task: Task, result: Result, seconds: float, verbosity: int) -> Any:
    source: Any = task.scenario.source
    made = copy.copy(source)
    # One without a name is called as its id is; of an outline, behave's mark of the row stays behind it.
    name = source.name if source.name.partition(" -- @")[0].strip() else f"{task.scenario.name}{source.name}"
    made.name = name if task.host == NO_HOST else f"{name} @ {task.host}"
    made._background_steps = [copy.copy(step) for step in source.background_steps]
    made.steps = [copy.copy(step) for step in source.steps]
    left = list(result.steps)
    steps = list(made.all_steps)
    for step in steps:
        step.reset()
        step.duration = seconds / len(steps)
        found = next((one for one in left if (one.text, one.line) == (step.name, step.line)), None)
        if found is not None:
            left.remove(found)
        _tell(step, found, verbosity)
        if result.state == WAIVED and step.status is Status.failed:
            step.status = Status.skipped  # behave counts steps, too
    # What belongs to no line: why nothing could be asked, a hook, an undo. Its first line says so.
    around = [f"{one.text} {one.reason}" for one in left] or ([] if result.steps else [result.reason])
    first = next(iter(made.all_steps), None)
    if first is not None and any(around):
        first.status = SHOWN[result.state]
        first.error_message = "\n".join(filter(None, [*map(clean, around), first.error_message]))
    made.clear_status()
    made.set_status(SHOWN[result.state])
    return made


def _tell(step: Any, found: StepResult | None, verbosity: int) -> None:
    step.status = Status.skipped if found is None else SHOWN[found.state]
    if found is not None and found.state != OK:
        lines = [f"{found.state}: {found.reason}"]
        for evidence in found.evidence:
            lines += [
                f"  $ {evidence.command}",
                *(f"  > {line}" for line in evidence_lines(evidence, verbosity, found.text)),
            ]
        step.error_message = clean("\n".join(lines), 4000, lines=True)


def _play(formatter: Any, feature: Any, skipped: bool) -> None:
    """Tell one of behave's formatters what happened, in the order of calls that it knows."""
    formatter.uri(feature.filename)
    formatter.feature(feature)
    if feature.background:
        formatter.background(feature.background)
    for scenario in feature.run_items:
        if scenario.status is Status.skipped and not skipped:
            continue
        formatter.scenario(scenario)
        steps = list(scenario.all_steps)
        for step in steps:
            formatter.step(step)
        for step in steps:
            for match in _matches(step):
                formatter.match(match)
            formatter.result(step)
    formatter.eof()


def _matches(step: Any) -> Iterator[Any]:
    match = NoMatch()
    match.location = step.location
    yield match


def _say(words: str) -> None:
    sys.stderr.write(clean(words, 4000, lines=True) + "\n")
    sys.stderr.flush()
