"""A NATS client that looks: whether a server lets us in, how long a message takes, what a stream of JetStream holds.

Wire format: NATS Client Protocol (docs.nats.io, "Client Protocol"), and of streams JetStream's API, a request to
`$JS.API.STREAM.INFO.NAME`. The fact `nats` calls it for the controller, and sends its text, behind that of `_outside`,
to hosts that have python3: Python 3.6 and later, nothing newer. It hears of an inbox of its own alone.
"""

import _socket
from time import monotonic

from infratest.facts import _outside as out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Beside those of `_outside`: a login is refused, or a right.
LOCKED = "locked"
#: Errors of a server that mean so, as they begin; a login that did not come in time is one that was not understood.
BARRED = ("authorization violation", "authorization timeout", "permissions violation", "user authentication expired")
#: Bytes of a line and of a message that are read.
LINE, LIMIT = 2**16, 2**20


class _Barred(Exception):
    """The server does not let us: its words."""


@out.in_turn
def nats(host: str, port: int, seconds: float, more: str) -> "tuple[str, float, str]":
    """Ask a server.

    Args:
        more: user, password (a token where there is no user), what is asked (`server`, `message`, `stream`), the
        stream, `tls` where it must be used, and the name that its certificate must have; with tabs between them.
    Returns:
        The outcome, the seconds it took, and words: its version; behind a tab the seconds that a message took, or of a
        stream `none`, or its messages, bytes and consumers; or why there are none.
    """
    began = monotonic()
    one, outcome, words = out.connection(host, port, seconds)
    if one is not None:
        user, password, what, stream, tls, name = more.split("\t")
        try:
            server = _Nats(one, began + seconds)
            outcome, words = out.OPEN, server.asked((user, password), what, stream, (tls, name))
        except _Barred as barred:
            outcome, words = LOCKED, str(barred)
        except _socket.timeout:
            outcome, words = out.MUTE, f"it lets us in and does not answer within {seconds:g} s"
        except OSError as error:
            outcome, words = out.MUTE, f"it hung up: {(error.strerror or str(error)).lower()}"
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            outcome, words = out.MUTE, f"what answers is no NATS server: {error}"
    return outcome, monotonic() - began, words


class _Nats:
    """A connection to a server."""

    def __init__(self, one: "Any", end: float) -> None:
        import socket

        self._end = end
        self._one = socket.socket(fileno=one.detach())
        self._data = b""

    def asked(self, login: "tuple[str, str]", what: str, stream: str, tls: "tuple[str, str]") -> str:
        try:
            version = self._in(login, tls)
            if what == "message":
                return f"{version}\t{self._message():.6f}"
            return f"{version}\t{self._stream(stream)}" if what == "stream" else version
        finally:
            self._one.close()

    def _in(self, login: "tuple[str, str]", tls: "tuple[str, str]") -> str:
        """Begin, and return the server's version."""
        import json

        line = self._line()
        if not line.startswith("INFO {"):
            raise ValueError(f"it says {line[:80]!r}")
        told = json.loads(line[5:])
        offered = told.get("tls_required") or told.get("tls_available")
        if tls[0] and not offered:
            raise ValueError("it has no TLS")
        if tls[0] or told.get("tls_required"):
            import ssl

            self._one.settimeout(self._left())
            self._one = ssl.create_default_context().wrap_socket(self._one, server_hostname=tls[1])
        user, password = login
        who = {"user": user, "pass": password} if user else {"auth_token": password} if password else {}
        hello = {
            "verbose": False, "pedantic": False, "tls_required": bool(tls[0]), "name": "infratest", "lang": "python",
            "version": "1", "protocol": 1, "headers": True, "no_responders": True,
        }  # fmt: skip
        hello.update(who)
        self._send(f"CONNECT {json.dumps(hello)}\r\nPING\r\n".encode())
        while self._next()[0] != "PONG":
            pass
        return str(told["version"])

    def _message(self) -> float:
        import os

        inbox, body = f"_INBOX.{os.urandom(12).hex()}", os.urandom(12).hex()
        began = monotonic()
        self._send(f"SUB {inbox} 1\r\nPUB {inbox} {len(body)}\r\n{body}\r\n".encode())
        while self._next() != ("MSG", body.encode()):
            pass
        return monotonic() - began

    def _stream(self, stream: str) -> str:
        import json
        import os

        inbox = f"_INBOX.{os.urandom(12).hex()}"
        self._send(f"SUB {inbox} 1\r\nPUB $JS.API.STREAM.INFO.{stream} {inbox} 0\r\n\r\n".encode())
        kind, data = "", b""
        while kind not in ("MSG", "HMSG"):
            kind, data = self._next()
        if kind == "HMSG":  # a status and no answer: nobody is there who hears it
            raise _Barred("JetStream is not there, or not for this account")
        told = json.loads(data.decode("utf-8"))
        error = told.get("error")
        if error and error.get("code") == 404:
            return "none"
        if error:
            raise _Barred(str(error.get("description"))[:200])
        state = told["state"]
        return "\t".join(str(int(state[name])) for name in ("messages", "bytes", "consumer_count"))

    def _next(self) -> "tuple[str, bytes]":
        """Return what the server says next: its word, and of a message what it holds."""
        line = self._line()
        word, _, rest = line.partition(" ")
        if word == "PING":
            self._send(b"PONG\r\n")
        elif word == "-ERR":
            words = rest.strip("'")
            if words.lower().startswith(BARRED):
                raise _Barred(words)
            raise ValueError(f"it answers {words[:200]!r}")
        elif word in ("MSG", "HMSG"):
            size = int(rest.split(" ")[-1])
            if not 0 <= size <= LIMIT:
                raise ValueError(f"a message of {size} bytes")
            return word, self._read(size + 2)[:-2]
        elif word not in ("+OK", "PONG", "INFO"):
            raise ValueError(f"it says {line[:80]!r}")
        return word, b""

    def _left(self) -> float:
        return max(0.05, self._end - monotonic())

    def _send(self, data: bytes) -> None:
        self._one.settimeout(self._left())
        self._one.sendall(data)

    def _line(self) -> str:
        while b"\r\n" not in self._data:
            if len(self._data) > LINE or (self._data and not self._data[:1].isalpha() and self._data[:1] not in b"+-"):
                raise ValueError(f"it says {self._data[:80]!r}")
            self._more()
        line, _, self._data = self._data.partition(b"\r\n")
        return line.decode("utf-8", "replace")

    def _read(self, size: int) -> bytes:
        while len(self._data) < size:
            self._more()
        data, self._data = self._data[:size], self._data[size:]
        return data

    def _more(self) -> None:
        if monotonic() > self._end:
            raise _socket.timeout
        self._one.settimeout(self._left())
        more = self._one.recv(2**14)
        if not more:
            raise ConnectionResetError(0, "connection closed")
        self._data += more


out.ANSWERS["nats"] = nats
