"""systemd asked over D-Bus's system bus: what systemctl asks, without it. For `service` and `unit-file`.

Wire format: the D-Bus Specification, "Message Protocol" and "Authentication Protocol"; all questions are sent at once,
as libsystemd does. The interface is org.freedesktop.systemd1(5).
"""

from __future__ import annotations

import _socket
import os
import sys

from infratest.cleaning import beginning, decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    Order = Literal["little", "big"]
    #: A call: what its header holds, and its body.
    Question = tuple[bytes, bytes]

ADDRESS = "/run/dbus/system_bus_socket"
UNITS = "/org/freedesktop/systemd1/unit"

#: Seconds that the bus may take; then systemctl is asked, whose deadline is the run's.
PATIENCE = 2.0

#: Questions that are asked at once, so that neither side's buffers fill up.
AT_ONCE = 100

#: Of every unit, and of timers too.
PROPERTIES = ("Id", "LoadState", "LoadError", "ActiveState", "SubState")
OF_TIMERS = ("NextElapseUSecRealtime", "NextElapseUSecMonotonic")

CALL, RETURN = 1, 2
PATH, INTERFACE, MEMBER, REPLY_TO, DESTINATION, SIGNATURE = 1, 2, 3, 5, 6, 8


class NotUnderstood(OSError):
    """The bus answered something else than was asked."""


def units(names: Sequence[str], address: str = ADDRESS, patience: float = PATIENCE) -> list[Mapping[str, str]]:
    """Return the PROPERTIES of each unit, which has its full name, and of timers those OF_TIMERS.

    Raises:
        OSError: there is no such bus, it does not let us in, it does not answer in time, or not so.
    """
    asked = [(index, interface, key) for index, name in enumerate(names) for interface, key in _properties(name)]
    questions = [
        (GET + field(PATH, b"o", f"{UNITS}/{label(names[index])}"), body_of(interface, key))
        for index, interface, key in asked
    ]
    found: list[dict[str, str]] = [{} for _ in names]
    for (index, _, key), (body, order) in zip(asked, _answers(questions, address, patience), strict=True):
        found[index][key] = _variant(body, order)
    return list(found)


def _properties(name: str) -> list[tuple[str, str]]:
    timers = OF_TIMERS if name.endswith(".timer") else ()
    return [("org.freedesktop.systemd1.Unit", key) for key in PROPERTIES] + [
        ("org.freedesktop.systemd1.Timer", key) for key in timers
    ]


def file_states(names: Sequence[str], address: str = ADDRESS, patience: float = PATIENCE) -> list[str]:
    """Return what systemd reads in the files of each unit, which has its full name: `enabled`, `static` ...

    Raises:
        OSError: as `units`, and where one of them has no file.
    """
    questions = [(GET_FILE_STATE, body_of(name)) for name in names]
    return [_string(body, 0, order)[0] for body, order in _answers(questions, address, patience)]


def _answers(questions: Sequence[Question], address: str, patience: float) -> list[tuple[bytes, Order]]:
    """Return the body of the answer to each question, and its byte order."""
    channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        channel.settimeout(patience)
        channel.connect(address)
        bus = Bus(channel)
        found: list[tuple[bytes, Order]] = []
        for start in range(0, len(questions), AT_ONCE):
            found += bus.ask(questions[start : start + AT_ONCE])
        return found
    finally:
        channel.close()


class Bus:
    """One connection: messages out by serial number, answers in."""

    def __init__(self, channel: _socket.socket) -> None:
        self._channel = channel
        self._data = b""
        self._serial = 0
        hello = self._message(HELLO)
        user = str(os.geteuid()).encode().hex()
        channel.sendall(f"\0AUTH EXTERNAL {user}\r\nBEGIN\r\n".encode() + hello)
        while b"\r\n" not in self._data:
            self._receive()
        line, _, self._data = self._data.partition(b"\r\n")
        if not line.startswith(b"OK "):
            raise NotUnderstood(f"the system bus does not let us in: {beginning(decoded(line), 80)}")

    def ask(self, questions: Sequence[Question]) -> list[tuple[bytes, Order]]:
        asked: dict[int, int] = {}
        messages = []
        for index, (fields, body) in enumerate(questions):
            messages.append(self._message(fields, body))
            asked[self._serial] = index
        self._channel.sendall(b"".join(messages))
        found: list[tuple[bytes, Order]] = [(b"", "little")] * len(questions)
        while asked:
            kind, head, body, order = self.next()
            reply_to = int(header(head, order).get(REPLY_TO, 0))
            if reply_to in asked:
                index = asked.pop(reply_to)
                if kind != RETURN:
                    raise NotUnderstood(f"systemd does not answer: {decoded(body[4:200])}")
                found[index] = (body, order)
        return found

    def _message(self, fields: bytes, body: bytes = b"") -> bytes:
        self._serial += 1
        order = b"l" if sys.byteorder == "little" else b"B"
        head = order + bytes((CALL, 0, 1)) + _number(len(body)) + _number(self._serial) + _number(len(fields))
        return aligned(head + fields, 8) + body

    def next(self) -> tuple[int, bytes, bytes, Order]:
        """Return a message's type, its header, its body and its byte order."""
        while len(self._data) < 16:
            self._receive()
        order: Order = "little" if self._data[:1] == b"l" else "big"
        fields = int.from_bytes(self._data[12:16], order)
        begin = (16 + fields + 7) & ~7
        end = begin + int.from_bytes(self._data[4:8], order)
        while len(self._data) < end:
            self._receive()
        message, self._data = self._data[:end], self._data[end:]
        return message[1], message[: 16 + fields], message[begin:], order

    def _receive(self) -> None:
        more = self._channel.recv(65536)
        if not more:
            raise NotUnderstood("the system bus has closed the connection")
        self._data += more


def header(head: bytes, order: Order) -> dict[int, str]:
    """Return the fields of a message's header as text, by their codes."""
    at, found = 16, {}
    while at + 4 < len(head):
        code, kind, at = head[at], head[at + 2 : at + 3], at + 4
        if kind == b"u":
            found[code] = str(int.from_bytes(head[at : at + 4], order))
            at += 4
        elif kind in (b"s", b"o"):
            found[code], at = _string(head, at, order)
        elif kind == b"g":
            at += 1 + head[at] + 1
        else:
            raise NotUnderstood("the system bus sent a header that is not understood")
        at = (at + 7) & ~7
    return found


def _variant(body: bytes, order: Order) -> str:
    """Return the text of a variant: a string, a number, or the last of two strings; nothing for any other body."""
    if body[:3] == b"\1s\0":
        return _string(body, 4, order)[0]
    if body[:3] == b"\1t\0":
        return str(int.from_bytes(body[8:16], order))
    if body[:6] == b"\4(ss)\0":
        return _string(body, _string(body, 8, order)[1], order)[0]
    return ""


def _string(body: bytes, at: int, order: Order) -> tuple[str, int]:
    """Return the string at a place of a body, and the place behind it."""
    at = (at + 3) & ~3
    end = at + 4 + int.from_bytes(body[at : at + 4], order)
    return decoded(body[at + 4 : end]), end + 1


def label(name: str) -> str:
    """Return a unit's name as the last part of its object path: all but letters and digits as `_` and hexadecimal."""
    kept = []
    for place, byte in enumerate(name.encode()):
        letter = chr(byte)
        plain = byte < 128 and (letter.isalpha() or (letter.isdigit() and place > 0))
        kept.append(letter if plain else f"_{byte:02x}")
    return "".join(kept)


def _text(text: str) -> bytes:
    data = text.encode()
    return _number(len(data)) + data + b"\0"


def _number(number: int) -> bytes:
    return number.to_bytes(4, sys.byteorder)


def aligned(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)


def field(code: int, kind: bytes, text: str) -> bytes:
    """Return a field of a message's header."""
    return bytes((code, 1)) + kind + b"\0" + _text(text)


def body_of(*texts: str) -> bytes:
    data = b""
    for text in texts:
        data = aligned(data, 4) + _text(text)
    return data


#: Headers but for what differs. Each field but the last one is filled up.
HELLO = (
    aligned(field(INTERFACE, b"s", "org.freedesktop.DBus"), 8)
    + aligned(field(MEMBER, b"s", "Hello"), 8)
    + aligned(field(DESTINATION, b"s", "org.freedesktop.DBus"), 8)
    + field(PATH, b"o", "/org/freedesktop/DBus")
)
GET = (
    aligned(field(INTERFACE, b"s", "org.freedesktop.DBus.Properties"), 8)
    + aligned(field(MEMBER, b"s", "Get"), 8)
    + aligned(field(DESTINATION, b"s", "org.freedesktop.systemd1"), 8)
    + aligned(bytes((SIGNATURE, 1)) + b"g\0\2ss\0", 8)
)
GET_FILE_STATE = (
    aligned(field(INTERFACE, b"s", "org.freedesktop.systemd1.Manager"), 8)
    + aligned(field(MEMBER, b"s", "GetUnitFileState"), 8)
    + aligned(field(DESTINATION, b"s", "org.freedesktop.systemd1"), 8)
    + aligned(bytes((SIGNATURE, 1)) + b"g\0\1s\0", 8)
    + field(PATH, b"o", "/org/freedesktop/systemd1")
)
