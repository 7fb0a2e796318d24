"""Programs of this machine, run with a deadline: a container engine's command, debootstrap, VBoxManage and their like.

Each runs in a process group of its own and is ended with all that it has started when its time is over.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, cast

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.process_tree import reap, signals_held
from infratest.quoting import command_line

TICK = 0.1  # seconds between two looks at a deadline
LAST_WORDS = 2.0  # seconds to read what a program that has ended had written
LONGEST_LINE = 1 << 20  # of a program that is listened to
KEPT_LINES = 40  # of what a program that is followed writes


def call(
    arguments: Sequence[str],
    deadline: Deadline,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    folder: str | None = None,
    keep: tuple[int, ...] = (),
) -> tuple[int, str, str]:
    """Run a program in a process group of its own and return its status and both streams.

    Args:
        folder: where it is run, None for where we are. keep: file descriptors that it has open too.
    Raises:
        ProviderError: it is not there, or did not end before the deadline (it is then killed with its children).
    """
    with _running(arguments, deadline, environment or {}, folder, keep=keep) as process:
        out, err = _communicate(process, stdin, deadline)
    return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def follow(
    arguments: Sequence[str],
    deadline: Deadline,
    on_line: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
) -> tuple[int, list[str]]:
    """Run a program that takes long, and hand on each line that it writes to either stream when it comes.

    Returns:
        its status, and its last lines.
    Raises:
        ProviderError: as `call`.
    """
    last: deque[str] = deque(maxlen=KEPT_LINES)

    def read(stream: IO[bytes]) -> None:
        for line in iter(lambda: stream.readline(65536), b""):
            text = clean(line.decode("utf-8", "replace").rstrip("\r\n"), limit=1000)
            last.append(text)
            on_line(text)

    with _running(arguments, deadline, environment or {}, together=True) as process:
        # Both are pipes, as they were asked for.
        stdin, stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        stdin.close()
        reader = threading.Thread(target=read, args=(stdout,), daemon=True)
        reader.start()
        try:
            while process.poll() is None:
                if deadline.passed:
                    raise subprocess.TimeoutExpired(list(arguments), deadline.seconds)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(TICK)
        finally:
            _kill(process)
            reader.join(LAST_WORDS)
    return process.returncode, [line for line in last if line.strip()]


class Lines:
    """What a program that does not end writes, line by line, both streams together, until `end` is called."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        # Both are pipes, as they were asked for.
        self._stdin, self._stdout = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)

    def __iter__(self) -> Iterator[str]:
        for line in iter(lambda: self._stdout.readline(LONGEST_LINE), b""):
            yield line.decode("utf-8", "replace").rstrip("\r\n")

    def end(self) -> None:
        """Have the program end, and the lines with it; may be called by another thread."""
        with suppress(OSError):  # nobody is there any more
            self._stdin.close()


@contextmanager
def listened(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[Lines]:
    """Run a program that does not end by itself, and give what it writes; it ends with the block, and with us.

    Raises:
        ProviderError: it could not be run.
    """
    # A shell stands between: it has nothing open but its input, and that ends however we do, by kill -9 as well.
    between = ["sh", "-c", '"$@" 2>&1 & exec >&- 2>&-; read -r none; kill $!', "sh", *arguments]
    with _running(between, Deadline(0), environment or {}) as process:
        yield Lines(process)


@contextmanager
def _running(
    arguments: Sequence[str],
    deadline: Deadline,
    environment: Mapping[str, str],
    folder: str | None = None,
    together: bool = False,
    keep: tuple[int, ...] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program; at the end of the block, or at the deadline, it is ended with all that it has started."""
    # The engine's messages are read for `no such`: they must come in English.
    full = {**os.environ, **environment, "LC_ALL": "C.UTF-8"}
    process = None
    try:
        try:
            with signals_held():
                process = _started(arguments, full, folder, together, keep)
        except OSError as error:
            raise ProviderError(f"{arguments[0]} could not be run: {error.strerror}") from error
        yield process
    except subprocess.TimeoutExpired:
        raise ProviderError(
            f"`{shown(arguments)}` was ended: it was told to stop, or had not ended in its {deadline.seconds:.0f} "
            "seconds; give it more with --timeout, or see whether the machine is overloaded"
        ) from None
    finally:
        if process is not None:
            _end(process)


def _started(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str | None,
    together: bool,
    keep: tuple[int, ...],
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if together else subprocess.PIPE,
        env=environment,
        cwd=folder,
        start_new_session=True,
        pass_fds=keep,
    )


def _communicate(process: subprocess.Popen[bytes], stdin: bytes, deadline: Deadline) -> tuple[bytes, bytes]:
    """Wait for the end, looking at the deadline again and again: somebody may bring it forward."""
    given: bytes | None = stdin
    while True:
        try:
            return process.communicate(given, timeout=min(TICK, deadline.left))
        except subprocess.TimeoutExpired:
            given = None  # what is left of it is kept by the process object
            if deadline.passed:
                raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it with all that it has started, where it still runs, and let go of its streams."""
    _kill(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        reap(process)


def shown(arguments: Sequence[str]) -> str:
    """Return a command as one types it, for messages: at most 160 characters."""
    line = command_line([clean(argument) for argument in arguments])
    return line if len(line) <= 160 else line[:157] + "..."
