"""A program of this machine run to its end or to a deadline: both streams bounded, standard input fed without deadlock.

Called by the transports that spawn programs (`local`, `container`, `fake`). The program leads its own process group,
so that the deadline ends its children too. What it leaves behind on purpose when it ends by itself is left alone.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import IO

from infratest.deadline import Deadline
from infratest.process_tree import end_session, reap, signals_held
from infratest.transports._streams import Kept
from infratest.transports.base import OUTPUT_LIMIT, CommandResult

CHUNK = 65536

#: Seconds between looks whether the program has ended while a child of its still holds the streams open.
ENDED_CHECK = 0.05

#: Shell exit statuses for a command that is not there and one that cannot be run (POSIX, 2.8.2).
NOT_FOUND, NOT_EXECUTABLE = 127, 126


@dataclass(frozen=True)
class Ended:
    """How a program ended: by itself, or `cut` by the deadline (its result then holds what had come)."""

    result: CommandResult
    cut: bool = False


class Program:
    """One program that runs; `kill` may be called from another thread."""

    def __init__(
        self,
        command: Sequence[str],
        stdin: bytes,
        environment: Mapping[str, str] | None = None,
        limit: int = OUTPUT_LIMIT,
        on_output: Callable[[bytes], None] | None = None,
    ) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._command = [*command]
        self._stdin = memoryview(stdin)
        self._environment = environment
        self._kept = {"stdout": Kept(limit=limit, on_data=on_output), "stderr": Kept(limit=limit)}

    def run(self, deadline: Deadline) -> Ended:
        """Run it; a program that is not there answers as a shell would: exit 127, with words.

        Raises:
            ValueError: a NUL in an argument.
        """
        started = monotonic()
        try:
            try:
                with signals_held():
                    process = self._process = self._started()
            except OSError as error:
                return Ended(self._not_started(error, monotonic() - started))
            cut = self._exchange(process, deadline)
        finally:
            if self._process is not None:
                self._let_go(self._process)
        return Ended(self._result(process, started), cut)

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE if self._stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            bufsize=0,
        )

    def _not_started(self, error: OSError, seconds: float) -> CommandResult:
        status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        words = "not found" if status == NOT_FOUND else (error.strerror or "cannot be run").lower()
        said = f"{self._command[0]}: {words}\n".encode("utf-8", "surrogateescape")
        return CommandResult(exit=status, stdout=b"", stderr=said, seconds=seconds)

    def kill(self) -> None:
        """End the program and all of its session at once."""
        process = self._process
        if process is not None and process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended in this very moment
            except PermissionError:
                process.kill()  # a group that changed its user, as sudo's does: at least the program itself
            end_session(process.pid)

    def _result(self, process: subprocess.Popen[bytes], started: float) -> CommandResult:
        status = -signal.SIGKILL if process.returncode is None else process.returncode
        out, err = self._kept["stdout"], self._kept["stderr"]
        return CommandResult(
            exit=128 - status if status < 0 else status,
            stdout=out.data,
            stderr=err.data,
            seconds=monotonic() - started,
            truncated=out.truncated or err.truncated,
        )

    def _exchange(self, process: subprocess.Popen[bytes], deadline: Deadline) -> bool:
        """Feed and read until the program has ended; return whether the deadline came first."""
        with selectors.DefaultSelector() as streams:
            for name in self._kept:
                _watch(streams, getattr(process, name), selectors.EVENT_READ, name)
            if process.stdin is not None:
                _watch(streams, process.stdin, selectors.EVENT_WRITE, "stdin")
            while streams.get_map():
                for key, _ in streams.select(min(deadline.left, ENDED_CHECK)):
                    self._move(streams, key.fileobj, key.data)  # type: ignore[arg-type]
                if process.poll() is not None:
                    self._drain(streams)
                    return False
                if deadline.passed:
                    return True
        try:
            process.wait(deadline.left)
        except subprocess.TimeoutExpired:
            return True
        return False

    def _drain(self, streams: selectors.BaseSelector) -> None:
        """Read what the ended program left in its pipes: all of it is there already."""
        while any(key.data != "stdin" for key in streams.get_map().values()):
            ready = [key for key, _ in streams.select(0) if key.data != "stdin"]
            if not ready:
                return
            for key in ready:
                self._move(streams, key.fileobj, key.data)  # type: ignore[arg-type]

    def _move(self, streams: selectors.BaseSelector, stream: IO[bytes], name: str) -> None:
        try:
            if name == "stdin":
                self._stdin = self._stdin[os.write(stream.fileno(), self._stdin[:CHUNK]) :]
                done = not self._stdin
            else:
                data = os.read(stream.fileno(), CHUNK)
                self._kept[name].feed(data)
                done = not data
        except BlockingIOError:
            return
        except BrokenPipeError:
            done = True  # it does not read what we feed: its right
        if done:
            streams.unregister(stream)
            stream.close()

    def _let_go(self, process: subprocess.Popen[bytes]) -> None:
        self.kill()
        reap(process)  # but sudo's program, which an ordinary user cannot kill: the deadline stands all the same
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _watch(streams: selectors.BaseSelector, stream: IO[bytes], events: int, name: str) -> None:
    os.set_blocking(stream.fileno(), False)
    streams.register(stream, events, name)
