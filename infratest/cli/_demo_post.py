"""A real SMTP server of the demo's own on loopback, which keeps what it is sent: aiosmtpd, in a thread. Called by its
phase `monitor`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

#: Seconds for the server's thread to end.
ENDING = 10.0


@dataclass
class Post:
    """A running SMTP server, and the letters that it took so far."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a letter; aiosmtpd calls it by this name."""
        letter = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.letters.append(letter)
        return "250 OK"


@contextmanager
def post() -> Iterator[Post]:
    """Have an SMTP server on a free port of loopback. Raises OSError: none can listen there."""
    from aiosmtpd.smtp import SMTP

    office, loop = Post(), asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(lambda: SMTP(office, hostname="localhost", loop=loop), "127.0.0.1", 0)
    )
    office.port = server.sockets[0].getsockname()[1]
    thread = Thread(target=loop.run_forever, name="post", daemon=True)
    thread.start()
    try:
        yield office
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(ENDING)
        if not thread.is_alive():
            loop.close()
