"""The URL of a PostgreSQL as stack files write it: `postgresql://USER@HOST:PORT/DATABASE`, and nothing secret in it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from infratest.errors import UserError

PORT = 5432


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A URL taken apart; user is empty where it names none."""

    host: str
    port: int
    user: str
    name: str


def database_url(text: str) -> DatabaseUrl:
    """Return a URL taken apart.

    Raises:
        UserError: it is none, or holds a password, which is not shown.
    """
    try:
        parts = urlsplit(text)
        host, port, base = parts.hostname, parts.port, parts.path.removeprefix("/")
    except ValueError as error:
        raise UserError(f"it is no URL: {error}") from None
    if parts.password is not None or parts.query or parts.fragment:
        raise UserError("a password stands in a file that `password-file:` names, and nothing behind the name")
    if parts.scheme not in ("postgresql", "postgres") or not host or not base or "/" in base:
        raise UserError(f"{text!r}: expected postgresql://USER@HOST:PORT/DATABASE")
    return DatabaseUrl(host, port or PORT, unquote(parts.username or ""), unquote(base))
