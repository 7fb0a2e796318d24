"""Where a server is, as sentences name it: `mail`, `mail.example:2525`, `[::1]:22`; the port may be left out."""

from __future__ import annotations

from infratest.errors import UserError
from infratest.facts.address import named
from infratest.web_address import host_and_port


def server_place(text: str, what: str, port: int) -> tuple[str, int]:
    """Return host, without brackets, and port.

    Args:
        what: server it is, for messages. port: where the text names none.
    Raises:
        UserError: it is no such place.
    """
    parts = host_and_port(text)
    if parts is None or not named(parts[0]):
        raise UserError(f'the {what} "{text}": expected HOST or HOST:PORT, as db, db.example:{port}, [::1]:{port}')
    return parts[0], parts[1] or port


def place_text(host: str, port: int) -> str:
    """Return a place as it is always written alike."""
    return f"{f'[{host}]' if ':' in host else host}:{port}"
