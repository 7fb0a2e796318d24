"""An MQTT 3.1.1 client that looks: whether a broker lets us in, what it keeps under a topic, how long a message takes.

Wire format: MQTT 3.1.1 (OASIS), 2.2 (the fixed header) and 3 (packets). The fact `mqtt` calls it for the controller,
and sends its text, behind that of `_outside`, to hosts that have python3: Python 3.6 and later, nothing newer. It has a
session that ends with the connection, and sends a message to who subscribes to a topic of its own alone.
"""

import _socket
from time import monotonic

from infratest.facts import _outside as out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Types of packets, with the bits that theirs must have: MQTT 3.1.1, 2.2.
CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK, DISCONNECT = 0x10, 0x20, 0x30, 0x82, 0x90, 0xE0
#: What a broker answers to who connects: MQTT 3.1.1, 3.2.2.3.
RETURNS = {
    1: "it does not speak MQTT 3.1.1", 2: "it does not take our identifier", 3: "it is not available",
    4: "the login is refused", 5: "it does not let us in",
}  # fmt: skip
#: A subscription that a broker refuses: MQTT 3.1.1, 3.9.3.
REFUSED_TOPIC = 0x80
#: Bytes of a packet that are read, and of a message that are shown.
LIMIT, MESSAGE, TAB = 2**18, 1000, "\t"

#: Beside those of `_outside`: a login is refused, or a right; nothing is kept under a topic.
LOCKED = "locked"


class _Barred(Exception):
    """The broker does not let us: its words."""


@out.in_turn
def mqtt(host: str, port: int, seconds: float, more: str) -> "tuple[str, float, str]":
    """Ask a broker.

    Args:
        more: user, password, what is asked (`broker`, `kept`, `message`), the topic, the seconds that a kept message
        may take, and for TLS the name of the certificate, else nothing; with tabs between them.
    Returns:
        The outcome, the seconds it took, and words: nothing; or of what is kept `none`, or `message`, a tab, and what
        it says; or the seconds that a message took; or why there are none.
    """
    began = monotonic()
    one, outcome, words = out.connection(host, port, seconds)
    if one is not None:
        user, password, what, topic, patience, tls = more.split("\t")
        try:
            broker = _Mqtt(one, tls, began + seconds)
            outcome, words = out.OPEN, broker.asked(user, password, what, topic, float(patience))
        except _Barred as barred:
            outcome, words = LOCKED, str(barred)
        except _socket.timeout:
            outcome, words = out.MUTE, f"it lets us in and does not answer within {seconds:g} s"
        except OSError as failed:
            outcome, words = out.MUTE, f"it hung up: {(failed.strerror or str(failed)).lower()}"
        except (ValueError, IndexError) as wrong:
            outcome, words = out.MUTE, f"what answers is no MQTT 3.1.1: {wrong}"
    return outcome, monotonic() - began, words


class _Mqtt:
    """A connection to a broker. `name`: for TLS, else empty."""

    def __init__(self, one: "Any", name: str, end: float) -> None:
        import socket

        self._end = end
        self._one = socket.socket(fileno=one.detach())
        self._one.settimeout(self._left())
        if name:
            import ssl

            self._one = ssl.create_default_context().wrap_socket(self._one, server_hostname=name)
        self._data, self._within = b"", False

    def _left(self) -> float:
        return max(0.05, self._end - monotonic())

    def asked(self, user: str, password: str, what: str, topic: str, patience: float) -> str:
        try:
            self._in(user, password)
            said = ""
            if what == "kept":
                said = self._kept(topic, patience)
            elif what == "message":
                said = f"{self._message(topic):.6f}"
            self._send(DISCONNECT, b"")
            return said
        finally:
            self._one.close()

    def _in(self, user: str, password: str) -> None:
        flags, login = 0x02, b""  # a session that ends with the connection
        if user:
            flags, login = flags | 0x80, login + _text(user)
        if password:
            flags, login = flags | 0x40, login + _text(password)
        self._send(CONNECT, _text("MQTT") + bytes([4, flags, 0, 60]) + _text("") + login)
        kind, answer = self._next()
        if kind != CONNACK or len(answer) != 2:
            raise ValueError(f"it answers with packet {kind:#x}")
        if answer[1] in (4, 5):
            raise _Barred(RETURNS[answer[1]])
        if answer[1]:
            raise ValueError(RETURNS.get(answer[1], f"it returns {answer[1]}"))

    def _subscribe(self, topic: str) -> "list[tuple[str, bytes, bool]]":
        """Subscribe; return what came before that was confirmed."""
        self._send(SUBSCRIBE, b"\0\x01" + _text(topic) + b"\0")
        came = []
        while True:
            kind, answer = self._next()
            if kind & 0xF0 == PUBLISH:
                came.append(_published(answer, kind))
            elif kind == SUBACK and answer[:2] == b"\0\x01":
                if answer[2] == REFUSED_TOPIC:
                    raise _Barred(f"it does not let us see {topic}")
                return came

    def _kept(self, topic: str, patience: float) -> str:
        came = self._subscribe(topic)
        end = min(self._end, monotonic() + patience)
        while True:
            for name, message, retained in came:
                if name == topic and retained:
                    # A tab at its end says that there is more.
                    shown = message[:MESSAGE].decode("utf-8", "replace")
                    return f"message\t{shown}{TAB if len(message) > MESSAGE else ''}"
            if monotonic() >= end:
                return "none"
            try:
                kind, answer = self._next(end)
            except _socket.timeout:
                if self._within:
                    raise  # of a message that began the rest did not come
                return "none"
            came = [_published(answer, kind)] if kind & 0xF0 == PUBLISH else []

    def _message(self, topic: str) -> float:
        import os

        own, body = f"{topic}/{os.urandom(8).hex()}", os.urandom(8).hex().encode()
        came = self._subscribe(own)
        began = monotonic()
        self._send(PUBLISH, _text(own) + body)
        while (own, body) not in [(name, message) for name, message, _ in came]:
            kind, answer = self._next()
            if kind & 0xF0 == PUBLISH:
                came.append(_published(answer, kind))
        return monotonic() - began

    def _send(self, kind: int, payload: bytes) -> None:
        size, digits = len(payload), bytearray()
        while True:
            size, digit = divmod(size, 128)
            digits.append(digit | (0x80 if size else 0))
            if not size:
                break
        self._one.settimeout(self._left())
        self._one.sendall(bytes([kind]) + bytes(digits) + payload)

    def _next(self, end: "float | None" = None) -> "tuple[int, bytes]":
        kind, size, shift = self._read(1, end)[0], 0, 0
        self._within = True
        if kind & 0xF0 not in (CONNACK, PUBLISH, SUBACK):
            raise ValueError(f"it says {bytes([kind]) + self._data[:20]!r}")
        while True:
            digit = self._read(1)[0]
            size, shift = size | (digit & 0x7F) << shift, shift + 7
            if not digit & 0x80:
                break
            if shift > 21:
                raise ValueError("a packet without a length")
        if size > LIMIT:
            raise ValueError(f"a packet of {size} bytes")
        payload = self._read(size)
        self._within = False
        return kind, payload

    def _read(self, size: int, end: "float | None" = None) -> bytes:
        while len(self._data) < size:
            self._one.settimeout(self._left() if end is None else max(0.01, end - monotonic()))
            more = self._one.recv(2**14)
            if not more:
                raise ConnectionResetError(0, "connection closed")
            self._data += more
        data, self._data = self._data[:size], self._data[size:]
        return data


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    if len(data) > 65535:
        raise ValueError("a text of more than 65535 bytes")
    return len(data).to_bytes(2, "big") + data


def _published(payload: bytes, kind: int) -> "tuple[str, bytes, bool]":
    """Return topic and message of a packet, and whether it was kept there: MQTT 3.1.1, 3.3.

    Who subscribes is sent what is kept with the bit RETAIN (3.3.1.3), and what passes from then on without it.
    """
    size = int.from_bytes(payload[:2], "big")
    behind = 2 + size + (2 if kind & 0x06 else 0)  # an identifier, where it wants to be confirmed
    if len(payload) < behind:
        raise ValueError("a message that is cut off")
    return payload[2 : 2 + size].decode("utf-8", "replace"), payload[behind:], bool(kind & 0x01)


out.ANSWERS["mqtt"] = mqtt
