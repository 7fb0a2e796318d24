"""How TLS begins where it does not at once: what a client of each protocol says before (STARTTLS and its like).

Called by `_tls_look`, and sent to hosts together with it: Python 3.6 and later, nothing newer.
"""

import struct
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

#: Bytes of a line that are read.
LINE = 2000


class Refusal(Exception):
    """There is no TLS to be spoken: who answers says so, or hangs up, or speaks something else."""


class HangUp(Refusal):
    """Who answers ends the connection."""


class Timed:
    """A connection of which all must be over by a moment: else who says a byte at a time is read for ever."""

    def __init__(self, one: "socket.socket", end: float) -> None:
        self.one, self.end = one, end

    def recv(self, count: int) -> bytes:
        self.one.settimeout(max(0.001, self.end - monotonic()))
        return self.one.recv(count)

    def sendall(self, data: bytes) -> None:
        self.one.settimeout(max(0.05, self.end - monotonic()))
        self.one.sendall(data)


def _line(one: Timed) -> bytes:
    """Return one line, byte by byte: what follows it may be TLS."""
    data = b""
    while data[-1:] != b"\n":
        more = one.recv(1)
        if not more or len(data) > LINE:
            raise HangUp("it hangs up before TLS can begin")
        data += more
    return data


def _reply(one: Timed) -> bytes:
    """Return a reply of several lines: RFC 5321, 4.2.1."""
    data = line = _line(one)
    while line[3:4] == b"-" and len(data) < 20 * LINE:
        line = _line(one)
        data += line
    return data


def _exactly(one: Timed, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = one.recv(count - len(data))
        if not more:
            raise HangUp("it hangs up")
        data += more
    return data


def _expect(reply: bytes, start: bytes) -> None:
    if not reply.startswith(start):
        raise Refusal("it does not let TLS begin: {!r}".format(reply[:100].decode("latin-1")))


def _smtp(one: Timed) -> None:
    _expect(_reply(one), b"220")
    one.sendall(b"EHLO infratest.invalid\r\n")
    _expect(_reply(one), b"250")
    one.sendall(b"STARTTLS\r\n")
    _expect(_reply(one), b"220")


def _imap(one: Timed) -> None:
    _expect(_line(one).upper(), b"* OK")
    one.sendall(b"a STARTTLS\r\n")
    line = _line(one)
    while line.startswith(b"*"):
        line = _line(one)
    _expect(line.upper(), b"A OK")


def _pop3(one: Timed) -> None:
    _expect(_line(one), b"+OK")
    one.sendall(b"STLS\r\n")
    _expect(_line(one), b"+OK")


def _ftp(one: Timed) -> None:
    _expect(_reply(one), b"220")
    one.sendall(b"AUTH TLS\r\n")
    _expect(_reply(one), b"234")


def _ldap(one: Timed) -> None:
    """RFC 4511, 4.14: an extended request, and its response with the result code 0."""
    one.sendall(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037")
    head = _exactly(one, 2)
    if head[:1] != b"\x30":
        raise Refusal("it does not speak LDAP")
    size = head[1]
    if size > 0x80:
        size = int.from_bytes(_exactly(one, size - 0x80), "big")
    body = _exactly(one, min(size, LINE))
    if body[3:4] != b"\x78" or b"\x0a\x01\x00" not in body[:12]:
        raise Refusal("it does not let TLS begin: {!r}".format(body[7:107].decode("latin-1")))


def _postgres(one: Timed) -> None:
    """PostgreSQL's protocol, SSLRequest: one byte, S or N."""
    one.sendall(struct.pack("!ii", 8, 80877103))
    _expect(_exactly(one, 1), b"S")


def _mysql(one: Timed) -> None:
    """MySQL's protocol, version 10: the greeting says whether it can (CLIENT_SSL), SSLRequest begins it."""
    head = _exactly(one, 4)
    body = _exactly(one, min(int.from_bytes(head[:3], "little"), LINE))
    end = body.find(b"\0", 1)
    able = int.from_bytes(body[end + 14 : end + 16], "little") if end > 0 else 0
    if body[:1] != b"\x0a" or not able & 0x800:
        raise Refusal("it does not let TLS begin: its greeting has no CLIENT_SSL")
    one.sendall(b"\x20\0\0\x01" + struct.pack("<IIB23x", 0x8A00, 2**24, 33))


STARTS = {
    "smtp": _smtp, "imap": _imap, "pop3": _pop3, "ftp": _ftp, "ldap": _ldap, "postgresql": _postgres, "mysql": _mysql,
}  # fmt: skip
