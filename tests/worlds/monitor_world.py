"""A monitor as its user runs it: the installed command on a small project of this machine, and who is told by it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.worlds.notice_servers import Endpoint, endpoint
from tests.worlds.small_project import BIN, run, write

THERE, FULL = "features/x.feature#there@here", "features/x.feature#full@here"
#: Seconds that anything may take before it is said not to happen.
PATIENCE = 120.0
STACK = """\
stack: shop
provider: local
hosts: {{here: {{groups: [front], labels: {{team: web}}}}}}
monitor:
  interval: 2s
  retry: 1s
  attempts: 2
  stale: 100
  flap: off
  heartbeats:
    backup: {{every: 1h}}
  receivers:
    oncall: {{webhook: {{url: "http://127.0.0.1:{port}/"}}}}
  tell: [{{when: "state=critical", to: oncall, on: [problem, recovery, ack]}}]
"""
FEATURE = """\
Feature: f
  @web
  Scenario: there
    Then the file "{there}" exists
  Scenario: full
    Then the disk "/" is less than 101 % full
"""


def until(holds: Callable[[], Any], what: str) -> Any:
    """Return what holds, as soon as it does."""
    end = monotonic() + PATIENCE
    while not (found := holds()):
        assert monotonic() < end, f"it never came: {what}"
        sleep(0.05)
    return found


class World:
    """A project, its receiver and its monitors."""

    def __init__(self, folder: Path, told: Endpoint) -> None:
        self.folder, self.endpoint = folder, told
        self.there = folder / "there"
        self.there.touch()
        self.running: list[subprocess.Popen[bytes]] = []
        write(
            folder,
            {"stack.yaml": STACK.format(port=told.port), "features/x.feature": FEATURE.format(there=self.there)},
        )

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        """Run a word of the verb; return its status and what it wrote to both streams."""
        done = run(self.folder, "infratest", "monitor", *words, **environment)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    def answer(self, *words: str) -> Any:
        """Return what a word answers as JSON."""
        return json.loads(self.run(*words, "--format", "json")[1])

    def begin(self, words: Sequence[str] = ("run",), **environment: str) -> subprocess.Popen[bytes]:
        """Begin a monitor; returns once it answers."""
        process = self.start(*words, **environment)
        until(lambda: process.poll() is not None or self.live(), "an answer of the monitor")
        assert process.poll() is None, self.log
        return process

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        """Begin a word of the verb, and wait for nothing."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("INFRATEST", "PYTEST"))}
        with (self.folder / "monitor.log").open("ab") as log:
            process = subprocess.Popen(
                [str(BIN / "infratest"), "monitor", *words], cwd=self.folder, stdout=log, stderr=log,
                env=kept | environment,
            )  # fmt: skip
        self.running.append(process)
        return process

    def begin_waiting(self, words: str) -> subprocess.Popen[bytes]:
        """Begin a monitor that another one keeps waiting; returns once it says so, with these words."""
        before = self.log.count(words)
        process = self.start("run")
        until(lambda: process.poll() is not None or self.log.count(words) > before, words)
        assert process.poll() is None, self.log
        return process

    def live(self) -> bool:
        """Whether a monitor answers."""
        out = self.run("status", "--format", "json")[1]
        return out != "" and json.loads(out)["monitor"] is not None

    @property
    def log(self) -> str:
        path = self.folder / "monitor.log"
        return path.read_text() if path.exists() else ""

    def notices(self) -> list[tuple[str, str, str]]:
        """Return kind, level and id of each notice that the receiver took."""
        bodies = [json.loads(each.body) for each in list(self.endpoint.requests)]
        return [(one["kind"], one["level"], one["id"]) for body in bodies for one in body["notices"]]

    def keys(self) -> list[str]:
        return [each.headers["Idempotency-Key"] for each in list(self.endpoint.requests)]

    def state(self, id: str = THERE) -> str:
        """Return the state of a result, as the monitor says; ok where it has nothing to say of it."""
        found = [each for each in self.answer("status")["results"] if each["id"] == id]
        return "soft" if found and found[0]["soft"] else found[0]["state"] if found else "ok"

    def end(self) -> None:
        """End what still runs."""
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Have a world, and nothing of it left."""
    with endpoint() as told:
        made = World(folder, told)
        try:
            yield made
        finally:
            made.end()
