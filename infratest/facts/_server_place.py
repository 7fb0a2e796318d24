"""Where a server is, as sentences name it: `mail`, `mail.example:2525`, `[::1]:22`; the port may be left out."""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts._outside import FAILED, MUTE, NAMELESS, REFUSED, SILENT, STOPPED, UNRESOLVED
from infratest.web_address import host_and_port

#: What names and addresses of hosts are made of, with the interface behind a link-local address.
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%")


def named(host: str) -> bool:
    """Whether this can be the name or the address of a host, and no option of a program."""
    return bool(host) and set(host) <= _NAME and not host.startswith("-") and len(host) < 256


def pinged(host: str) -> str:
    """Return the name or address of a host as it is, without brackets.

    Raises:
        UserError: it is none, or one with a port, which ICMP has not.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not named(bare) or bare.count(":") == 1:
        raise UserError(f'the address "{host}": expected a name or an address without a port, as db.example or ::1')
    return bare


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


def unanswered(outcome: str, words: str, server: str) -> str:
    """Return why a server has not answered, by an outcome of `_outside`.

    Raises:
        FactError: nobody could look, or it is no outcome.
    """
    if outcome == NAMELESS:
        return f"its name is not known: {words}"
    if outcome in (REFUSED, STOPPED, SILENT):
        return f"it is not reachable: {words}"
    if outcome == MUTE and words:
        return words
    if outcome in (FAILED, UNRESOLVED):
        raise FactError(f"could not look at {server} from here: {words}")
    raise FactError(f"the answer is not understood: {cited(outcome, 80)} is no outcome")
