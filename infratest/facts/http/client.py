"""One GET over a socket of our own: connects where the caller says, keeps the URL's Host header and TLS name.

Called by the fact `http`. Certificates are verified, redirects are not followed, no proxy is used. Every wait ends with
the deadline, a server that drips included. `_socket` and not `socket`: the latter costs a third of a check.
"""

from __future__ import annotations

import _socket

from infratest import __version__
from infratest.facts.http.answer import BROKEN, CLOSED, ENOUGH, Incoming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.web_address import WebAddress


#: What is sent, but for the path and the host: what curl sends (RFC 9112, 3).
REQUEST = "GET {target} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: infratest/{version}\r\nAccept: */*\r\n\r\n"

#: Bytes that are read at once.
PIECE = 2**16


def get(url: WebAddress, address: str, port: int, deadline: Deadline, incoming: Incoming) -> str:
    """Ask a URL, feed what comes until it is enough, and return how the connection ended.

    Raises:
        OSError: nobody can be connected to (`gaierror`, a refusal, a certificate), or the deadline came (TimeoutError).
    """
    connection = _connected(address, port, deadline)
    try:
        if url.scheme == "https":
            connection = _secured(connection, url.host, deadline)
        request = REQUEST.format(target=url.target, authority=url.authority, version=__version__)
        connection.settimeout(_left(deadline))
        connection.sendall(request.encode("ascii"))
        while not incoming.done:
            connection.settimeout(_left(deadline))
            data = connection.recv(PIECE)
            if not data:
                return CLOSED
            incoming.feed(data)
        return ENOUGH
    except TimeoutError:
        raise
    except OSError as error:
        if isinstance(error, ConnectionError) or (not incoming.empty):
            return BROKEN
        raise
    finally:
        connection.close()


def _connected(address: str, port: int, deadline: Deadline) -> Any:
    """Connect to the first of an address's places that lets us; each has its share of the time."""
    # As bytes: for a text Python loads what turns other scripts into ASCII, which it is already.
    places = _socket.getaddrinfo(address.encode(), port, 0, _socket.SOCK_STREAM)
    failure: OSError | None = None
    for left, (family, kind, protocol, _, place) in zip(range(len(places), 0, -1), places, strict=True):
        connection = _socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(deadline) / left)
            connection.connect(place)
            return connection
        except OSError as error:
            connection.close()
            failure = error
    raise failure or OSError(f"{address} has no address")


def _secured(connection: Any, name: str, deadline: Deadline) -> Any:
    import socket
    import ssl

    plain = socket.socket(fileno=connection.detach())
    try:
        plain.settimeout(_left(deadline))
        context = ssl.create_default_context()
        # An end that TLS does not announce may be anybody's, so it ends no answer whose length is not known otherwise.
        return context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False)
    except OSError as error:
        plain.close()
        if isinstance(error, (ssl.SSLError, TimeoutError)):
            raise
        raise ssl.SSLError(f"the TLS handshake was broken off: {error}") from None


def _left(deadline: Deadline) -> float:
    left = deadline.left
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left
