"""Programs that stay while something is measured, and end with the harness even where that is killed."""

from __future__ import annotations

import contextlib
import ctypes
import subprocess
from collections.abc import Iterator, Sequence
from typing import IO

LIBC = ctypes.CDLL(None)
PR_SET_CHILD_SUBREAPER = 36  # prctl(2); it outlives every exec on the way to the program


def staying(
    words: Sequence[str], namespace: str = "", stderr: IO[bytes] | int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start a program that gets SIGKILL when the harness ends, in a network namespace where one is named.

    What its children leave behind becomes its own, so that the CPU of that is counted as its too.
    """
    into = ["ip", "netns", "exec", namespace] if namespace else []
    return subprocess.Popen(
        [*into, "setpriv", "--pdeathsig", "KILL", "--", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        preexec_fn=lambda: LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0),
    )


@contextlib.contextmanager
def ended(processes: list[subprocess.Popen[bytes]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Hand out a list to put programs into; all of them are ended with the block."""
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
