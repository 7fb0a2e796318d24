"""The standard streams of a command: closed by whoever started it, full, read by somebody who has gone, or a terminal
that takes colours, or that does not.

Called by the programs at their begin and end, and wherever something is printed for people.
"""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING, Any, TextIO

from infratest.cleaning import masked

if TYPE_CHECKING:
    from rich.console import Console


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


def takes_colour(stream: IO[Any], asked: bool | None = None) -> bool:
    """Whether a stream gets colours: as asked, else as NO_COLOR and FORCE_COLOR say, else a terminal that has them.

    Each of the two counts where it is set to anything (no-color.org, force-color.org); the first is above the second.
    """
    if asked is not None or os.environ.get("NO_COLOR"):
        return bool(asked)
    return bool(os.environ.get("FORCE_COLOR")) or redraws(stream)


def redraws(stream: IO[Any]) -> bool:
    """Whether lines that were written can be drawn again: on a terminal that knows where its cursor is."""
    return stream.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def console(asked: bool | None = None, stderr: bool = False) -> Console:
    """Return a console of rich's for a standard stream, its colours as `takes_colour` has it, its words unbroken."""
    from rich.console import Console

    colour = takes_colour(sys.stderr if stderr else sys.stdout, asked)
    return Console(
        stderr=stderr,
        color_system="standard" if colour else None,
        force_terminal=True if colour else None,
        no_color=not colour,
        highlight=False,
        soft_wrap=True,
    )


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
    sys.stdout, sys.stderr = Masking(sys.stdout), Masking(sys.stderr)


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
