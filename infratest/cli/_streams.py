"""The standard streams of a command: closed by whoever started it, full, or read by somebody who has gone.

Called by the programs at their begin and end, and where a report is printed.
"""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

from infratest.cleaning import masked


class Masking:
    """A text stream in which every known secret is masked: the last that text goes through, whoever writes it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(masked(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def secure() -> None:
    """Open what was closed on nothing, so that no file of ours becomes standard output by its number; mask secrets."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, so just this one
    # Python has no object for a stream that was closed when it started.
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    sys.stdout, sys.stderr = Masking(sys.stdout), Masking(sys.stderr)  # type: ignore[assignment]


def end(status: int) -> int:
    """Flush, so that Python need not on its way out, and return the status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            drop(stream.fileno())
    return status


def drop(number: int = 1) -> None:
    """Let a stream lead nowhere from now on: whoever read it has gone, or it is full."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
