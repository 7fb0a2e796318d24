"""`statsd: "127.0.0.1:8125"`: numbers that programs send by UDP, added up for ten seconds each.

A counter gives `x`, how often a second, and `x.count`; a gauge `x`; a timer `x`, its mean in seconds, `x.lower`,
`x.upper`, `x.upper_90` and `x.count`; a set `x`, how many different ones. What was not heard of gives nothing: who is
silent has no value, and a sentence can ask for that. What the kernel had to throw away it counts (proc(5), the column
`drops` of /proc/net/udp), and so do we: UDP loses packets, and nobody else would know.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from select import POLLIN, poll
from threading import Thread
from time import monotonic, time
from typing import Any

from infratest.intakes._admission import LOST, Refusal, event
from infratest.intakes._statsd_tally import Tally
from infratest.intakes.base import ADDRESS, PLAIN, House, Intake
from infratest.store.events import Event

#: Bytes of a datagram, and of the kernel's queue that is asked for; it gives what net.core.rmem_max allows.
LARGEST, QUEUE = 65_536, 8 * 2**20
#: Packets that are read before the clock is looked at.
BURST = 2000
#: What the kernel knows of sockets for UDP: the last column of a line is how many packets it threw away, the tenth the
#: inode.
TABLES = ("/proc/net/udp", "/proc/net/udp6")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where packets come to."""

    address: str = field(metadata=ADDRESS)
    every: float = field(
        default=10.0,
        metadata={
            "dimension": "time", "low": 1.0, "high": 3600.0,
            "description": "How long it is added up for one number (default 10s).",
        },
    )  # fmt: skip
    plain: bool = field(default=False, metadata=PLAIN)


class Statsd(Intake):
    """StatsD by UDP."""

    def __init__(self, options: Any, folder: Path) -> None:
        super().__init__(options, folder)
        self.tally = Tally()
        self._socket: socket.socket | None = None
        self._lost = 0
        self._ended = False
        self._thread: Thread | None = None

    def open(self, house: House) -> None:
        try:
            family = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0][0]
            made = socket.socket(family, socket.SOCK_DGRAM)
            try:
                _enlarge(made)
                made.bind((self.host, self.port))
            except OSError:
                made.close()
                raise
        except OSError as error:
            raise self.taken_already(error) from error
        made.setblocking(False)
        self.port = int(made.getsockname()[1])
        self._socket = made
        self._lost = dropped(made) or 0
        self._thread = Thread(target=self._listen, args=(made, house), name="statsd", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended = True
        if self._thread is not None:
            self._thread.join(5)
        if self._socket is not None:
            self._socket.close()

    def _listen(self, listening: socket.socket, house: House) -> None:
        began = monotonic()
        waiting = poll()
        waiting.register(listening, POLLIN)
        while not self._ended:
            waiting.poll(min(200.0, max(0.0, began + self.options.every - monotonic()) * 1000))
            self._read(listening)
            now = monotonic()
            if now - began >= self.options.every:
                self._flush(house, now - began)
                began = now
        self._read(listening)
        self._flush(house, max(monotonic() - began, 0.001))

    def _read(self, listening: socket.socket) -> None:
        receive, take = listening.recv, self.tally.take
        with suppress(BlockingIOError):
            for _ in range(BURST):
                take(receive(LARGEST))

    def _flush(self, house: House, seconds: float) -> None:
        refusals, self.tally.refusals = self.tally.refusals, type(self.tally.refusals)()
        for reason, count in refusals.items():
            house.arrivals.refuse(self.word, reason, count)
        if self._socket is not None and (lost := dropped(self._socket)) is not None and lost != self._lost:
            house.arrivals.refuse(self.word, LOST, (lost - self._lost) % 2**32)
            self._lost = lost
        events = [*self._events(house, seconds, time())]
        if events:
            house.arrivals.offer(self.word, events)

    def _events(self, house: House, seconds: float, now: float) -> Iterator[Event]:
        for name, behind, number, unit in self.tally.flushed(seconds):
            try:
                made = event(name, number, now, unit=unit)
            except Refusal as refusal:
                if not behind:
                    house.arrivals.refuse(self.word, refusal.reason)
                continue
            yield made if not behind else Event(made.time, made.key + behind, made.value, made.unit, made.labels)


def dropped(bound: socket.socket) -> int | None:
    """Return how many packets the kernel has thrown away for a socket; None where it does not say."""
    inode = str(os.fstat(bound.fileno()).st_ino)
    for table in TABLES:
        with suppress(OSError, ValueError, IndexError), open(table, encoding="ascii") as file:
            for line in file:
                columns = line.split()
                if len(columns) > 10 and columns[9] == inode:
                    return int(columns[-1])
    return None


def _enlarge(made: socket.socket) -> None:
    """Ask for a long queue: root gets it, others as much as the machine allows."""
    try:
        made.setsockopt(socket.SOL_SOCKET, 33, QUEUE)  # SO_RCVBUFFORCE of Linux, which the module has no name for
    except OSError:
        with suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE)
