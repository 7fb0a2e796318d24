"""systemd's units of this machine: its signals on the system bus say that one has another state."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from infratest.facts._unit_signals import ADDRESS, Signals, label
from infratest.monitor.hints.base import SERVICE, Hint


class Units:
    """Gives a hint for each unit that systemd says something of.

    Args:
        names: gives the whole names of units that are looked at. address: of the system bus.
    """

    def __init__(self, names: Callable[[], Iterable[str]], address: str = ADDRESS) -> None:
        self._names, self._address = names, address
        self._signals: Signals | None = None
        self._ended = False

    def run(self, told: Callable[[Hint], None]) -> None:
        """Give hints until it is ended. Raises OSError: there is no such bus, or it has closed the connection."""
        with Signals(self._address) as signals:
            self._signals = signals
            while not self._ended:
                unit = signals.next()
                for name in self._names():
                    if label(name) == unit:
                        told(Hint("", SERVICE, name))

    def end(self) -> None:
        """Have it give no more."""
        self._ended = True
        if self._signals is not None:
            self._signals.end()
