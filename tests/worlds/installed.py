"""The installed commands in a subprocess, in a folder of their own, with the world looked at before and after.

A run is marked by a variable in its environment, which its children inherit: a process that carries the mark after
the run has ended was left behind. HOME and TMPDIR are empty folders of their own, so that files left there show too.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from infratest.testing.waiting import wait_until
from tests.worlds import forked
from tests.worlds.nodes import processes

SECONDS = 60.0
MARK = "INFRATEST_TEST_MARK"
#: Files that a run may leave in the state directory, its own memory: what was seen last, and that it was.
REMEMBERED = re.compile(r"(counts|last-[\w@.-]+)\.json(\.lock)?|events(\.1)?\.jsonl|id|lock")

#: Where the plugin program remembers its plans, if there is a HOME to do it in.
PLANS = "home/.cache"

OK_FEATURE = """\
Feature: This machine
  Scenario: passwd is there
    Then the file "/etc/passwd" exists
"""
LOCAL_STACK = "stack: shop\nprovider: local\nhosts: {web: {groups: [web]}}\n"


def program(name: str) -> str:
    """Return the path of an installed command."""
    return str(Path(sys.executable).with_name(name))


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


@dataclass
class Place:
    """A folder in which commands are run: a project, and the machine around it as they see it."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mark = uuid4().hex
        self.root.mkdir()
        for path in (self.folder, self.home, self.temporary):
            path.mkdir()
        self.write({"stack.yaml": LOCAL_STACK, "ok.feature": OK_FEATURE})

    @property
    def folder(self) -> Path:
        return self.root / "project"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files of the project; None removes one."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def start(self, command: str | Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a command line, its first word one of the installed commands."""
        words = _words(command)
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        given |= {"cwd": self.folder, "env": self._environment()}
        return subprocess.Popen([program(words[0]), *words[1:]], **(given | options))

    def _environment(self) -> dict[str, str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("INFRATEST", "PYTEST"))}
        return environment | {"HOME": str(self.home), "TMPDIR": str(self.temporary), MARK: self.mark} | self.variables

    def ended(self, process: subprocess.Popen[bytes]) -> Ended:
        """Wait for a command to end; it shows no traceback, and text is all it prints."""
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return _clean(process.returncode, out, err)

    def run(self, command: str | Sequence[str], **options: Any) -> Ended:
        """Run a command to its end; with no options for its start it may begin with its modules imported."""
        words = _words(command)
        if options or words[0] not in forked.PRELOADED:
            return self.ended(self.start(command, **options))
        done = forked.run(
            words[1:], program=words[0], cwd=self.folder, env=self._environment(), text=False, timeout=SECONDS
        )
        return _clean(done.returncode, done.stdout, done.stderr)

    def plans(self) -> list[Path]:
        """Return the plans that the plugin program has kept."""
        return sorted((self.root / PLANS / "infratest" / "plans").glob("*"))

    def files(self) -> dict[str, str]:
        """Return every file and folder of this place with its mode and content."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            with contextlib.suppress(FileNotFoundError):
                mode = path.lstat().st_mode
                content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                found[str(path.relative_to(self.root))] = f"{mode:o} {content}"
        return found

    def processes(self) -> list[str]:
        """Return the command lines of processes that came out of what was run here."""
        found = forked.left()
        for pid, environment in processes.told("environ"):
            if f"{MARK}={self.mark}".encode() in environment:
                with contextlib.suppress(OSError):
                    found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def nothing_left(self, before: Mapping[str, str]) -> None:
        """Assert that the world is as it was, but for what a run remembers in its state directory."""
        wait_until(lambda: not self.processes())
        after = {name: words for name, words in self.files().items() if not name.startswith(PLANS)}
        state = "project/.infratest"
        memory = {
            name
            for name in after
            if name == state or (name.startswith(f"{state}/") and REMEMBERED.fullmatch(Path(name).name))
        }
        changed = {name: words for name, words in after.items() if name not in memory and before.get(name) != words}
        gone = set(before) - set(after)
        assert not changed, f"left behind or changed: {changed}"
        assert not gone, f"removed: {gone}"


def _words(command: str | Sequence[str]) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else list(command)


def _clean(status: int, out: bytes | None, err: bytes | None) -> Ended:
    done = Ended(status, (out or b"").decode(), (err or b"").decode())
    assert "Traceback" not in done.all, done.all
    assert "\x1b" not in done.all
    return done


def one_monitoring_line(done: Ended, state: str) -> str:
    """Assert that a plugin's standard output begins with its line, and return that; standard error is for nobody."""
    first = done.out.splitlines()[0] if done.out else ""
    assert first.startswith(f"INFRATEST {state} - "), done
    assert done.err == ""
    return first
