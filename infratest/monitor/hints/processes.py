"""Processes of this machine that sentences name: one that ends is heard of at once, one that begins with the next scan.

The kernel says by a pidfd (pidfd_open(2)) that a process has ended, to anybody and whoever's it is; who has the name is
asked of the fact `process`, so that both mean the same.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Event

from infratest import outsiders
from infratest.alerting.due import HINT_PAUSE
from infratest.errors import FactError
from infratest.monitor.hints.base import PROCESS, Hint

#: Seconds between two scans of the machine's processes, while none that is known ends.
SCAN = 5.0


class Processes:
    """Gives a hint for each name of which a process has ended, or begun.

    Args:
        names: gives the names that are looked at. scan: seconds between two scans.
    """

    def __init__(self, names: Callable[[], Iterable[str]], scan: float = SCAN) -> None:
        self._names, self._pause = names, scan
        self._ended = Event()
        self._waker = os.eventfd(0, os.EFD_CLOEXEC)
        self._held: dict[int, int] = {}  # by process, what the kernel says its end by
        self._seen: dict[str, frozenset[int]] = {}

    def run(self, told: Callable[[Hint], None]) -> None:
        """Give hints until it is ended. Raises FactError: other users' processes cannot be seen."""
        try:
            while not self._ended.is_set():
                self._scan(told)
                if self._one_ended(told):
                    # What ends all the time needs no scan each time: more than so often nobody looks anyway.
                    self._ended.wait(HINT_PAUSE)
        finally:
            self._hold(())
            if self._ended.is_set():
                os.close(self._waker)

    def end(self) -> None:
        """Have it give no more."""
        self._ended.set()
        with suppress(OSError):  # it may have returned in between
            os.eventfd_write(self._waker, 1)

    def _scan(self, told: Callable[[Hint], None]) -> None:
        found = outsiders.get("fact", PROCESS)().look_here([()])
        if found is None:
            raise FactError("the processes of this machine cannot be seen: /proc is hidden or not mounted")
        seen = {name: frozenset(one.pid for one in found[()].named(name)) for name in set(self._names())}
        before, self._seen = self._seen, seen
        self._hold(set().union(*seen.values()))
        for name, pids in seen.items():
            if name in before and before[name] != pids:
                told(Hint("", PROCESS, name))

    def _one_ended(self, told: Callable[[Hint], None]) -> bool:
        """Wait until a process ends, or it is time to scan again; whether one has ended."""
        poll, of = select.poll(), {held: pid for pid, held in self._held.items()}
        for each in (self._waker, *of):
            poll.register(each, select.POLLIN)
        ended = {of[each] for each, _ in poll.poll(self._pause * 1000) if each in of}
        for name, pids in self._seen.items():
            if pids & ended:
                told(Hint("", PROCESS, name))
        self._seen = {name: pids - ended for name, pids in self._seen.items()}
        return bool(ended)

    def _hold(self, pids: Iterable[int]) -> None:
        """Have the kernel say the end of these processes, and of no others."""
        wanted = set(pids)
        for pid in self._held.keys() - wanted:
            os.close(self._held.pop(pid))
        for pid in wanted - self._held.keys():
            with suppress(ProcessLookupError):  # it has ended meanwhile: the next scan says so
                self._held[pid] = os.pidfd_open(pid)
