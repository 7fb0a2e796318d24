"""An AMQP 0-9-1 client that looks: what a broker says of itself, what is in a queue, whether a message comes through.

Wire format: AMQP 0-9-1, 4.2 (frames) and its XML for the numbers of classes and methods. The fact `amqp` calls it for
the controller, and sends its text, behind that of `_outside`, to hosts that have python3: Python 3.6 and later, nothing
newer. A queue is asked passively, which changes nothing; a message goes into a queue of its own that nobody else has.
"""

import _socket
from struct import error as Cut
from struct import pack, unpack
from time import monotonic

from infratest.facts import _outside as out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Types of frames, and the byte that ends each: AMQP 0-9-1, 2.3.5.
METHOD, HEADER, BODY, HEARTBEAT, END = 1, 2, 3, 8, 0xCE
#: Class and method: of the connection, of a channel, of a queue, of messages. `open` is ENTER, as OPEN is an outcome.
START, START_OK, TUNE, TUNE_OK, ENTER, ENTER_OK = (10, 10), (10, 11), (10, 30), (10, 31), (10, 40), (10, 41)
CLOSE, CLOSE_OK = (10, 50), (10, 51)
CHANNEL_OPEN, CHANNEL_OPEN_OK, CHANNEL_CLOSE = (20, 10), (20, 11), (20, 40)
DECLARE, DECLARE_OK = (50, 10), (50, 11)
PUBLISH, GET, GET_OK, GET_EMPTY = (60, 40), (60, 70), (60, 71), (60, 72)
#: Replies to a question: no such queue, no such or no allowed virtual host, login refused. AMQP 0-9-1, 1.2.
NOT_FOUND, NOT_ALLOWED, ACCESS_REFUSED = 404, 530, 403
#: Bits of a declaration: passive; exclusive and auto-delete.
PASSIVE, OWN = 1, 4 | 8
#: A frame longer than this is none that is asked for.
LIMIT = 2**17

#: Beside those of `_outside`: a login is refused, or a right; it does not let us look for another reason.
LOCKED, FAILING = "locked", "failing"


class _Closed(Exception):
    """The broker has ended a connection or a channel: its code, and its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code} {words}")
        self.code = code


@out.in_turn
def amqp(host: str, port: int, seconds: float, more: str) -> "tuple[str, float, str]":
    """Ask a broker.

    Args:
        more: user, password, virtual host, what is asked (`broker`, `queue`, `message`), the queue's name, and for TLS
        the name of the certificate, else nothing; with tabs between them.
    Returns:
        The outcome, the seconds it took, and words: product and version with a tab between them, and behind them the
        messages and consumers of a queue, or `none`; or the seconds that a message took; or why there are none.
    """
    began = monotonic()
    one, outcome, words = out.connection(host, port, seconds)
    if one is not None:
        user, password, place, what, name, tls = more.split("\t")
        try:
            broker = _Broker(one, tls, began + seconds)
            outcome, words = out.OPEN, broker.asked(user, password, place, what, name)
        except _Closed as closed:
            locked = closed.code in (ACCESS_REFUSED, NOT_ALLOWED)
            outcome, words = LOCKED if locked else FAILING, str(closed)
        except _socket.timeout:
            outcome, words = out.MUTE, f"it lets us in and does not answer within {seconds:g} s"
        except OSError as failed:
            outcome, words = out.MUTE, f"it hung up: {(failed.strerror or str(failed)).lower()}"
        except (ValueError, IndexError, Cut) as wrong:
            outcome, words = out.MUTE, f"what answers is no AMQP 0-9-1: {wrong}"
    return outcome, monotonic() - began, words


class _Broker:
    """A connection to a broker, with one channel. `name`: for TLS, else empty."""

    def __init__(self, one: "Any", name: str, end: float) -> None:
        import socket

        self._end = end
        self._one = socket.socket(fileno=one.detach())
        self._one.settimeout(self._left())
        if name:
            import ssl

            self._one = ssl.create_default_context().wrap_socket(self._one, server_hostname=name)
        self._data = b""

    def _left(self) -> float:
        return max(0.05, self._end - monotonic())

    def asked(self, user: str, password: str, place: str, what: str, name: str) -> str:
        try:
            said = self._in(user, password, place)
            if what == "queue":
                said += f"\t{self._queue(name)}"
            elif what == "message":
                said += f"\t{self._message():.6f}"
            self._send(0, CLOSE, pack(">HBHH", 200, 0, 0, 0))
            self._await(CLOSE_OK)
            return said
        finally:
            self._one.close()

    def _in(self, user: str, password: str, place: str) -> str:
        """Log in and open a channel; return product and version as the broker has them."""
        self._one.sendall(b"AMQP\0\0\x09\x01")
        start = self._await(START)
        properties, _ = _table(start, 2)
        said = [str(properties.get(key, "")).replace("\t", " ") for key in ("product", "version")]
        login = _long(f"\0{user}\0{password}".encode())
        # A refused login is told on the connection by those to whom this is said; others just hang up.
        able = _short("capabilities") + b"F" + _long(_short("authentication_failure_close") + b"t\x01")
        self._send(0, START_OK, _long(able) + _short("PLAIN") + login + _short("en_US"))
        try:
            tune = self._await(TUNE)
        except ConnectionError:
            raise _Closed(ACCESS_REFUSED, "it hung up when we had logged in") from None
        self._send(0, TUNE_OK, tune[:6] + b"\0\0")
        self._send(0, ENTER, _short(place) + b"\0\0")
        self._await(ENTER_OK)
        self._send(1, CHANNEL_OPEN, b"\0")
        self._await(CHANNEL_OPEN_OK)
        return "\t".join(said)

    def _queue(self, name: str) -> str:
        self._send(1, DECLARE, b"\0\0" + _short(name) + bytes([PASSIVE]) + _long(b""))
        try:
            answer = self._await(DECLARE_OK)
        except _Closed as closed:
            if closed.code != NOT_FOUND:
                raise
            return "none"
        at = 1 + answer[0]
        messages, consumers = unpack(">II", answer[at : at + 8])
        return f"{messages} {consumers}"

    def _message(self) -> float:
        """Return the seconds that a message takes into a queue of its own and back."""
        import os

        self._send(1, DECLARE, b"\0\0\0" + bytes([OWN]) + _long(b""))
        answer = self._await(DECLARE_OK)
        name, body = answer[: 1 + answer[0]], os.urandom(16)
        began = monotonic()
        self._send(1, PUBLISH, b"\0\0\0" + name + b"\0")
        self._frame(HEADER, 1, pack(">HHQH", 60, 0, len(body), 0))
        self._frame(BODY, 1, body)
        there = b""
        while not there:  # empty where it is not there yet
            self._send(1, GET, b"\0\0" + name + b"\x01")
            there = self._await(GET_OK, GET_EMPTY)
        self._next()  # its header
        kind, back = self._next()
        if kind != BODY or back != body:
            raise ValueError("another message came back than was sent")
        return monotonic() - began

    def _send(self, channel: int, method: "tuple[int, int]", arguments: bytes) -> None:
        self._frame(METHOD, channel, pack(">HH", *method) + arguments)

    def _frame(self, kind: int, channel: int, payload: bytes) -> None:
        self._one.settimeout(self._left())
        self._one.sendall(pack(">BHI", kind, channel, len(payload)) + payload + bytes([END]))

    def _await(self, *methods: "tuple[int, int]") -> bytes:
        """Return the arguments of the next method, which must be one of these."""
        while True:
            kind, payload = self._next()
            if kind == HEARTBEAT:
                continue
            method = unpack(">HH", payload[:4])
            if kind == METHOD and method in (CLOSE, CHANNEL_CLOSE):
                code, size = unpack(">HB", payload[4:7])
                raise _Closed(code, payload[7 : 7 + size].decode("utf-8", "replace"))
            if kind != METHOD or method not in methods:
                raise ValueError(f"it answers with method {method}, and {methods} was expected")
            return payload[4:] if method != GET_EMPTY else b""

    def _next(self) -> "tuple[int, bytes]":
        head = self._read(7)
        if head[:4] == b"AMQP":
            raise ValueError(f"it speaks version {'.'.join(str(each) for each in head[4:])} of it")
        kind, _, size = unpack(">BHI", head)
        if kind not in (METHOD, HEADER, BODY, HEARTBEAT) or size > LIMIT:
            raise ValueError(f"it says {head[:7]!r}")
        data = self._read(size + 1)
        if data[-1] != END:
            raise ValueError("a frame without its end")
        return kind, data[:-1]

    def _read(self, size: int) -> bytes:
        while len(self._data) < size:
            self._one.settimeout(self._left())
            more = self._one.recv(2**14)
            if not more:
                if self._data:
                    raise ValueError(f"it says {self._data[:40]!r} and hangs up")
                raise ConnectionResetError(0, "connection closed")
            self._data += more
        data, self._data = self._data[:size], self._data[size:]
        return data


def _short(text: str) -> bytes:
    data = text.encode("utf-8")
    if len(data) > 255:
        raise ValueError(f"{text[:40]!r} is longer than the 255 bytes of a name")
    return bytes([len(data)]) + data


def _long(data: bytes) -> bytes:
    return pack(">I", len(data)) + data


def _table(data: bytes, at: int) -> "tuple[dict[str, Any], int]":
    """Return the texts of a table of fields, those in tables of its own left out, and its end: AMQP 0-9-1, 4.2.5.5."""
    values: dict[str, Any] = {}
    end = at + 4 + unpack(">I", data[at : at + 4])[0]
    at += 4
    while at < end:
        name = data[at + 1 : at + 1 + data[at]].decode("utf-8", "replace")
        at += 1 + data[at]
        kind, at = data[at : at + 1], at + 1
        if kind in b"SF":
            size = unpack(">I", data[at : at + 4])[0]
            if kind == b"S":
                values[name] = data[at + 4 : at + 4 + size].decode("utf-8", "replace")
            at += 4 + size
        elif kind == b"t":
            at += 1
        else:
            break  # no broker has others in what it says of itself
    return values, end


out.ANSWERS["amqp"] = amqp
