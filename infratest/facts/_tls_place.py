"""Where TLS is spoken, as features write it, and what came of a look there: for the facts that ask by `_tls_look`."""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError, UserError
from infratest.facts.base import NO_TOOL
from infratest.record import Record
from infratest.web_address import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Protocol within which TLS begins -> its port; the first begins with TLS.
PORTS = {
    "tls": 443, "smtp": 25, "imap": 143, "pop3": 110, "ftp": 21, "ldap": 389, "postgresql": 5432, "mysql": 3306,
}  # fmt: skip
OTHER_NAMES = {"https": "tls", "postgres": "postgresql", "mariadb": "mysql"}

NO_PYTHON = f"echo 'python3 is not installed on this host' >&2\nexit {NO_TOOL}"


class Endpoint(Record):
    """Where TLS is spoken. `scheme`: one of PORTS."""

    scheme: str
    host: str
    port: int

    @property
    def text(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def endpoint(text: str) -> Endpoint:
    """Return a place as features write it taken apart: `shop.example:443`, `smtp://mail.example`.

    Raises:
        UserError: it is none.
    """
    scheme, mark, rest = text.partition("://")
    scheme = OTHER_NAMES.get(scheme.lower(), scheme.lower()) if mark else "tls"
    parts = host_and_port((rest if mark else text).removesuffix("/"))
    if scheme not in PORTS:
        raise UserError(f'"{text}": TLS begins by one of {", ".join(PORTS)}, as smtp://mail.example:25')
    if parts is None or any(each.isspace() or not each.isprintable() for each in text):
        raise UserError(f'"{text}": expected a host and a port, as shop.example:443 or smtp://mail.example:25')
    return Endpoint(scheme, parts[0], parts[1] or PORTS[scheme])


_texts: list[str] = []


def program() -> str:
    """Return the text of what looks, as one program, read once."""
    if not _texts:
        from infratest.facts import _starttls, _tls_look

        for path in (_starttls.__file__, _tls_look.__file__):
            with open(path, encoding="utf-8") as file:
                _texts.append("".join([row for row in file if not row.startswith("from infratest.")]))
    return "\n".join(_texts)


def fields(text: str) -> dict[str, Any]:
    """Return what a line of an answer holds. Raises FactError."""
    from json import loads

    try:
        seen = loads(text)
    except ValueError:
        seen = None
    if not isinstance(seen, dict):
        raise FactError(f"the answer is not understood: {cited(text, 80)}")
    return seen


def refusal(outcome: str, seen: Mapping[str, Any], place: str) -> str | FactError:
    """Return why there is no TLS; an error where nobody could look.

    Raises:
        FactError: it is no such outcome.
    """
    why = str(seen.get("why", ""))
    if outcome == "plain":
        return why
    if outcome == "closed":
        return f"it is not reachable: {why}"
    if outcome == "nameless":
        return f"its name is not known: {why}"
    if outcome == "failed":
        return FactError(f"TLS at {place} could not be looked at: {beginning(why, 300)}")
    raise FactError(f"the answer is not understood: {cited(outcome, 80)} is no outcome")
