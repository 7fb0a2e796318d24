"""Feature files as pytest collects them: one item for each scenario and host, each shown the result that is its own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infratest.cleaning import clean
from infratest.engine import faces
from infratest.engine.tasks import Task
from infratest.errors import InfratestError, NothingSelected
from infratest.model import Result, StepResult
from infratest.pytest_plugin import InfratestWarning
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WARNING

if TYPE_CHECKING:
    from infratest.pytest_plugin.active import Active

TEXT_LIMIT = 8000
#: Markers that do something in pytest itself. A tag of that name is a keyword (`-k`) and no marker: `@xfail` on a
#: scenario must not turn a failure into a pass.
PYTESTS = frozenset("skip skipif xfail parametrize usefixtures filterwarnings tryfirst trylast".split())


class FeatureFile(pytest.File):
    """One feature file."""

    active: Active

    def collect(self) -> Iterable[pytest.Item]:
        wanted = faces.Wanted(features=(str(self.path),))
        try:
            made = faces.prepare(self.active.session, wanted, self.active.declared).plan
        except NothingSelected:
            return
        except InfratestError as error:
            raise self.CollectError(clean(str(error), TEXT_LIMIT, lines=True)) from None
        for task in made.tasks:
            key = task.scenario.key.rpartition("#")[2]
            yield ScenarioItem.from_parent(self, name=f"{key}[{task.host}]", task=task, active=self.active)


class ScenarioItem(pytest.Item):
    """One scenario on one host."""

    def __init__(self, *, task: Task, active: Active, **others: Any) -> None:
        super().__init__(**others)
        self.task = task
        self.active = active
        self._text = ""
        for tag in task.scenario.tags:
            self.extra_keyword_matches.add(tag)
            if re.fullmatch(r"[A-Za-z][\w.-]*", tag) and tag not in active.reserved:
                active.register(tag)
                self.add_marker(getattr(pytest.mark, tag))
        if task.acting and self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group("infratest-acting"))

    def setup(self) -> None:
        """Get the result; what could not be known is an error of this phase, no failure of the test."""
        found = self.active.result(self.task)
        self.user_properties.append(("infratest_state", "blocked" if found.blocked_by else found.state))
        self.found = found
        if found.state == SKIPPED:
            raise pytest.skip.Exception(clean(found.reason), _use_item_location=True)
        if found.state == UNKNOWN or found.blocked_by is not None:
            pytest.fail(self._told(), pytrace=False)

    def runtest(self) -> None:
        if self.found.state == CRITICAL:
            pytest.fail(self._told(), pytrace=False)
        if self.found.state == WARNING:
            warnings.warn_explicit(self._told(), InfratestWarning, str(self.path), self.task.scenario.line)
        elif self.found.state != OK:
            pytest.fail(f"{self.found.state!r} is no state that passes", pytrace=False)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, InfratestWarning):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        scenario, host = self.task.scenario, self.task.host
        return self.path, max(scenario.line - 1, 0), scenario.name if host == "-" else f"{scenario.name} @ {host}"

    def _told(self) -> str:
        return clean("\n".join(_lines(self.found, self.active.why(self.found))), TEXT_LIMIT, lines=True)


def _lines(found: Result, blocker: str) -> Iterator[str]:
    """Yield what is not as it should be: what was expected, what was seen, where that is written, and evidence."""
    yield f"{'blocked' if found.blocked_by else found.state}: {blocker or found.reason}"
    for step in found.steps:
        if step.state != OK and found.blocked_by is None:
            yield from _step(found, step)
    if found.runbook:
        yield f"runbook: {found.runbook}"


def _step(found: Result, step: StepResult) -> Iterator[str]:
    yield f"{found.feature}:{step.line}:"
    yield f"    expected: {step.text}"
    yield f"    {'seen' if step.state in (CRITICAL, WARNING) else step.state}: {step.reason}"
    for evidence in step.evidence:
        ended = "" if evidence.exit is None else f"  (exit {evidence.exit})"
        yield f"    $ {evidence.command}{ended}"
        yield from (f"    > {line}" for line in evidence.output.splitlines())
