"""A TCP connection to a receiver that is over at its deadline, whatever the other side does: with or without TLS.

Time-outs of a socket count from byte to byte, so that who sends one now and then holds it for ever. Here the connection
is shut down when the time is over, and whoever waits for it goes on.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from threading import Thread, Timer
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.receivers.base import Refused

#: Seconds that one of several addresses has at least.
LEAST = 0.2


class Line:
    """A connection. `socket` is what is read and written; `ended` says whether its time was over."""

    def __init__(self, connected: socket.socket, place: str) -> None:
        self.socket = connected
        self.place = place
        self.ended = False

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Begin TLS. Raises Refused: the certificate is not one to trust, or this is no TLS."""
        try:
            # Not shaken hands at once: until then the socket would be nobody's, and could not be ended.
            self.socket = context.wrap_socket(self.socket, server_hostname=host, do_handshake_on_connect=False)
            self.socket.do_handshake()
        except ssl.SSLCertVerificationError as error:
            words = f"its certificate is not trusted: {error.verify_message}; name its authority by `ca`"
            raise Refused(f"{self.place}: {words}", permanent=True) from error
        except (OSError, ValueError) as error:
            raise Refused(f"{self.place}: TLS does not begin: {self.why(error)}") from error

    def why(self, error: Exception) -> str:
        """Return what became of the connection, in words."""
        if self.ended:
            return "it did not answer in time"
        if isinstance(error, ssl.SSLError):
            return (error.reason or "an error of TLS").replace("_", " ").lower()
        return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__

    def _end(self) -> None:
        self.ended = True
        with contextlib.suppress(OSError):
            # Of the connection, not of TLS: else what is written meanwhile could go out in clear.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


@contextmanager
def line(host: str, port: int, deadline: Deadline) -> Iterator[Line]:
    """Have a connection, closed at the end of the block. Raises Refused: there is none."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    one = Line(_connected(host, port, place, deadline), place)
    timer = Timer(deadline.left, one._end)
    timer.daemon = True
    timer.start()
    try:
        yield one
    finally:
        timer.cancel()
        one.socket.close()


def trusting(ca: Path | None) -> ssl.SSLContext:
    """Return what verifies a server: by the system's authorities, or by those of a file. Raises UserError."""
    if ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        words = (isinstance(error, ssl.SSLError) and "holds no certificate") or getattr(error, "strerror", str(error))
        raise UserError(f"ca: {ca} cannot be used: {words}") from None


def loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own and no way leads out of it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _connected(host: str, port: int, place: str, deadline: Deadline) -> socket.socket:
    addresses = _addresses(host, port, place, deadline)
    words = "it has no address"
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        if deadline.passed:
            words = "no connection in time"
            break
        one = socket.socket(family, kind, protocol)
        try:
            one.settimeout(max(LEAST, deadline.left / (len(addresses) - number)))
            one.connect(address)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.settimeout(None)  # whoever ends it at its deadline does so from outside
            return one
        except TimeoutError:
            one.close()
            words = "no connection in time"
        except OSError as error:
            one.close()
            words = error.strerror or str(error)
    raise Refused(f"{place}: {words}; is it right, and does it listen?")


def _addresses(host: str, port: int, place: str, deadline: Deadline) -> list[Any]:
    """Return a name's addresses. The resolver knows no deadline, and is left to itself where it does not answer."""
    answer: list[Any] = []
    failure: list[str] = []

    def resolve() -> None:
        try:
            answer.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failure.append(getattr(error, "strerror", None) or str(error))

    asking = Thread(target=resolve, daemon=True)
    asking.start()
    asking.join(deadline.left)
    if answer:
        return answer
    words = failure[0] if failure else "its name is not resolved in time"
    raise Refused(f"{place}: {words}")
