"""A pytest session that is about a stack: what is collected, on which hosts, and how it ends.

Registered by the plugin where a stack is named. All checking scenarios that are selected run together at first need,
as under every face: one plan, one login a host. Acting ones run after them, one at a time, each when its turn comes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from infratest.errors import FeatureError, InfratestError
from infratest.gherkin.find import refuse_odd
from infratest.project.session import Session, mirrored, parameters, session_of
from infratest.pytest_plugin import LINES, OWN_MARKERS, absolute, testinfras
from infratest.pytest_plugin.items import PYTESTS, STATE, WAIVER, FeatureFile, ScenarioItem
from infratest.pytest_plugin.life import Life
from infratest.pytest_plugin.once import Shared
from infratest.pytest_plugin.prefetch import Prefetch
from infratest.pytest_plugin.runs import Runs
from infratest.pytest_plugin.scenarios import Scenarios
from infratest.pytest_plugin.testinfras import Way

SHARED = "infratest_shared"
SELECTED = "infratest_lines"
NOTHING_RAN = "infratest: every selected scenario was skipped or waived: nothing was checked"


class Active:
    """The hooks of such a session."""

    NAME = "infratest-stack"

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self.config = config
        self.worker = hasattr(config, "workerinput")
        given: dict[str, Any] = getattr(config, "workerinput", {})
        self.session = _session(config, path)
        folder = given.get(SHARED)
        self.shared = Shared(Path(folder) if folder else None)
        self.lines: dict[str, list[int]] = given.get(SELECTED) or config.stash.get(LINES, {})
        off = config.getoption("infratest_no_prefetch") or mirrored("no-prefetch")
        ahead = bool(config.getini("infratest_prefetch")) and not off
        self.prefetch = Prefetch(self.session, ahead, self.shared.folder)
        self.life = Life(self.session, self.shared, bool(config.getoption("infratest_up")))
        tags = _given(config, "tags") or tuple(filter(None, [mirrored("tags")]))
        slug = config.getoption("infratest_scenario", None) or mirrored("scenario")
        self.scenarios = Scenarios(self.session, self.shared, tags, slug, self.lines)
        self.runs = Runs(self.session, self.shared, tags, self.life.begin, self.prefetch.acting)
        self.testinfras = testinfras.Options()
        self.registered: set[str] = set()
        self.skipped = self.ran = 0
        self.wrong: dict[str, None] = {}  # what is wrong with waivers

    # Collection

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        try:
            stack = self.session.stack
            if self.life.up and stack.production:
                raise pytest.UsageError(f"--infratest-up: {stack.name} is production and is neither made nor destroyed")
            self.testinfras = testinfras.options(self.config, stack)
            names = self.session.selected([host.name for host in stack.hosts])
            if self.testinfras.hosts is not None:
                ways = testinfras.ways(self.testinfras.hosts, "--hosts", stack)
                # For features they are what `--host` is.
                self.session.exactly = tuple(dict.fromkeys(way.host for way in ways if way.host in names))
                if not self.session.exactly:
                    raise pytest.UsageError(f"--hosts {','.join(self.testinfras.hosts)}: none of them is in --host")
        except InfratestError as error:
            raise pytest.UsageError(str(error)) from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> pytest.CollectReport | None:
        """Refuse in a folder that is asked for what pytest would pass over, as it takes files and folders alone."""
        asked_for = (absolute(self.config, word) for word in self.config.args)
        if isinstance(collector, pytest.Directory) and any(map(collector.path.is_relative_to, asked_for)):
            try:
                refuse_odd(collector.path)
            except FeatureError as error:
                return pytest.CollectReport(collector.nodeid, "failed", str(error), [])
            except OSError:  # told by pytest itself
                return None
        return None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.suffix != ".feature":
            return None
        collector: FeatureFile = FeatureFile.from_parent(parent, path=file_path)
        collector.active = self
        return collector

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # What changes something comes last, as under every face.
        items.sort(key=lambda item: isinstance(item, ScenarioItem) and item.task.acting)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        tasks = [item.task for item in session.items if isinstance(item, ScenarioItem)]
        self.runs.checking = [task for task in tasks if not task.acting]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "_infratest_host" not in metafunc.fixturenames:
            return
        marker = metafunc.definition.get_closest_marker("infratest_hosts")
        declared = getattr(metafunc.module, "testinfra_hosts", None)
        try:
            if marker:
                ways = self._marked(tuple(map(str, marker.args)))
            elif self.testinfras.hosts is not None:
                ways = testinfras.ways(self.testinfras.hosts, "--hosts", self.session.stack)
            elif hasattr(metafunc.module, "testinfra_hosts"):
                ways = testinfras.ways(declared, "testinfra_hosts", self.session.stack)
            else:
                ways = self._marked(())
            names = self.session.selected([host.name for host in self.session.stack.hosts])
        except InfratestError as error:
            raise pytest.fail.Exception(f"{metafunc.module.__name__}: {error}", pytrace=False) from None
        ways = [way for way in ways if way.host in names]
        ids = [way.host for way in ways]
        metafunc.parametrize("_infratest_host", ways, ids=ids, indirect=True, scope="session")

    def _marked(self, patterns: Sequence[str]) -> list[Way]:
        """Return the hosts that names, patterns or groups say, all without any."""
        hosts = self.session.stack.hosts
        if not hosts:
            raise InfratestError(f"{self.session.stack.path}: the stack has no hosts, and a test asks for one")
        found = {host.name for pattern in patterns for host in testinfras.matching(pattern, hosts)}
        for pattern in patterns:
            if not testinfras.matching(pattern, hosts):
                known = testinfras.known(hosts)
                raise InfratestError(f"infratest_hosts({pattern!r}): no such host or group; known are {known}")
        return [Way(host.name) for host in hosts if not patterns or host.name in found]

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

    # The end

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where things are that are done once for all of them."""
        if self.shared.folder is None:
            self.shared.folder = Path(tempfile.mkdtemp(prefix="infratest-pytest-"))
        node.workerinput[SHARED] = str(self.shared.folder)
        node.workerinput[SELECTED] = self.lines

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.wrong.update(dict.fromkeys(str(words) for name, words in report.user_properties if name == WAIVER))
        if report.failed or (report.when == "call" and report.passed):
            self.ran += 1
        elif report.skipped and any(name == STATE for name, _ in report.user_properties):
            self.skipped += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep what ran; the controller destroys what this session made, when its workers have ended."""
        self.runs.close()
        if self.worker:
            return
        if (self._nothing_ran or self.wrong) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        try:
            self.life.end()
        except InfratestError as error:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            session.shouldfail = f"--infratest-up: not destroyed: {error}"
            self.config.get_terminal_writer().line(f"\n{session.shouldfail}", red=True)
        if self.shared.folder is not None:
            with suppress(OSError):
                shutil.rmtree(self.shared.folder)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._nothing_ran:
            terminalreporter.write_line(NOTHING_RAN, red=True)
        for words in self.wrong:
            terminalreporter.write_line(f"infratest: {words}", red=True)

    @property
    def _nothing_ran(self) -> bool:
        """Whether scenarios were selected and all there was to run was skipped: nothing was checked, so not green."""
        return self.skipped > 0 and not self.ran


def _session(config: pytest.Config, path: Path) -> Session:
    """Return the session of the options, of the environment's where they are not given."""
    try:
        return session_of(
            path,
            env=config.getoption("infratest_env", None),
            state=config.getoption("infratest_state"),
            host=_given(config, "host"),
            defined=parameters(_given(config, "define")),
        )
    except InfratestError as error:
        raise pytest.UsageError(str(error)) from None


def _given(config: pytest.Config, name: str) -> tuple[str, ...]:
    """Return the values of an option that may be repeated."""
    return tuple(config.getoption(f"infratest_{name}", None) or ())


def _marker(line: str) -> str:
    return str(line).partition(":")[0].partition("(")[0].strip()
