"""The address of a service as sentences write it, with who asks it, taken apart: `redis://monitor@cache:6379/0`.

A password in it is that of a secret parameter, and taken as it is: no percent-encoding is undone in it. So the last
`@` ends it, and none may follow.
"""

from __future__ import annotations

from infratest.cleaning import holds_declared, keep_secret
from infratest.errors import SecretInFeature, UserError
from infratest.record import Record
from infratest.web_address import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class ServiceAddress(Record):
    """A service with who asks it.

    Args:
        kind: of service. host: empty for its own socket on its host. port: of the kind where the address has none.
        user, password, name: empty where it has none. options: what stands behind a question mark.
    """

    kind: str
    user: str
    password: str
    host: str
    port: int
    name: str
    options: str
    #: As the kind has it.
    usual_port: int

    @property
    def shown(self) -> str:
        """The address without its password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.host and self.port != self.usual_port else ""
        user = f"{self.user}@" if self.user else ""
        return f"{self.kind}://{user}{host}{port}{f'/{self.name}' if self.name else ''}"


def service_address(
    url: str, what: str, schemes: Mapping[str, str], ports: Mapping[str, int], example: str, deep: bool = False
) -> ServiceAddress:
    """Return an address taken apart.

    Args:
        what: it is the address of, for messages. schemes: to the kind that each means. ports: of the kinds. deep:
        whether a name may hold slashes.
    Raises:
        UserError: it is none; or its password stands in the feature, where none should.
    """
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    login, at, place = rest.rpartition("@")
    user, _, password = login.partition(":")
    keep_secret(password)
    path, _, options = place.partition("?")
    authority, _, name = path.partition("/")
    shown = f"{scheme}{mark}{f'{user}@' if at else ''}{place}"
    if not mark or scheme not in schemes:
        raise UserError(f'the {what} "{shown}": expected an address as {example}')
    odd = next((one for one in f"{user}{place}" if one in "\\'\"%" or not one.isprintable()), "")
    if odd:
        raise UserError(f'the {what} "{shown}": expected an address as {example}, without the character {odd!r}')
    host, port = (host_and_port(authority) if authority else None) or ("", 0)
    if (authority and not host) or ("/" in name and not deep):
        raise UserError(f'the {what} "{shown}": "{authority}" is no host with a port')
    if password and not (holds_declared(password.encode()) or password[0] + password[-1] == "{}"):
        words = "declare it in the stack file (type: string, secret: true) and write {param.NAME} in its place"
        raise SecretInFeature(f'the {what} "{shown}": a password stands in no feature; {words}')
    kind = schemes[scheme]
    return ServiceAddress(kind, user, password, host, port or ports[kind], name, options, ports[kind])
