"""A URL as features write it, taken apart: for the checks that hold one, and for whoever asks it.

On the plugin program's path where a URL is asked: `urllib.parse` would cost as much there as the bare interpreter.
The grammar is RFC 3986's, of which http and https need scheme, authority, path and query (RFC 9110, 4.2).
"""

from __future__ import annotations

from infratest.cleaning import keep_secret
from infratest.errors import UserError
from infratest.record import Record

#: The port of each scheme.
PORTS = {"http": 80, "https": 443}


class WebAddress(Record):
    """A URL with a host.

    Args:
        host: without brackets, in ASCII. port: the scheme's where the URL names none. target: path and query as they
        are asked for, in ASCII.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def text(self) -> str:
        """The URL in ASCII."""
        return f"{self.scheme}://{self.authority}{self.target}"


def web_address(url: str) -> WebAddress:
    """Return a URL taken apart.

    Raises:
        UserError: it is no http or https URL with a host, or it holds a password, which no feature should.
    """
    scheme, mark, rest = url.partition("://")
    scheme = scheme.lower()
    end = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    authority, target = rest[:end], rest[end:].partition("#")[0]
    if "@" in authority:
        login, _, shown = authority.rpartition("@")
        keep_secret(login.partition(":")[2])
        raise UserError(f'"http://...@{shown}": a name or password in a URL is not in this version')
    found = host_and_port(authority)
    odd = "".join(one for one in url if not one.isprintable() or one.isspace())[:1]
    if not mark or scheme not in PORTS or found is None or (odd and odd in authority):
        raise UserError(f'"{url}": expected a URL with a host, as http://shop.example/')
    if odd:
        sort = "a blank" if odd == " " else f"the character {odd!r}"
        coded = "".join(f"%{byte:02X}" for byte in odd.encode("utf-8", "surrogateescape"))
        raise UserError(f'"{url}": no URL holds {sort}: write it percent-encoded, as {coded}')
    host, port = found
    return WebAddress(scheme, host, port or PORTS[scheme], _ascii(target if target[:1] == "/" else f"/{target}"))


def resolved(base: str, reference: str) -> str:
    """Return where a reference in an answer leads, as browsers and curl take it: RFC 3986, 5, blanks as %20."""
    from urllib.parse import urljoin  # few answers lead anywhere

    plain = "".join("%20" if one == " " else one for one in reference.strip() if one.isprintable())
    try:
        return urljoin(base, plain)
    except ValueError:  # brackets that hold no address
        return plain


def host_and_port(authority: str) -> tuple[str, int] | None:
    """Return host and port, 0 where it names none; None where it is no authority."""
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        usable = bool(bracket) and ":" in host and (not port or port.startswith(":"))
        port = port[1:]
    else:
        host, _, port = authority.partition(":")
        usable = bool(host) and not set(host) & set('[]<>"\\^`{|}')
    if not usable or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16)):
        return None
    try:
        return (host if host.isascii() else host.encode("idna").decode("ascii")), int(port or 0)
    except UnicodeError:
        return None


def _ascii(target: str) -> str:
    """Return path and query with what is not ASCII percent-encoded: RFC 3987, 3.1."""
    if target.isascii():
        return target
    return "".join(one if one.isascii() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in target)
