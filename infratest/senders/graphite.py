"""`graphite: {address: "127.0.0.1:2003"}`: each number, and each state as one, in lines of `key value time` by TCP.

Source: https://graphite.readthedocs.io/en/latest/feeding-carbon.html, its plaintext protocol. Carbon answers nothing:
that it has read all is known by its closing the connection once we have said that no more comes.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infratest.cleaning import cited, masked
from infratest.deadline import Deadline
from infratest.errors import SendError, UserError
from infratest.receivers._line import Line, line
from infratest.senders.base import ADDRESS, PLAIN, Handed, Seen, Sender, where
from infratest.states import EXIT, OK, WAIVED
from infratest.store.events import Event

PORT = 2003
#: Bytes of a part of a key, which becomes a name of a file, and of a whole key: half of what intakes read of a line.
LONGEST_PART, LONGEST_KEY = 200, 1000
#: States by number, as Nagios has them; what is waived alarms nobody.
NUMBERS = {**EXIT, WAIVED: EXIT[OK]}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where it is sent, and under which keys."""

    address: str = field(metadata=ADDRESS)
    prefix: str = field(
        default="", metadata={"title": "words joined by dots", "description": "What all keys begin with."}
    )
    plain: bool = field(default=False, metadata=PLAIN)


class Graphite(Sender):
    """Lines of Graphite's plaintext protocol by TCP."""

    def __init__(self, options: Options, folder: Path) -> None:
        super().__init__(options, folder)
        self.host, self.port = where(options.address, PORT, options.plain)
        if options.prefix and written_key(options.prefix) != options.prefix:
            raise UserError(f"prefix: {options.prefix!r} is no key; write words of letters, digits, _ and - and dots")

    def describe(self) -> str:
        return f"graphite {self.host}:{self.port}"

    def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
        lines, left, why = [], 0, ""
        for each in seen:
            kept = []
            for event in each.events:
                try:
                    kept.append(written(event, self.options.prefix))
                except UserError as error:
                    why = str(error)
            lines += kept
            left += len(kept) < len(each.events)
        data = "".join(lines).encode("utf-8")
        if data:
            with line(self.host, self.port, deadline) as one:
                _hand_over(one, data)
        return Handed(len(seen), left, why)


def written(event: Event, prefix: str = "") -> str:
    """Return the line of an event; empty for a word that is no state. Raises UserError: its key can be none there."""
    value = NUMBERS.get(event.value) if isinstance(event.value, str) else event.value
    if value is None or not math.isfinite(value) or not math.isfinite(event.time):
        return ""
    key = written_key(f"{prefix}.{event.key}" if prefix else event.key)
    return f"{key} {repr(float(value)).removesuffix('.0')} {event.time:.0f}\n"


def written_key(key: str) -> str:
    """Return a key as a line and a path of files can have it: each character that neither can is `_`.

    Raises:
        UserError: it is too long, or a part of it is empty: under another key nobody would find it.
    """
    made = "".join(one if one.isalnum() or one in "_-.+%@:" else "_" for one in masked(key))
    parts = made.split(".")
    sizes = [len(part.encode("utf-8", "surrogatepass")) for part in parts]
    named = any(one.isalnum() for one in made)
    if not (named and all(sizes)) or max(sizes) > LONGEST_PART or sum(sizes) + len(sizes) > LONGEST_KEY:
        raise UserError(
            f"graphite cannot have the key {cited(key, 60)}: it names nothing, a part of it is empty or longer than "
            f"{LONGEST_PART} bytes, or all of it than {LONGEST_KEY}"
        )
    return made


def _hand_over(one: Line, data: bytes) -> None:
    """Send all, say that no more comes, and wait until the other side has read it. Raises SendError."""
    try:
        one.socket.sendall(data)
        one.socket.shutdown(socket.SHUT_WR)
        while one.socket.recv(4096):
            pass  # nothing is said in this protocol; whatever it is, it is no end yet
    except OSError as error:
        raise SendError(f"{one.place}: {one.why(error)}, while it was sent; it may have arrived in part") from error
    if one.ended:
        raise SendError(f"{one.place}: it does not read what it is sent, or does not close when it has; is it carbon?")
