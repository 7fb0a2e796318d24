"""What a session asks of its hosts for feature items: all checks in one run, what acts or is repeated each alone.

Called by the items. The one run is made when the first item needs it, by whichever worker comes first; every item
finds its own result in it by id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import infratest
from infratest.engine.results import Needs, blocked, result
from infratest.errors import InfratestError
from infratest.model import Report, Result
from infratest.plan.tasks import Task
from infratest.project.execute import carry_out, execute, problem, store
from infratest.project.prepare import Choice, Request, plan_for
from infratest.project.session import Session
from infratest.pytest_plugin.once import Shared
from infratest.states import UNKNOWN
from infratest.user_steps.load import users_steps
from infratest.waivers import is_finding

#: Seconds that an acting scenario waits for another one, of another worker or run, to end.
LOCK_WAIT = 600.0


class Runs:
    """The runs of a session, or of one worker of it.

    Args:
        tags: of `--tags`, for a scenario may be skipped unless they name it. bring_up: makes sure that the stack is up.
        acting: what is done inside may change a host.
    """

    def __init__(
        self,
        session: Session,
        shared: Shared,
        tags: Sequence[str],
        bring_up: Callable[[], None],
        acting: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.checking: Sequence[Task] = ()
        self._session = session
        self._shared = shared
        self._request = Request(tags=tags, wait=LOCK_WAIT)
        self._bring_up = bring_up
        self._acting = acting
        self._joint: dict[str, Result] | None = None
        self._problem = ""
        self._last: dict[str, Result] = {}
        self._needs = Needs()
        self._alone: list[Report] = []
        #: What is wrong with waivers of the stack, by what ran so far.
        self.wrong: dict[str, None] = {}

    def result(self, task: Task, again: bool) -> Result:
        """Return the result of a task.

        Args:
            again: it has been asked before, and is to be asked of the hosts anew.
        """
        joint = self._checked()
        if not (again or task.acting):
            return joint.get(task.id) or self._missing(task, self._problem)
        blocker = self._needs.blocker(task)
        outcome = blocked(task, {}, blocker) if blocker else self._run_alone(task)
        self._needs.judged(task, outcome)
        return outcome

    def _run_alone(self, task: Task) -> Result:
        report = self._run([task], carry_out)
        self._alone.append(report)
        self._note(report)
        return next((one for one in report.results if one.id == task.id), None) or self._missing(task, report.problem)

    def blocker(self, blocked: Result) -> Result | None:
        """Return the result that blocks another one, None where it is not known."""
        return self._last.get(blocked.blocked_by or "")

    def close(self) -> None:
        """Keep what ran alone, at once: the history is as long as the project is large."""
        if self._alone:
            first = self._alone[0]
            results = [one for report in self._alone for one in report.results]
            store(self._session, first.changed(results=results, problem=""))
            self._alone.clear()

    def _missing(self, task: Task, problem: str) -> Result:
        return result(task, {}, state=UNKNOWN, reason=problem or "the run gave no result for it")

    def _checked(self) -> dict[str, Result]:
        """Return the results of all checking tasks, by id."""
        if self._joint is None:
            report = Report.from_dict(self._shared.once("checked", self._check)) if self.checking else None
            self._joint = {one.id: one for one in report.results} if report else {}
            self._problem = report.problem if report else ""
            if report:
                self._note(report)
            for task in self.checking:
                if task.id in self._joint:
                    self._needs.judged(task, self._joint[task.id])
        return self._joint

    def _note(self, report: Report) -> None:
        self._last.update({one.id: one for one in report.results})
        words = [f"{one.feature}:{one.line}: {one.scenario}: {one.reason}" for one in report.results if is_finding(one)]
        self.wrong.update(dict.fromkeys(words))

    def _check(self) -> dict[str, Any]:
        report = self._run(self.checking, execute)
        if not report.problem:
            store(self._session, report)
        return report.as_dict(infratest.__version__)

    def _run(self, tasks: Sequence[Task], carry_out: Callable[..., Report]) -> Report:
        """Run tasks as they are planned now, with the hosts as they are."""
        with self._acting():
            try:
                self._bring_up()
                scenarios = list({task.scenario.key: task.scenario for task in tasks}.values())
                own = any(scenario.own for scenario in scenarios)
                users = users_steps(self._session.stack.folder) if own else None
                choice = Choice(scenarios=scenarios, users=users)
                prepared = plan_for(self._session, self._request, choice)
                ids = {task.id for task in tasks}
                left = tuple(task for task in prepared.plan.tasks if task.id in ids)
                prepared = replace(prepared, plan=prepared.plan.changed(tasks=left))
                return carry_out(self._session, self._request, prepared)
            except InfratestError as error:
                return problem(self._session, error)
