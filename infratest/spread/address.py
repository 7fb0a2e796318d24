"""Where a scheduler of dask is: `dask://HOST:PORT` on this machine, `dask+tls://HOST:PORT` anywhere.

Whoever may talk to a scheduler may run programs on its workers: without TLS only this machine's may be talked to.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from infratest.cleaning import clean
from infratest.errors import UserError

PLAIN, TLS = "dask", "dask+tls"
#: Where a scheduler listens that nobody tells otherwise.
PORT = 8786
#: What an address begins with that leads to this machine.
LOOPBACK = ("localhost", "127.", "[::1]", "::1")
FORM = "write dask://127.0.0.1:8786, or dask+tls://HOST:8786"


@dataclass(frozen=True)
class Address:
    """Where a scheduler is. text: as it was written."""

    text: str
    host: str
    port: int
    tls: bool

    @property
    def of_dask(self) -> str:
        """The same as dask writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tls' if self.tls else 'tcp'}://{host}:{self.port}"


def is_address(text: str) -> bool:
    """Whether a text is meant for a scheduler's address."""
    return text.partition("://")[0] in (PLAIN, TLS) and "://" in text


def address(text: str) -> Address:
    """Return where a scheduler is. Raises UserError: it is no such address, or one that needs TLS."""
    shown = clean(text, 100)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port or PORT
    except ValueError as error:
        raise UserError(f"{shown} is no address of a scheduler: {error}; {FORM}") from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in (PLAIN, TLS) or not host or extra:
        raise UserError(f"{shown} is no address of a scheduler; {FORM}")
    if parts.scheme == PLAIN and not _is_loopback(host):
        raise UserError(
            f"{shown} is not on loopback, and whoever can talk to a scheduler can run programs on its workers: "
            f"use dask+tls://{host}:{port}, with certificates that dask's configuration names (distributed.comm.tls)"
        )
    return Address(text, host, port, parts.scheme == TLS)


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
