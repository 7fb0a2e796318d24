"""The progress of a verb on standard error: one line a host that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from rich.live import Live
from rich.table import Table
from rich.text import Text

from infratest.cleaning import clean
from infratest.cli import _streams
from infratest.lifecycle.stopping import OUTPUT

#: Phases that end what happens to a host; all others are work in hand.
GOOD = frozenset(("ready", "removed", "halted", "provisioned", "made", "file is there", "file put"))
BAD = frozenset(("failed", "undoing"))
WIDTH = 60  # characters of the words after a phase


class Progress:
    """Shows what the lifecycle tells; its `told` may be called from several threads.

    Args:
        colour: False for none, None for as the terminal can. whole: each line that a program on a host prints stands
        above the display; without it the last one stands in the host's own line. Where no terminal is, all are shown.
    """

    def __init__(self, colour: bool | None = None, whole: bool = False) -> None:
        self._whole = whole
        self._console = _streams.console(colour, stderr=True)
        self._live: Live | None = None
        self._lines: dict[str, tuple[str, str]] = {}
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.seconds: dict[str, float] = {}

    def __enter__(self) -> Progress:
        if _streams.redraws(sys.stderr):
            self._live = Live(console=self._console, refresh_per_second=8, get_renderable=self._table)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def told(self, name: str, phase: str, words: str) -> None:
        """Show that a host, or another part of the stack, is in this phase."""
        with self._lock:
            before, _ = self._lines.get(name, ("", ""))
            self._lines[name] = (before if phase == OUTPUT else phase, clean(words, 400))
            self.seconds[name] = time.monotonic() - self._began
        if phase == OUTPUT:
            if self._whole or self._live is None:
                self._console.print(Text(f"{name} | {words}"), soft_wrap=True)
        elif self._live is None:
            line = f"{name}: {phase}" + (f" ({clean(words, 400)})" if words else "")
            self._console.print(Text(line), soft_wrap=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        with self._lock:
            lines = dict(self._lines)
            seconds = dict(self.seconds)
        for name, (phase, words) in lines.items():
            style = "green" if phase in GOOD else "red" if phase in BAD else "yellow"
            # The clock of what is in hand goes on: it is all that moves while an image is built or a script runs.
            took = seconds[name] if phase in GOOD or phase == "failed" else time.monotonic() - self._began
            short = words if len(words) <= WIDTH else words[: WIDTH - 1] + "\N{HORIZONTAL ELLIPSIS}"
            table.add_row(Text(name), Text(phase, style), Text(short, "dim"), Text(f"{took:.1f} s", "dim"))
        return table
