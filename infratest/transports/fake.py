"""The transport that answers from a script: for tests of what stands above transports, and of users' own plugins.

Loaded by name. Every verb can be told to fail, to be slow, to hang or to be cut off; what was asked is recorded.

    transport: fake
    options:
      answers:                          # command line as a shell would quote it, or its beginning and *
        "systemctl is-active nginx": {stdout: "active\\n"}
        "sh -c*": {exit: 3, stderr: "no", delay: 0.2}
        "hang*": {hang: true}           # until the deadline
        "cut*": {stdout: "half an ans", lost: true}
      fail: {open: unreachable}         # verb -> error: unreachable, access-refused, host-key-refused, ...
      otherwise: run                    # what no answer is scripted for runs on this machine; default: exit 127
      record: /path/to/record.jsonl     # each verb as a line of JSON
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from infratest.deadline import Deadline
from infratest.errors import (
    AccessRefused,
    ConnectionLost,
    DeadlineExceeded,
    HostKeyRefused,
    TransportError,
    Unreachable,
    UserError,
    unknown,
)
from infratest.hosts import Host
from infratest.options import build
from infratest.quoting import command_line
from infratest.transports._program import NOT_FOUND, Program
from infratest.transports._streams import Kept, shown
from infratest.transports.base import CommandResult, Transport

ERRORS: Mapping[str, type[TransportError]] = {
    "transport-error": TransportError,
    "unreachable": Unreachable,
    "access-refused": AccessRefused,
    "host-key-refused": HostKeyRefused,
    "connection-lost": ConnectionLost,
    "deadline-exceeded": DeadlineExceeded,
}
VERBS = ("open", "execute", "close")


@dataclass(frozen=True)
class Script:
    """One scripted answer; `lost` cuts the connection after what is written, `hang` waits for the deadline."""

    exit: int = 0
    stdout: str = ""
    stderr: str = ""
    delay: float = field(default=0.0, metadata={"dimension": "time"})
    hang: bool = False
    lost: bool = False


@dataclass(frozen=True)
class Options:
    """Options of the fake transport."""

    answers: Mapping[str, Any] = field(default_factory=dict, metadata={"description": "command line -> answer"})
    fail: Mapping[str, Any] = field(default_factory=dict, metadata={"description": "open|execute|close -> error"})
    delay: float = field(default=0.0, metadata={"dimension": "time", "description": "time that every verb takes"})
    otherwise: Literal["refuse", "run"] = field(
        default="refuse", metadata={"description": "what is not scripted: exit 127, or run on this machine"}
    )
    record: str = field(default="", metadata={"description": "file that gets each verb as a line of JSON"})


@dataclass(frozen=True)
class Asked:
    """One command that was asked for."""

    command: tuple[str, ...]
    stdin: bytes


class Fake(Transport):
    """Answers commands from its options; `asked` holds every command in order."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        what = f"transport fake of host {host.name}"
        self._options = build(Options, host.options, what)
        self._answers = {
            line: build(Script, answer, f"{what}: answers: {line}") for line, answer in self._options.answers.items()
        }
        for verb, error in self._options.fail.items():
            if verb not in VERBS:
                raise UserError(f"{what}: fail: {unknown('verb', str(verb), list(VERBS))}")
            if error not in ERRORS:
                raise UserError(f"{what}: fail: {verb}: {unknown('error', str(error), list(ERRORS))}")
        self.asked: list[Asked] = []
        self._open = False
        self._closed = threading.Event()
        self._running: Program | None = None

    @classmethod
    def elsewhere(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer so anywhere."""
        return options

    def open(self, deadline: Deadline) -> None:
        """Open, or fail as told."""
        self._begin("open", deadline)
        self._closed.clear()
        self._open = True
        self.cost.logins += 1

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        """Give the scripted answer."""
        if not self._open:
            raise TransportError(f"{self.host.name}: the transport is not open; call open() before execute()")
        self.asked.append(Asked(tuple(command), stdin))
        self.cost.commands += 1
        self.cost.round_trips += 1
        try:
            line = command_line([*command])
        except ValueError as error:
            raise TransportError(f"{self.host.name}: {error}") from error
        self._begin("execute", deadline, line)
        script = self._script(line)
        if script is None:
            return self._unscripted(command, stdin, deadline, line)
        started = monotonic()
        out, err = _kept(script.stdout), _kept(script.stderr)
        if script.hang:
            self._closed.wait(deadline.left)
        self._wait(script.delay, deadline, out.data, line)
        if script.lost or self._closed.is_set():
            raise _partial(ConnectionLost(f"{self.host.name}: the connection ended in the middle of: {line}"), out.data)
        return CommandResult(
            exit=script.exit,
            stdout=out.data,
            stderr=err.data,
            seconds=monotonic() - started,
            truncated=out.truncated or err.truncated,
        )

    def close(self) -> None:
        """Close, or fail as told; ends what hangs (it may be called from another thread)."""
        was_open, self._open = self._open, False
        self._closed.set()
        if self._running is not None:
            self._running.kill()
        if was_open:
            self._begin("close", None)

    def _begin(self, verb: str, deadline: Deadline | None, line: str = "") -> None:
        if self._options.record:
            entry = {"verb": verb, "host": self.host.name} | ({"command": line} if line else {})
            with Path(self._options.record).open("a", encoding="utf-8") as record:
                record.write(json.dumps(entry) + "\n")
        if deadline is not None:
            self._wait(self._options.delay, deadline, b"", line or verb)
        if verb in self._options.fail:
            name = self._options.fail[verb]
            raise ERRORS[name](f"{self.host.name}: {verb} fails as scripted ({name})")

    def _wait(self, seconds: float, deadline: Deadline, so_far: bytes, what: str) -> None:
        if seconds > 0:
            self._closed.wait(min(seconds, deadline.left))
        if deadline.passed:
            late = DeadlineExceeded(f"{self.host.name}: no end within {deadline.seconds:.3g} s: {what}")
            raise _partial(late, so_far)

    def _script(self, line: str) -> Script | None:
        if line in self._answers:
            return self._answers[line]
        for pattern, script in self._answers.items():
            if pattern.endswith("*") and line.startswith(pattern[:-1]):
                return script
        return None

    def _unscripted(self, command: Sequence[str], stdin: bytes, deadline: Deadline, line: str) -> CommandResult:
        if self._options.otherwise == "refuse":
            words = f"fake: no answer is scripted for: {line}\n".encode()
            return CommandResult(exit=NOT_FOUND, stdout=b"", stderr=words, seconds=0.0)
        self._running = Program(command, stdin, on_output=self.on_output)
        try:
            ended = self._running.run(deadline)
        finally:
            self._running = None
        if ended.cut:
            late = DeadlineExceeded(f"{self.host.name}: no end within {deadline.seconds:.3g} s: {shown(command)}")
            raise _partial(late, ended.result.stdout)
        return ended.result


def _kept(text: str) -> Kept:
    kept = Kept()
    kept.feed(text.encode("utf-8", "surrogateescape"))
    return kept


def _partial(error: TransportError, so_far: bytes) -> TransportError:
    error.partial = so_far
    return error
