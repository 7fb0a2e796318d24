"""A pytest session that is about a stack: what is collected, run once and handed out, brought up and destroyed.

Registered by the plugin where a stack is named. All checking scenarios that are selected run together at first need,
as under every face: one plan, one login a host. Acting ones run after them, one at a time, each when its turn comes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

import infratest
from infratest.deadline import Deadline
from infratest.engine import faces
from infratest.engine.results import result
from infratest.engine.tasks import Plan, Task
from infratest.errors import InfratestError
from infratest.hosts import GONE, Host
from infratest.model import Report, Result
from infratest.pytest_plugin import OWN_MARKERS
from infratest.pytest_plugin.items import PYTESTS, FeatureFile, ScenarioItem
from infratest.pytest_plugin.once import Shared
from infratest.pytest_plugin.prefetch import Prefetch
from infratest.session import Session
from infratest.stack.open import open_hosts
from infratest.states import UNKNOWN

#: Seconds that an acting scenario waits for another one, of another worker or run, to end.
LOCK_WAIT = 600.0
SHARED = "infratest_shared"


class Active:
    """The hooks of such a session."""

    NAME = "infratest-stack"

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self.config = config
        self.worker = hasattr(config, "workerinput")
        self.session = Session(
            stack_path=path,
            env=config.getoption("infratest_env", None),
            state_path=config.getoption("infratest_state"),
        )
        folder = config.workerinput.get(SHARED) if hasattr(config, "workerinput") else None
        self.shared = Shared(Path(folder) if folder else None)
        wanted = config.getini("infratest_prefetch") and not config.getoption("infratest_no_prefetch")
        self.prefetch = Prefetch(self.session, bool(wanted), self.shared.folder)
        self.registered: set[str] = set()
        self.items: Sequence[ScenarioItem] = ()
        self.reports: list[Report] = []

    # Collection

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        try:
            stack = self.session.stack
            if self.up_wanted and stack.production:
                raise pytest.UsageError(f"--infratest-up: {stack.name} is production and is neither made nor destroyed")
        except InfratestError as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.suffix != ".feature":
            return None
        made: FeatureFile = FeatureFile.from_parent(parent, path=file_path)
        made.active = self
        return made

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # What changes something comes last, as under every face.
        items.sort(key=lambda item: isinstance(item, ScenarioItem) and item.task.acting)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = [item for item in session.items if isinstance(item, ScenarioItem)]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "_infratest_host" not in metafunc.fixturenames:
            return
        marker = metafunc.definition.get_closest_marker("infratest_hosts")
        names = self.chosen(tuple(map(str, marker.args)) if marker else ())
        metafunc.parametrize("_infratest_host", names, indirect=True, scope="session")

    def chosen(self, patterns: Sequence[str]) -> list[str]:
        """Return the names of the hosts that patterns or groups name, all without any."""
        found = {spec.name: spec.groups for spec in self.session.stack.hosts}
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) or pattern in groups for name, groups in found.items()):
                known = ", ".join([*found, *sorted({group for groups in found.values() for group in groups})])
                pytest.fail(f"infratest_hosts({pattern!r}): no such host or group; known are {known}", pytrace=False)
        if not found:
            pytest.fail(f"{self.session.stack.path}: the stack has no hosts, and a test asks for one", pytrace=False)
        return [
            name
            for name, groups in found.items()
            if not patterns or any(fnmatchcase(name, pattern) or pattern in groups for pattern in patterns)
        ]

    @cached_property
    def declared(self) -> list[Host]:
        """The hosts as the stack file has them. To know what there is to run, nobody is asked where they are."""
        return [
            Host(name=spec.name, groups=spec.groups, labels=spec.labels, address=spec.address or "192.0.2.1")
            for spec in self.session.stack.hosts
        ]

    @cached_property
    def reserved(self) -> frozenset[str]:
        """Markers with a meaning of their own: pytest's, and those of plugins, but not the project's."""
        registered = {_marker(line) for line in self.config.getini("markers")}
        own = {_marker(line) for line in self.config.stash.get(OWN_MARKERS, ())}
        return PYTESTS | (registered - own)

    def register(self, tag: str) -> None:
        """Register a tag as a marker, so that `-m` knows it and --strict-markers is content."""
        if tag not in self.registered:
            self.registered.add(tag)
            self.config.addinivalue_line("markers", f"{tag}: a tag in a feature")

    # Results

    def result(self, task: Task) -> Result:
        """Return the result of a task, from the one run of all checking tasks, or from its own."""
        report = self._checked()
        if task.acting:
            report = self._run([task])
        found = next((one for one in report.results if one.id == task.id), None)
        if found is not None:
            return found
        reason = report.problem or "the run gave no result for it"
        return result(task, {}, state=UNKNOWN, reason=reason)

    def why(self, found: Result) -> str:
        """Return what blocks a result, in the blocker's own words; empty where nothing does."""
        for report in self.reports:
            for one in report.results:
                if one.id == found.blocked_by:
                    return f"{found.reason}: {one.reason}"
        return ""

    def _checked(self) -> Report:
        def make() -> dict[str, Any]:
            return self._run([item.task for item in self.items if not item.task.acting]).as_dict(infratest.__version__)

        if not any(not item.task.acting for item in self.items):
            return faces.problem(None, InfratestError("no checking scenario is selected"))
        report = Report.from_dict(self.shared.once("checked", make))
        if report not in self.reports:
            self.reports.append(report)
        return report

    def _run(self, tasks: Sequence[Task]) -> Report:
        """Run tasks as they are planned now, with the hosts as they are."""
        wanted = faces.Wanted(features=list(dict.fromkeys(task.scenario.path for task in tasks)), wait=LOCK_WAIT)
        ids = {task.id for task in tasks}
        with self.prefetch.acting():
            return self._ran(wanted, ids)

    def _ran(self, wanted: faces.Wanted, ids: set[str]) -> Report:
        try:
            self.bring_up()
            prepared = faces.prepare(self.session, wanted)
            chosen = tuple(task for task in prepared.plan.tasks if task.id in ids)
            prepared = replace(prepared, plan=Plan(tasks=chosen, hosts=prepared.plan.hosts))
            report = faces.execute(self.session, wanted, prepared)
        except InfratestError as error:
            report = faces.problem(self.session, error)
        else:
            faces.store(self.session, report)
        self.reports.append(report)
        return report

    @cached_property
    def hosts(self) -> list[Host]:
        """The stack's hosts as they are, brought up first where that was asked for. Raises InfratestError."""
        self.bring_up()
        return open_hosts(self.session.stack, self.session.state, Deadline(faces.PROVIDER_SECONDS))

    # Life

    @property
    def up_wanted(self) -> bool:
        return bool(self.config.getoption("infratest_up"))

    def bring_up(self) -> None:
        """Bring the stack up, once for all workers, where that was asked for. Raises InfratestError."""
        if self.up_wanted:
            problem = self.shared.once("up", self._up)
            if problem:
                raise InfratestError(problem)

    def _up(self) -> str:
        from infratest.engine.readiness import ready_by
        from infratest.stack.lifecycle import Lifecycle
        from infratest.stack.stopping import Stop, Stopped, signals

        stop = Stop()
        try:
            with signals(stop):
                life = Lifecycle(self.session.stack, self.session.state, ready=ready_by(self.session.stack), stop=stop)
                there = life.provider.hosts(self.session.stack.hosts, Deadline(faces.PROVIDER_SECONDS))
                # Noted before anything is made: it is destroyed in the end even if this process is gone by then.
                self.shared.note("absent", [host.name for host in there if host.state == GONE])
                life.up()
        except Stopped:
            raise KeyboardInterrupt from None
        except InfratestError as error:
            return f"--infratest-up: {error}"
        return ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where things are that are done once for all of them."""
        if self.shared.folder is None:
            self.shared.folder = Path(tempfile.mkdtemp(prefix="infratest-pytest-"))
        node.workerinput[SHARED] = str(self.shared.folder)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Destroy what this session made; the controller does it, when its workers have ended."""
        if self.worker:
            return
        made = self.shared.noted("absent")
        if made:
            from infratest.stack.lifecycle import Lifecycle

            try:
                everything = len(made) == len(self.session.stack.hosts)
                Lifecycle(self.session.stack, self.session.state).destroy(None if everything else made)
            except InfratestError as error:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
                session.shouldfail = f"--infratest-up: not destroyed: {error}"
                self.config.get_terminal_writer().line(f"\n{session.shouldfail}", red=True)
        if self.shared.folder is not None:
            with suppress(OSError):
                shutil.rmtree(self.shared.folder)


def _marker(line: str) -> str:
    return str(line).partition(":")[0].partition("(")[0].strip()
