"""`zabbix: {address: "127.0.0.1:10051"}`: each state and each number as a trapper item, by Zabbix' own protocol.

Source: Zabbix 6.0's manual, "Zabbix sender protocol" and "Header": `ZBXD`, a flag, the length as eight bytes, the least
first, then JSON. The server answers how many values it took; which it did not take it does not say. Proven against
exchanges in the form of the manual, not against a server.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.cleaning import cited, clean, masked
from infratest.deadline import Deadline
from infratest.errors import SendError, UserError
from infratest.receivers._line import Line, line
from infratest.senders.base import ADDRESS, PLAIN, Handed, Seen, Sender, where
from infratest.states import EXIT, OK, WAIVED
from infratest.store.events import Event

PORT = 10051
#: What a message begins with, its flag and its length; and bytes of an answer that are read.
MARK, HEAD, LARGEST = b"ZBXD", struct.Struct("<4sBQ"), 64 * 1024
PROTOCOL = 1
#: Characters of an item's key, and of a host's name (Zabbix 6.0).
LONGEST_KEY, LONGEST_HOST = 2048, 128
NUMBERS = {**EXIT, WAIVED: EXIT[OK]}
_HOST = re.compile(r"[A-Za-z0-9._ -]+")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where the server or proxy is."""

    address: str = field(metadata=ADDRESS)
    plain: bool = field(default=False, metadata=PLAIN)


class Zabbix(Sender):
    """Values of trapper items of a Zabbix server or proxy."""

    at_once = 250

    def __init__(self, options: Options, folder: Path) -> None:
        super().__init__(options, folder)
        self.host, self.port = where(options.address, PORT, options.plain)

    def describe(self) -> str:
        return f"zabbix {self.host}:{self.port}"

    def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
        values, left, why = [], 0, ""
        for each in seen:
            try:
                values += [made for event in each.events if (made := value(event, each)) is not None]
            except UserError as error:
                left, why = left + 1, str(error)
        if not values:
            return Handed(len(seen), left, why)
        with line(self.host, self.port, deadline) as one:
            said = _asked(one, message(values))
        found = re.fullmatch(r"processed: (\d+); failed: (\d+); total: \d+; seconds spent: [\d.]+", said)
        if found is None:
            raise SendError(f"{self.describe()}: it answers {cited(said, 200)}, which is not understood")
        if refused := int(found[2]):
            left = min(len(seen), left + refused)
            why = why or f"{self.describe()}: it knows no trapper item, or no such host, of {refused} values"
        return Handed(len(seen), left, why)


def value(event: Event, seen: Seen) -> dict[str, Any] | None:
    """Return an event as a value of an item; None for a word that is no state. Raises UserError: there is no such."""
    given = NUMBERS.get(event.value) if isinstance(event.value, str) else event.value
    if given is None:
        return None
    own = f"infratest-{seen.stack}-{seen.env}" if seen.env else f"infratest-{seen.stack}"
    host = event.labels.get("host", "-")
    host = own if host in ("", "-") else host
    key = f"infratest[{_quoted(masked(event.key))}]"
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host) or host != host.strip() or len(key) > LONGEST_KEY:
        raise UserError(f"zabbix cannot have the item {cited(key, 60)} of the host {cited(host, 60)}")
    return {"host": host, "key": key, "value": str(given), "clock": int(event.time)}


def message(values: Sequence[dict[str, Any]]) -> bytes:
    """Return what is sent for these values."""
    body = json.dumps({"request": "sender data", "data": list(values)}).encode("ascii")
    return HEAD.pack(MARK, PROTOCOL, len(body)) + body


def _quoted(text: str) -> str:
    """Return text as a parameter of an item's key, in quotes."""
    if not text.isprintable():
        raise UserError(f"zabbix cannot have the key {cited(text, 60)}: it holds what ends lines or moves cursors")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _asked(one: Line, data: bytes) -> str:
    """Send a message and return the words of the answer. Raises SendError."""
    try:
        one.socket.sendall(data)
        head = _read(one, HEAD.size)
        mark, flag, size = HEAD.unpack(head)
        if mark != MARK or flag != PROTOCOL or size > LARGEST:
            raise SendError(f"{one.place}: it answers {cited(head, 20)}, which is no Zabbix")
        answer = json.loads(_read(one, size))
        if not isinstance(answer, dict) or answer.get("response") != "success":
            raise SendError(f"{one.place}: it answers {clean(str(answer), 200)}")
        return str(answer.get("info", ""))
    except (OSError, ValueError) as error:
        raise SendError(f"{one.place}: {one.why(error)}, after it was sent; it may have arrived") from error


def _read(one: Line, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = one.socket.recv(size - len(data))
        if not more:
            raise SendError(f"{one.place}: the connection ended before its answer; is this host allowed to send there?")
        data += more
    return data
