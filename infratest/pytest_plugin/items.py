"""Feature files as pytest collects them: one item for each scenario and host, each shown the result that is its own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infratest.cleaning import clean
from infratest.errors import InfratestError
from infratest.model import Result, StepResult
from infratest.outputs._evidence import lines
from infratest.plan.tasks import Task
from infratest.pytest_plugin import InfratestWarning
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING

if TYPE_CHECKING:
    from infratest.pytest_plugin.active import Active

TEXT_LIMIT = 8000
#: The property of a test's report that holds its state, as a scenario's alone does.
STATE = "infratest_state"
#: That of each waiver which is wrong: pytest has no test for it, and the session is red by it.
WAIVER = "infratest_waiver"
#: Markers that do something in pytest itself. A tag of that name is a keyword (`-k`) and no marker: `@xfail` on a
#: scenario must not turn a failure into a pass.
PYTESTS = frozenset("skip skipif xfail parametrize usefixtures filterwarnings tryfirst trylast".split())


class FeatureFile(pytest.File):
    """One feature file."""

    active: Active

    def collect(self) -> Iterable[pytest.Item]:
        try:
            tasks = self.active.scenarios.tasks(self.path)
        except InfratestError as error:
            raise self.CollectError(clean(str(error), TEXT_LIMIT, lines=True)) from None
        for task in tasks:
            name = f"{task.scenario.key.rpartition('#')[2]}[{task.host}]"
            # As text: what is in brackets is then read as a parameter, by pytest itself (--lf, --sw) too.
            nodeid = f"{self.nodeid}::{name}"
            yield ScenarioItem.from_parent(self, name=name, nodeid=nodeid, task=task, active=self.active)


class ScenarioItem(pytest.Item):
    """One scenario on one host."""

    def __init__(self, *, task: Task, active: Active, **others: Any) -> None:
        super().__init__(**others)
        self.task = task
        self.active = active
        self.found: Result | None = None
        for tag in task.scenario.tags:
            self.extra_keyword_matches.add(tag)
            if re.fullmatch(r"[A-Za-z][\w.-]*", tag) and tag not in active.reserved:
                active.register(tag)
                self.add_marker(getattr(pytest.mark, tag))
        if task.acting and self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group("infratest-acting"))

    def setup(self) -> None:
        """Get the result; what could not be known is an error of this phase, no failure of the test."""
        # Whoever has the item run once more (--reruns) wants the hosts asked once more.
        found = self.found = self.active.runs.result(self.task, again=self.found is not None)
        others = [each for each in self.user_properties if each[0] not in (STATE, WAIVER)]
        state = "blocked" if found.blocked_by else found.state
        self.user_properties[:] = [*others, (STATE, state), *((WAIVER, words) for words in self.active.runs.wrong)]
        if found.state == SKIPPED:
            raise pytest.skip.Exception(clean(found.reason), _use_item_location=True)
        if found.state == WAIVED:
            # A failure that is expected, with why: what pytest itself has a word for, and --runxfail does without.
            raise pytest.xfail.Exception(clean(found.reason))
        if found.state == UNKNOWN or found.blocked_by is not None:
            pytest.fail(self._told(found), pytrace=False)

    def runtest(self) -> None:
        found = self.found
        if found is None:
            pytest.fail("it was not asked: a plugin has run it without its setup", pytrace=False)
        if found.state == CRITICAL:
            pytest.fail(self._told(found), pytrace=False)
        if found.state == WARNING:
            warnings.warn_explicit(self._told(found), InfratestWarning, str(self.path), self.task.scenario.line)
        elif found.state != OK:
            pytest.fail(f"{found.state!r} is no state that passes", pytrace=False)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, InfratestWarning):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        scenario, host = self.task.scenario, self.task.host
        return self.path, max(scenario.line - 1, 0), scenario.name if host == "-" else f"{scenario.name} @ {host}"

    def _told(self, found: Result) -> str:
        blocker = self.active.runs.blocker(found)
        why = f"{found.reason}: {blocker.reason}" if blocker else ""
        verbosity = max(0, self.config.get_verbosity())
        return clean("\n".join(_lines(found, why, verbosity)), TEXT_LIMIT, lines=True)


def _lines(found: Result, blocker: str, verbosity: int) -> Iterator[str]:
    """Yield what is not as it should be: what was expected, what was seen, where that is written, and evidence."""
    yield f"{'blocked' if found.blocked_by else found.state}: {blocker or found.reason}"
    for step in found.steps:
        if step.state != OK and found.blocked_by is None:
            yield from _step(found, step, verbosity)
    if found.runbook:
        yield f"runbook: {found.runbook}"


def _step(found: Result, step: StepResult, verbosity: int) -> Iterator[str]:
    yield f"{found.feature}:{step.line}:"
    yield f"    expected: {step.text}"
    yield f"    {'seen' if step.state in (CRITICAL, WARNING) else step.state}: {step.reason}"
    for evidence in step.evidence:
        ended = "" if evidence.exit is None else f"  (exit {evidence.exit})"
        yield f"    $ {evidence.command}{ended}"
        yield from (f"    > {line}" for line in lines(evidence, verbosity, step.text))
