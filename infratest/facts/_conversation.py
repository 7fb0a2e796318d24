"""A conversation with a server in lines, with an end to its time: plain, or within TLS.

Called by what looks at mail and FTP servers, and sent to hosts together with it, behind the text of `_outside`: Python
3.6 and later, nothing newer. Questions come as JSON on standard input, one a line, for a password stands in none of the
words that programs are started with. For each it prints `N JSON`.
"""

import socket
from base64 import b64encode
from time import monotonic

from infratest.facts._outside import FAILED, MUTE, OPEN, Turn, connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Any

#: Bytes of a line and lines of an answer that are read: SMTP's are 512 bytes (RFC 5321, 4.5.3.1.5), IMAP's may be long.
LINE, LINES = 2**16, 500

#: What is said of who takes too long.
LATE = "it does not say all in time"

#: Characters of a server's words that are handed on.
WORDS = 300


class Odd(Exception):
    """The server says what its protocol does not have, or ends too soon: nobody knows."""


class Unspoken(Exception):
    """The server lets us in, and does not begin the conversation."""


class Broken(Unspoken):
    """The server has begun, and does not go on: it hangs, hangs up or resets. Who waits for it has no answer."""


class Conversation:
    """A connection that is read in lines. `name`: whom a certificate must be for."""

    def __init__(self, one: "socket.socket", end: float, name: str) -> None:
        self.one, self.end, self.name = one, end, name
        self.data = b""

    def more(self) -> None:
        """Read what comes next. Raises Broken where nothing more does."""
        try:
            self.one.settimeout(self._left())
            data = self.one.recv(2**16)
        except OSError as error:
            raise Broken(_said(error)) from None
        if not data:
            raise Broken("it hangs up")
        self.data += data

    def line(self) -> str:
        """Return the next line, without its end. Raises Odd."""
        while b"\n" not in self.data:
            if len(self.data) > LINE:
                raise Odd(f"it says a line of more than {LINE} bytes")
            self.more()
        line, _, self.data = self.data.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def exactly(self, count: int) -> bytes:
        """Return so many bytes. Raises Odd."""
        if count > LINE:
            raise Odd(f"it says {count} bytes at once")
        while len(self.data) < count:
            self.more()
        data, self.data = self.data[:count], self.data[count:]
        return data

    def send(self, text: str) -> None:
        """Send a line. Raises Odd."""
        self.send_bytes(text.encode("utf-8") + b"\r\n")

    def send_bytes(self, data: bytes) -> None:
        """Send what is no line. Raises Odd."""
        try:
            self.one.settimeout(self._left())
            self.one.sendall(data)
        except OSError as error:
            raise Broken(_said(error)) from None

    def secure(self, verified: bool, authorities: str) -> None:
        """Begin TLS. Raises Odd: the certificate is not trusted. Unspoken: there is no TLS."""
        if self.data:  # RFC 3207, 4.2, and its like: what was said before may be anybody's
            raise Odd("it says more than was asked before TLS begins")
        import ssl  # half of what all this takes to load

        context = _context(verified, authorities)
        try:
            self.one.settimeout(self._left())
            self.one = context.wrap_socket(self.one, server_hostname=self.name)
        except ssl.CertificateError as error:
            words = getattr(error, "verify_message", "") or str(error)
            raise Odd(f"its certificate is not trusted here: {words}") from None
        except ssl.SSLError as error:
            if error.reason == "CERTIFICATE_VERIFY_FAILED":
                words = getattr(error, "verify_message", "") or str(error)
                raise Odd(f"its certificate is not trusted here: {words}") from None
            raise Unspoken(f"it does not speak TLS with us: {error.reason or error}") from None
        except OSError as error:
            raise Unspoken(f"it does not speak TLS with us: {_said(error)}") from None

    def _left(self) -> float:
        left = self.end - monotonic()
        if left <= 0:
            raise Broken(LATE)
        return left


def _context(verified: bool, authorities: str) -> "ssl.SSLContext":
    import ssl

    if not verified:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context = ssl.create_default_context(cafile=authorities or None)
    except (OSError, ValueError) as error:
        raise Odd("the CA file {}: {}".format(authorities, getattr(error, "strerror", "") or error)) from None
    # Python 3.13 asks for more than OpenSSL does by itself: one meaning everywhere.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0) & ~getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0)
    return context


def _said(error: OSError) -> str:
    if isinstance(error, socket.timeout):
        return LATE
    return f"it breaks off: {(error.strerror or str(error)).lower()}"


def short(text: str) -> str:
    """Return a server's words, bounded."""
    return text[:WORDS]


def in_base64(text: str) -> str:
    """Return a text as logins have it: RFC 4954, 4, and its like."""
    return b64encode(text.encode("utf-8")).decode("ascii")


def converse(
    place: "dict[str, Any]", seconds: float, hold: "Callable[[Conversation, dict[str, Any]], dict[str, Any]]"
) -> "dict[str, Any]":
    """Connect, hold a conversation, and return what came of it.

    Args:
        place: `host` and `port` to connect to, `name` for a certificate. hold: has the conversation.
    Returns:
        What `hold` does, with the `outcome`, `why` it is none, and the `seconds` it took.
    """
    with Turn(place["host"], place["port"], seconds) as turn:
        seen = _conversed(place, turn.seconds, hold)
    seen["outcome"], seen["why"] = turn.outcome(seen["outcome"], seen["why"])
    return seen


def _conversed(
    place: "dict[str, Any]", seconds: float, hold: "Callable[[Conversation, dict[str, Any]], dict[str, Any]]"
) -> "dict[str, Any]":
    began = monotonic()
    end = began + seconds
    inner, outcome, words = connection(place["host"], place["port"], seconds)
    if inner is None:
        return {"outcome": outcome, "why": words, "seconds": monotonic() - began}
    talk = Conversation(socket.socket(fileno=inner.detach()), end, place["name"])
    try:
        seen = dict(hold(talk, place), outcome=OPEN, why="")
    except Unspoken as error:
        seen = {"outcome": MUTE, "why": f"it lets us in and {_after(str(error))}"}
    except Odd as error:
        seen = {"outcome": FAILED, "why": short(str(error))}
    finally:
        talk.one.close()
    seen.setdefault("seconds", monotonic() - began)
    return seen


def _after(words: str) -> str:
    return short(words[3:] if words.startswith("it ") else words)


def answer_all(seconds: float, ask: "Callable[[dict[str, Any], float], dict[str, Any]]") -> None:
    """Answer the questions on standard input, all at once."""
    import sys
    from json import dumps, loads
    from threading import Lock, Thread

    lock = Lock()

    def answer(number: int, text: str) -> None:
        row = f"{number} {dumps(ask(loads(text), seconds))}\n"
        with lock:
            sys.stdout.write(row)
            sys.stdout.flush()

    sys.stdout.write("python3\n")
    threads = [Thread(target=answer, args=each) for each in enumerate(sys.stdin.read().splitlines(), 1)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
