"""`graphite: "127.0.0.1:2003"`: lines of `key value time` by TCP, as Graphite's carbon takes them.

Source: https://graphite.readthedocs.io/en/latest/feeding-carbon.html, its plaintext protocol. A time of -1 or N is now.
Nothing is answered in that protocol: what is refused is counted by its reason. What stands behind `;` in a key (tags)
becomes part of it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any

from infratest.intakes._admission import CONNECTIONS, LARGE, NOT_UNDERSTOOD, Refusal, event, written_number
from infratest.intakes._listener import Listener
from infratest.intakes.base import ADDRESS, PLAIN, House, Intake
from infratest.store.events import Event

#: Bytes of a line; what is longer has no end.
LONGEST_LINE = 4096


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where lines come to."""

    address: str = field(metadata=ADDRESS)
    plain: bool = field(default=False, metadata=PLAIN)


class Graphite(Intake):
    """Graphite's plaintext protocol by TCP."""

    def __init__(self, options: Any, folder: Path) -> None:
        super().__init__(options, folder)
        self._listener: Listener | None = None

    def open(self, house: House) -> None:
        self._listener = Listener(
            lambda connection: self._serve(connection, house), lambda: house.arrivals.refuse(self.word, CONNECTIONS)
        )
        try:
            self.port = self._listener.open(self.host, self.port, self.word)
        except OSError as error:
            raise self.taken_already(error) from error

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _serve(self, connection: socket.socket, house: House) -> None:
        rest = b""
        try:
            while data := connection.recv(65_536):
                *whole, rest = (rest + data).split(b"\n")
                self._take(whole, house)
                if len(rest) > LONGEST_LINE:
                    rest = b""  # it is counted once
                    house.arrivals.refuse(self.word, LARGE)
                    return
        finally:
            if rest:  # who closes has said all of it, or was cut off: a number that is cut is none that was sent
                house.arrivals.refuse(self.word, NOT_UNDERSTOOD)

    def _take(self, whole: list[bytes], house: House) -> None:
        now, events = time(), []
        for line in whole:
            if not line.strip():
                continue
            try:
                events.append(line_event(line, now))
            except Refusal as refusal:
                house.arrivals.refuse(self.word, refusal.reason)
        if events:
            house.arrivals.offer(self.word, events)


def line_event(line: bytes, now: float) -> Event:
    """Return what a line says. Raises Refusal."""
    if len(line) > LONGEST_LINE:
        raise Refusal(LARGE)
    words = line.split()
    if len(words) != 3:
        raise Refusal(NOT_UNDERSTOOD)
    key, value, at = words
    when = None if at in (b"-1", b"N") else written_number(at)
    return event(key, written_number(value), now, time=when)
