"""One request over a socket of our own: connects where the caller says, keeps the URL's Host header and TLS name.

Called by the fact `http`. Certificates are verified unless the request says that any will do; redirects are not
followed here. Every wait ends with the deadline, a server that drips included. `_socket` and not `socket`: the latter
costs a third of a check.
"""

from __future__ import annotations

import _socket
from time import monotonic

from infratest import __version__
from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts.http.answer import BROKEN, CLOSED, ENOUGH, HEAD, Incoming
from infratest.facts.http.request import authority_of
from infratest.web_address import web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.http.request import Request

#: Bytes that are read at once.
PIECE = 2**16


class ProxyRefusal(OSError):
    """A proxy does not lead on; that it is one is its `reason`, as TLS's errors have theirs."""

    reason = "proxy"


class Exchange:
    """One request and its answer.

    Args:
        reached: the address and port that are connected to.
    Attributes:
        times: seconds of its parts, as `Reply` has them. connected: whether anybody let us in.
    """

    def __init__(self, request: Request, reached: tuple[str, int], deadline: Deadline) -> None:
        self.request, self.reached, self.deadline = request, reached, deadline
        self.url = web_address(request.url)
        self.times: dict[str, Any] = {}
        self.connected = False
        self._began = monotonic()

    def run(self, incoming: Incoming) -> str:
        """Ask, feed what comes until it is enough, and return how the connection ended.

        Raises:
            OSError: nobody can be connected to (`gaierror`, a refusal, a certificate), or the deadline (TimeoutError).
            FactError: a file of the client's own cannot be read.
        """
        connection = self._connected()
        self.connected = True
        try:
            if self.url.scheme == "https":
                if self.request.proxy:
                    self._led_on(connection)
                began = monotonic()
                connection = self._secured(connection)
                self.times["handshake"] = monotonic() - began
                if connection.selected_alpn_protocol() == "h2":
                    return self._second(connection, incoming)
            connection.settimeout(self._left)
            connection.sendall(self._head() + self.request.data)
            while not incoming.done:
                connection.settimeout(self._left)
                data = connection.recv(PIECE)
                self.times.setdefault("first", monotonic() - self._began)
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

    def _head(self) -> bytes:
        """Return what is sent ahead of a body: RFC 9112, 3, in the order of curl."""
        request, url = self.request, self.url
        absolute = request.proxy and url.scheme == "http"
        rows = [f"{request.verb} {url.text if absolute else url.target} HTTP/1.1", f"Host: {url.authority}"]
        return "\r\n".join([*rows, *self._headers(), "", ""]).encode()

    def _headers(self) -> list[str]:
        """Return the headers that are sent, but for the host's."""
        request = self.request
        sent = request.sent_headers()
        named = {header.partition(":")[0].lower() for header in sent}
        rows = [] if "user-agent" in named else [f"User-Agent: infratest/{__version__}"]
        rows += [] if "accept" in named else ["Accept: */*"]
        if request.body is not None or request.verb == "POST":
            rows.append(f"Content-Length: {len(request.data)}")
        return [*rows, *sent]

    def _second(self, connection: Any, incoming: Incoming) -> str:
        """Ask by HTTP/2, and return how that ended."""
        from infratest.facts.http.second import Second

        request, url = self.request, self.url
        first = {":method": request.verb, ":scheme": "https", ":authority": url.authority, ":path": url.target}
        named = [each.partition(":") for each in self._headers()]
        headers = [*first.items(), *((name.lower(), value.strip(" \t")) for name, _, value in named)]
        return Second(connection, headers, request.data, lambda: self._left, self.times, self._began).run(incoming)

    def _connected(self) -> Any:
        """Connect to the first of an address's places that lets us; each has its share of the time."""
        address, port = self.reached
        # As bytes: for a text Python loads what turns other scripts into ASCII, which it is already.
        places = _socket.getaddrinfo(address.encode(), port, 0, _socket.SOCK_STREAM)
        began = monotonic()
        self.times["lookup"] = began - self._began
        failure: OSError | None = None
        for left, (family, kind, protocol, _, place) in zip(range(len(places), 0, -1), places, strict=True):
            connection = _socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self._left / left)
                connection.connect(place)
                self.times["connect"] = monotonic() - began
                return connection
            except OSError as error:
                connection.close()
                failure = error
        raise failure or OSError(f"{address} has no address")

    def _led_on(self, connection: Any) -> None:
        """Have the proxy connect us to the server: RFC 9110, 9.3.6."""
        place = authority_of(self.url)
        connection.settimeout(self._left)
        connection.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode("ascii"))
        data = b""
        while b"\r\n\r\n" not in data and len(data) < HEAD:
            connection.settimeout(self._left)
            more = connection.recv(PIECE)
            if not more:
                raise ProxyRefusal(f"the proxy {self.request.proxy} hung up")
            data += more
        status = data.split(b"\r\n")[0].split(b" ")[1:2]
        if not status or not status[0].startswith(b"2"):
            line = data.split(b"\r\n")[0].decode("latin-1")
            raise ProxyRefusal(f"the proxy {self.request.proxy} does not lead there: {cited(line, 200)}")

    def _secured(self, connection: Any) -> Any:
        import socket
        import ssl

        plain = socket.socket(fileno=connection.detach())
        try:
            plain.settimeout(self._left)
            context = self._context()
            # An end that TLS does not announce may be anybody's: it ends no answer whose length is not known.
            return context.wrap_socket(plain, server_hostname=self.url.host, suppress_ragged_eofs=False)
        except (OSError, FactError) as error:
            plain.close()
            if isinstance(error, (ssl.SSLError, TimeoutError, FactError)):
                raise
            raise ssl.SSLError(f"the TLS handshake was broken off: {error}") from None

    def _context(self) -> Any:
        """Return TLS's settings. Raises FactError: a file of the client's own cannot be used."""
        import ssl

        from infratest.facts.http.second import OFFERED, needed

        request = self.request
        path = request.authority
        if request.version:
            needed()
        try:
            context = ssl.create_default_context(cafile=request.authority or None)
            if request.version:
                context.set_alpn_protocols(OFFERED)
            if request.careless:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if request.certificate:
                path = f"{request.certificate} {request.key}".strip()
                context.load_cert_chain(request.certificate, request.key or None, password=lambda: "")
        except (OSError, ValueError) as error:  # TLS's own errors are OSErrors
            words = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            raise FactError(f"{request.url}: {path} cannot be used by the controller: {words}") from None
        return context

    @property
    def _left(self) -> float:
        left = self.deadline.left
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left
