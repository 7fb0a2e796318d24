"""A project of a user with tests of their own and a host that is reached by a real sshd; counted at both ends."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.worlds.small_project import run, write
from tests.worlds.sshd import Server

#: Writes what the transport itself has counted, where a test can read it.
CONFTEST = """
import json, pathlib, pytest

@pytest.fixture(scope="session", autouse=True)
def counted(stack):
    yield
    cost = stack["far"].backend.transport.cost
    pathlib.Path("cost.json").write_text(json.dumps([cost.logins, cost.round_trips, cost.commands]))
"""
STARTED = re.compile("Starting session: (forced-)?command")
QUIET = ("-p", "no:randomly", "-p", "no:cacheprovider", "-q", "-rA", "--tb=short")


@dataclass
class Ran:
    """One session.

    Args:
        outcomes: of each test, by its name. cost: logins, round trips and commands as the transport has counted them.
        commands: that the server has started. logins: that it has let in.
    """

    outcomes: dict[str, str]
    cost: tuple[int, ...]
    commands: int
    logins: int
    said: str


@dataclass
class Project:
    """A folder with a stack of one host, `far`."""

    folder: Path
    server: Server

    def session(self, *words: str, **environment: str) -> Ran:
        """Run pytest."""
        before, logins = self._commands(), self.server.logins()
        cost = self.folder / "cost.json"
        cost.unlink(missing_ok=True)
        done = run(self.folder, "pytest", *QUIET, *words, **environment)
        said = done.stdout + done.stderr
        found = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED) \S+?::([\w-]+)\S*(?: - .*)?$", done.stdout, re.MULTILINE)
        counts = tuple(json.loads(cost.read_text())) if cost.exists() else ()
        outcomes = {name: outcome for outcome, name in found}
        return Ran(outcomes, counts, self._commands() - before, self.server.logins() - logins, said)

    def tests(self, source: str, **files: str) -> Project:
        """Write the project's tests."""
        write(self.folder, {"test_a.py": source, "conftest.py": CONFTEST} | files)
        return self

    @property
    def record(self) -> Path:
        return self.folder / ".infratest" / "cache" / "prefetch.json"

    def _commands(self) -> int:
        return len(STARTED.findall(self.server.log.read_text("utf-8", "replace")))


def stack(server: Server, port: int = 0, more: str = "") -> str:
    """Return a stack file with this server as its host, by another port where one is given."""
    known = server.folder / "relayed"
    known.write_text(f"[{server.address}]:{port or server.port} {server.host_key}\n")
    return (
        f"stack: far\nprovider: {{name: existing, known-hosts: {known}, config: none, agent: false}}\n"
        f"hosts:\n  far: {{address: {server.address}, port: {port or server.port}, user: {server.user}, "
        f"key: {server.key}{more}}}\n"
    )
