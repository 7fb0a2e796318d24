"""`infratest watch` logs in once and stays: on a real sshd, whose log and processes say what really happened."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.sshd import Server, running_sshd

STATE = re.compile(r"^watch: \d\d:\d\d:\d\d (OK|WARNING|CRITICAL|UNKNOWN)\b.*waiting for a change", re.M)


class Watched:
    """A project on one host by SSH, and `infratest watch` at work on it."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        (folder / "features").mkdir()
        self.stack("one")
        self.feature("first")
        self.text, self._seen = "", 0
        command = [sys.executable, "-m", "infratest", "watch", "--format", f"json:{folder}/report", "--format", "text"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("INFRATEST_")}
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def stack(self, role: str) -> None:
        server = self.server
        host = f"{{address: {server.address}, port: {server.port}, user: {server.user}, key: {server.key}, "
        host += f"sudo: false, labels: {{role: {role}}}}}"
        provider = f"{{name: existing, known-hosts: {server.known_hosts}, config: none, agent: false}}"
        self._write("stack.yaml", f"stack: far\nprovider: {provider}\nhosts:\n  far: {host}\n")

    def feature(self, name: str) -> None:
        lines = ["Feature: f", f"  Scenario: {name}", '    Then the user "root" exists']
        self._write("features/x.feature", "\n".join([*lines, '    And the file "/nonexistent" does not exist', ""]))

    def _write(self, name: str, text: str) -> None:
        whole = self.folder / "whole"
        whole.write_text(text)
        whole.replace(self.folder / name)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line

    def round(self) -> tuple[str, dict[str, int]]:
        """Wait for the next round to end; return its state and what it cost."""

        def ended() -> re.Match[str] | None:
            assert self.process.poll() is None, self.text
            return STATE.search(self.text, self._seen)

        found = wait_until(ended, 60)
        self._seen = found.end()
        return found[1], json.loads((self.folder / "report").read_text())["cost"]

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(30)
        self._reader.join(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "project").mkdir()
    with running_sshd(tmp_path / "sshd") as server:
        watched = Watched(tmp_path / "project", server)
        try:
            yield watched
        finally:
            watched.process.kill()
            watched.end()


LOGIN = {"logins": 1, "round_trips": 1, "commands": 1}
HELD = {"logins": 0, "round_trips": 1, "commands": 1}


def test_one_login_for_all_rounds_until_the_host_is_another(watched: Watched) -> None:
    assert watched.round() == ("OK", LOGIN)
    for name in ("second", "third"):
        watched.feature(name)
        assert watched.round() == ("OK", HELD)
    assert watched.server.logins() == 1

    watched.stack("two")  # what the stack file says of the host is not what it was
    assert watched.round() == ("OK", LOGIN)
    assert watched.server.logins() == 2
    wait_until(lambda: len(watched.server.sessions()) == 1, 30)

    assert watched.end() == 130
    wait_until(lambda: not watched.server.sessions(), 30)
    assert "Traceback" not in watched.text


def test_a_connection_that_died_while_idle_is_replaced(watched: Watched) -> None:
    assert watched.round() == ("OK", LOGIN)
    for pid in watched.server.sessions():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not watched.server.sessions(), 30)
    watched.feature("second")
    state, cost = watched.round()
    assert (state, cost["logins"]) == ("OK", 1)
    assert watched.server.logins() == 2
    watched.feature("third")
    assert watched.round() == ("OK", HELD)
    assert watched.end() == 130
    wait_until(lambda: not watched.server.sessions(), 30)
    assert "Traceback" not in watched.text
