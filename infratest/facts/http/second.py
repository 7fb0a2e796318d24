"""One request by HTTP/2 over a connection whose TLS agreed on it (RFC 9113), by h2 (the extra `http2`).

Called by `client` alone. What comes is handed on to the reader of HTTP/1 answers as that would have it, so that bounds,
encodings and verdicts are the same of both; framing is h2's business, which knows what a length must be.
"""

from __future__ import annotations

from time import monotonic

from infratest.cleaning import beginning, cited
from infratest.errors import FactError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from infratest.facts.http.answer import Incoming

#: What is offered within TLS: RFC 9113, 3.2 and RFC 7301.
OFFERED = ["h2", "http/1.1"]

#: The stream of our one request, the first that a client opens: RFC 9113, 5.1.1.
STREAM = 1

#: A frame's head: length, type, flags, stream; the types of one that begins a connection, and of one that ends it; the
#: bytes that a frame has at most, where nobody asks for more: RFC 9113, 4, 6.5 and 6.8.
FRAME, SETTINGS, GOAWAY = 9, 4, 7
LONGEST = 2**14


def needed() -> None:
    """Raises FactError: what speaks HTTP/2 is not installed."""
    try:
        import h2.connection  # noqa: F401 - whoever asks for another version pays nothing for it
    except ImportError:
        raise FactError("HTTP/2 is asked by h2, which is not installed here: pip install 'infratest[http2]'") from None


class Second:
    """One request.

    Args:
        headers: those of the request, the first four of which are what its first line is of HTTP/1 (RFC 9113, 8.3.1).
        left: the seconds that there still are. times: as of `Exchange`.
    """

    def __init__(
        self, connection: Any, headers: list[tuple[str, str]], body: bytes, left: Callable[[], float],
        times: dict[str, Any], began: float,
    ) -> None:  # fmt: skip
        from h2.config import H2Configuration
        from h2.connection import H2Connection

        from infratest.facts.http.answer import HEAD

        self._connection, self._body, self._left, self._times, self._began = connection, body, left, times, began
        self._frames, self._begun, self._ended = b"", False, False
        self._state = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._state.local_settings.max_header_list_size = HEAD
        self._state.local_settings.enable_push = 0
        self._state.initiate_connection()
        self._state.send_headers(STREAM, headers, end_stream=not body)

    def run(self, incoming: Incoming) -> str:
        """Send it, feed what comes until it is enough, and return how it ended. Raises OSError."""
        from h2.exceptions import ProtocolError

        from infratest.facts.http.answer import BROKEN, CLOSED, ENOUGH

        incoming.version = "2"
        try:
            self._send()
            while not incoming.done and not self._ended:
                self._connection.settimeout(self._left())
                data = self._connection.recv(2**16)
                if not data:
                    if incoming.empty:  # who agreed on HTTP/2 is there, and does not speak it
                        incoming.fail("it agrees on HTTP/2 and ends the connection without an answer")
                    return BROKEN
                for frames in self._whole(data, incoming):
                    for event in self._state.receive_data(frames):
                        self._take(event, incoming)
                if not incoming.done:
                    self._send()
        except (ProtocolError, ValueError) as error:
            incoming.fail(f"it speaks HTTP/2 that cannot be read: {beginning(str(error), 200) or type(error).__name__}")
        return CLOSED if self._ended else ENOUGH

    def _send(self) -> None:
        """Send what there is to be sent, and of the body what the server takes now."""
        while self._body:
            size = min(self._state.local_flow_control_window(STREAM), self._state.max_outbound_frame_size)
            if size <= 0:
                break
            piece, self._body = self._body[:size], self._body[size:]
            self._state.send_data(STREAM, piece, end_stream=not self._body)
        self._connection.settimeout(self._left())
        self._connection.sendall(self._state.data_to_send())

    def _whole(self, data: bytes, incoming: Incoming) -> Iterator[bytes]:
        """Yield the frames that are there whole, without those by which a server takes no more requests than ours."""
        self._frames += data
        while len(self._frames) >= FRAME:
            size = FRAME + int.from_bytes(self._frames[:3], "big")
            if size > FRAME + LONGEST or (not self._begun and self._frames[3] != SETTINGS):
                incoming.fail(f"it agrees on HTTP/2 and does not speak it, but says {cited(self._frames, 40)}")
                return
            self._begun = True
            if len(self._frames) < size:
                return
            frame, self._frames = self._frames[:size], self._frames[size:]
            last, code = int.from_bytes(frame[9:13], "big"), int.from_bytes(frame[13:17], "big")
            if frame[3] != GOAWAY or size < FRAME + 8:
                yield frame
            elif code or last & 2**31 - 1 < STREAM:
                incoming.fail(f"it ends the connection without an answer (GOAWAY, {_named(code)})")
                return

    def _take(self, event: Any, incoming: Incoming) -> None:
        from h2 import events

        if isinstance(event, events.ResponseReceived | events.InformationalResponseReceived):
            self._times.setdefault("first", monotonic() - self._began)
            incoming.feed(_head(event.headers))
        elif isinstance(event, events.DataReceived):
            self._state.acknowledge_received_data(event.flow_controlled_length, STREAM)
            incoming.feed(event.data)
        elif isinstance(event, events.StreamEnded):
            self._ended = True
        elif isinstance(event, events.StreamReset):
            incoming.fail(f"it breaks the answer off (RST_STREAM, {_named(int(event.error_code))})")


def _named(code: int) -> str:
    """Return what an error is called: RFC 9113, 7."""
    from h2.errors import ErrorCodes

    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"error {code}"


def _head(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the head of an answer as HTTP/1 has it. Raises ValueError: it cannot be one."""
    status = next((value for name, value in headers if name == b":status"), b"")
    if len(status) != 3 or not status.isdigit():
        raise ValueError(f"its status is {cited(status, 20)}")
    rows = [b"HTTP/1.1 " + status + b" "]
    for name, value in headers:
        if set(value) & set(b"\r\n\0") or set(name) & set(b"\r\n\0 "):
            raise ValueError(f"its header {cited(name, 40)} holds what none may")
        # What HTTP/1 says of how an answer is framed, h2 has refused.
        rows += [] if name.startswith(b":") else [name + b": " + value]
    return b"\r\n".join([*rows, b"", b""])
