"""`syslog: {address: "127.0.0.1:514"}`: each result as a line of RFC 5424, with what it is about as structured data.

By UDP (RFC 5426), by TCP with the length before each (RFC 6587, 3.4.1), or by TLS, as RFC 5425 has it. Syslog answers
nothing: by TCP, that all was read is known by the other side's closing the connection; by UDP nothing is.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infratest import rfc3339
from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import SendError, UserError
from infratest.receivers._line import line, trusting
from infratest.senders.base import ADDRESS, PLAIN, Handed, Seen, Sender, where
from infratest.states import CRITICAL, UNKNOWN, WARNING

UDP, TCP, TLS = "udp", "tcp", "tls"
PORTS = {UDP: 514, TCP: 514, TLS: 6514}
#: Facility `daemon`, and severities by state (RFC 5424, 6.2.1); what holds is informational.
FACILITY, SEVERITY, INFORMATIONAL = 3, {CRITICAL: 2, UNKNOWN: 3, WARNING: 4}, 6
#: The name of our structured data. Behind `@` stands a number of an enterprise; this is the one for documentation
#: (RFC 5612), for we have none.
NAME = "infratest@32473"
#: Bytes of a message that any receiver should take (RFC 5424, 6.1), and characters of one value in it.
LONGEST, LONGEST_VALUE = 2048, 200
#: Characters of a host's name, and of a program's (RFC 5424, 6).
LONGEST_HOST = 255


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where it is sent, and how."""

    address: str = field(metadata=ADDRESS)
    transport: str = field(
        default=UDP,
        metadata={
            "title": "udp, tcp or tls", "pattern": r"^(udp|tcp|tls)$",
            "description": "How it goes there; by udp what is lost on the way is not noticed.",
        },
    )  # fmt: skip
    ca: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "Authorities to trust instead of the system's."},
    )
    plain: bool = field(default=False, metadata=PLAIN)


class Syslog(Sender):
    """Lines of syslog (RFC 5424), by UDP, TCP or TLS."""

    def __init__(self, options: Options, folder: Path) -> None:
        super().__init__(options, folder)
        self.transport = options.transport
        if self.transport not in PORTS:
            raise UserError(f"transport: expected udp, tcp or tls, found {self.transport!r}")
        self.host, self.port = where(options.address, PORTS[self.transport], options.plain or self.transport == TLS)

    def foresee(self) -> None:
        if self.transport == TLS:
            trusting(self._ca)

    @property
    def _ca(self) -> Path | None:
        return self.path(self.options.ca) if self.options.ca else None

    def describe(self) -> str:
        return f"syslog {self.host}:{self.port} by {self.transport}"

    def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
        messages = [written(each, socket.gethostname(), os.getpid()) for each in seen if each.result is not None]
        if self.transport == UDP:
            self._by_udp(messages)
        elif messages:
            self._by_stream(b"".join(b"%d %b" % (len(each), each) for each in messages), deadline)
        return Handed(len(seen))

    def _by_udp(self, messages: Sequence[bytes]) -> None:
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            with socket.socket(family, kind, protocol) as one:
                one.connect(address)
                for each in messages:
                    one.send(each)
        except OSError as error:
            raise SendError(f"{self.describe()}: {error.strerror or error}") from error

    def _by_stream(self, data: bytes, deadline: Deadline) -> None:
        context = trusting(self._ca) if self.transport == TLS else None
        with line(self.host, self.port, deadline) as one:
            if context is not None:
                one.secure(context, self.host)
            try:
                one.socket.sendall(data)
                if context is not None:
                    with contextlib.suppress(OSError, ValueError):  # many close at once and say nothing
                        one.socket.unwrap()  # type: ignore[attr-defined]  # wrapped just now
                else:
                    one.socket.shutdown(socket.SHUT_WR)
                    while one.socket.recv(4096):
                        pass
            except OSError as error:
                raise SendError(f"{one.place}: {one.why(error)}, while it was sent; it may have arrived") from error
            if one.ended:
                raise SendError(f"{one.place}: it does not read what it is sent, or does not close when it has")


def written(seen: Seen, host: str, pid: int) -> bytes:
    """Return a result as a message, without the length that stands before it on a stream.

    Args:
        host, pid: of this machine, and this process: who says it.
    """
    result = seen.result
    if result is None:
        return b""
    place = f"{seen.stack}/{seen.env}" if seen.env else seen.stack
    about = {
        "stack": seen.stack, "env": seen.env, "host": result.host, "id": result.id, "state": result.state,
        "blocked-by": result.blocked_by or "",
    }  # fmt: skip
    data = "".join(f' {name}="{_value(text)}"' for name, text in about.items() if text)
    priority = FACILITY * 8 + SEVERITY.get(result.state, INFORMATIONAL)
    head = f"<{priority}>1 {rfc3339.written(seen.time)} {_word(host)} infratest {pid} result [{NAME}{data}] "
    words = clean(f"{place} {result.host}: {result.scenario or result.id}: {result.state}", 600)
    said = clean(result.reason, 1500)
    # Text that is UTF-8 may begin with a mark; without one it is of no declared code (MSG-ANY), which all read so.
    whole = (head + words + (f": {said}" if said else "")).encode("utf-8", "replace")
    return whole[:LONGEST].decode("utf-8", "ignore").encode()


def _value(text: str) -> str:
    """Return text as a value of structured data: three characters have a backslash before them (RFC 5424, 6.3.3)."""
    cleaned = clean(text, LONGEST_VALUE)
    return cleaned.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _word(text: str) -> str:
    """Return text as a word of the header: ASCII that is seen; `-` for none."""
    return "".join(one if "!" <= one <= "~" else "_" for one in text)[:LONGEST_HOST] or "-"
