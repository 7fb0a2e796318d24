"""A signal that ends a run in order: SIGTERM and SIGHUP unwind it as Ctrl-C does, so that faults are undone.

On the plugin program's path.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

#: Of signal(7), alike on all of Linux; the module `signal` imports `enum`, which costs a third of a check.
SIGHUP, SIGTERM = 1, 15
NAMES = {SIGHUP: "SIGHUP", SIGTERM: "SIGTERM"}


class Terminated(KeyboardInterrupt):
    """A signal told the run to end; `status` is what a shell reports of a program that it ended."""

    def __init__(self, number: int) -> None:
        super().__init__(NAMES.get(number, str(number)))
        self.status = 128 + number


class ending_in_order:
    """While this lasts, SIGTERM and SIGHUP raise Terminated in the main thread."""

    def __init__(self) -> None:
        self._signal: Any = __import__("_signal")
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in NAMES:
            handler = self._signal.getsignal(number)
            # One that is ignored stays so: `nohup infratest test` must outlive its terminal.
            if handler not in (None, self._signal.SIG_IGN):
                try:
                    self._signal.signal(number, _terminated)
                except ValueError:
                    return  # in another thread than the main one signals are not ours
                self._before[number] = handler

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            self._signal.signal(number, handler)


def _terminated(number: int, frame: FrameType | None) -> None:
    raise Terminated(number)
