"""Properties of systemd's units, asked over D-Bus's system bus: what `systemctl show` asks, without it. For `service`.

Wire format: the D-Bus Specification, "Message Protocol" and "Authentication Protocol"; all questions are sent at once,
as libsystemd does. The interface is org.freedesktop.systemd1(5).
"""

from __future__ import annotations

import _socket
import os
import sys

from infratest.cleaning import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    Order = Literal["little", "big"]

ADDRESS = "/run/dbus/system_bus_socket"

#: Seconds that the bus may take; then systemctl is asked, whose deadline is the run's.
PATIENCE = 2.0

#: Units that are asked for at once, so that neither side's buffers fill up.
AT_ONCE = 20

PROPERTIES = ("Id", "LoadState", "ActiveState", "SubState", "UnitFileState")

CALL, RETURN = 1, 2
PATH, INTERFACE, MEMBER, REPLY_TO, DESTINATION, SIGNATURE = 1, 2, 3, 5, 6, 8


class NotUnderstood(OSError):
    """The bus answered something else than was asked."""


def units(names: Sequence[str], address: str = ADDRESS, patience: float = PATIENCE) -> list[Mapping[str, str]]:
    """Return the PROPERTIES of each unit, which has its full name.

    Raises:
        OSError: there is no such bus, it does not let us in, it does not answer in time, or not so.
    """
    channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        channel.settimeout(patience)
        channel.connect(address)
        bus = _Bus(channel)
        found: list[Mapping[str, str]] = []
        for start in range(0, len(names), AT_ONCE):
            found += bus.ask(names[start : start + AT_ONCE])
        return found
    finally:
        channel.close()


class _Bus:
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
            raise NotUnderstood(f"the system bus does not let us in: {decoded(line[:80])}")

    def ask(self, names: Sequence[str]) -> list[Mapping[str, str]]:
        asked: dict[int, tuple[int, str]] = {}
        messages = []
        bodies = [(key, _body("org.freedesktop.systemd1.Unit", key)) for key in PROPERTIES]
        for index, name in enumerate(names):
            fields = GET + _field(PATH, b"o", f"/org/freedesktop/systemd1/unit/{_label(name)}")
            for key, body in bodies:
                messages.append(self._message(fields, body))
                asked[self._serial] = (index, key)
        self._channel.sendall(b"".join(messages))
        found: list[dict[str, str]] = [{} for _ in names]
        while asked:
            kind, reply_to, text = self._next()
            if reply_to in asked:
                index, key = asked.pop(reply_to)
                if kind != RETURN:
                    raise NotUnderstood(f"systemd does not tell {key} of {names[index]}")
                found[index][key] = text
        return list(found)

    def _message(self, fields: bytes, body: bytes = b"") -> bytes:
        self._serial += 1
        order = b"l" if sys.byteorder == "little" else b"B"
        head = order + bytes((CALL, 0, 1)) + _number(len(body)) + _number(self._serial) + _number(len(fields))
        return _aligned(head + fields, 8) + body

    def _next(self) -> tuple[int, int, str]:
        """Return a message's type, what it answers (0: nothing) and the string in its body, if it is one."""
        while len(self._data) < 16:
            self._receive()
        order: Order = "little" if self._data[:1] == b"l" else "big"
        fields = int.from_bytes(self._data[12:16], order)
        begin = (16 + fields + 7) & ~7
        end = begin + int.from_bytes(self._data[4:8], order)
        while len(self._data) < end:
            self._receive()
        message, self._data = self._data[:end], self._data[end:]
        return message[1], _reply_to(message[: 16 + fields], order), _variant(message[begin:], order)

    def _receive(self) -> None:
        more = self._channel.recv(65536)
        if not more:
            raise NotUnderstood("the system bus has closed the connection")
        self._data += more


def _reply_to(message: bytes, order: Order) -> int:
    """Return the serial number that a message answers, out of its header's fields; 0 if it answers none."""
    at = 16
    while at + 4 < len(message):
        code, kind, at = message[at], message[at + 2 : at + 3], at + 4
        if kind == b"u":
            if code == REPLY_TO:
                return int.from_bytes(message[at : at + 4], order)
            at += 4
        elif kind in (b"s", b"o"):
            at += 4 + int.from_bytes(message[at : at + 4], order) + 1
        elif kind == b"g":
            at += 1 + message[at] + 1
        else:
            raise NotUnderstood("the system bus sent a header that is not understood")
        at = (at + 7) & ~7
    return 0


def _variant(body: bytes, order: Order) -> str:
    """Return the string of a variant; nothing for any other body."""
    if body[:3] != b"\1s\0":
        return ""
    return decoded(body[8 : 8 + int.from_bytes(body[4:8], order)])


def _label(name: str) -> str:
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


def _aligned(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)


def _field(code: int, kind: bytes, text: str) -> bytes:
    """Return a field of a message's header."""
    return bytes((code, 1)) + kind + b"\0" + _text(text)


def _body(*texts: str) -> bytes:
    data = b""
    for text in texts:
        data = _aligned(data, 4) + _text(text)
    return data


#: Headers but for what differs. Each field but the last one is filled up.
HELLO = (
    _aligned(_field(INTERFACE, b"s", "org.freedesktop.DBus"), 8)
    + _aligned(_field(MEMBER, b"s", "Hello"), 8)
    + _aligned(_field(DESTINATION, b"s", "org.freedesktop.DBus"), 8)
    + _field(PATH, b"o", "/org/freedesktop/DBus")
)
GET = (
    _aligned(_field(INTERFACE, b"s", "org.freedesktop.DBus.Properties"), 8)
    + _aligned(_field(MEMBER, b"s", "Get"), 8)
    + _aligned(_field(DESTINATION, b"s", "org.freedesktop.systemd1"), 8)
    + _aligned(bytes((SIGNATURE, 1)) + b"g\0\2ss\0", 8)
)
