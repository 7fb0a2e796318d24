"""How a URL is asked, as a value, and as an argument of the fact `http`: the URL alone, or with words behind it that
each say one thing (`method POST`, `header Accept: text/plain`), in one order, so that equal questions are one.

Made by the sentences about URLs, read by the fact. Secrets stand in it: whatever shows one goes through `cleaning`.
"""

from __future__ import annotations

from infratest.cleaning import holds_declared, keep_secret, masked
from infratest.errors import SecretInFeature, UserError
from infratest.record import Record
from infratest.web_address import PORTS, WebAddress, host_and_port, web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import Argument

#: What a method or the name of a header consists of: a token, RFC 9110, 5.6.2.
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

#: Headers that say who asks: no other server is told.
SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie")

#: Headers that belong to the connection or are made of what is asked, so that a sentence cannot set them.
OWN_HEADERS = ("host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer")

#: Methods that can be followed to where a redirect leads: GET and HEAD stay, POST may become GET: RFC 9110, 15.4.
FOLLOWED = ("GET", "HEAD", "POST")

#: Bytes of a body that is sent: it goes in the script that asks a host.
LONGEST = 2**16

FORM = "application/x-www-form-urlencoded"


class Request(Record):
    """One request.

    Args:
        body: what is sent, or None. headers: `Name: value`, beside those of every request. login: `user:password`.
        certificate, key, authority: files of who looks: the client's own, and CAs trusted in place of the usual
        ones. careless: any certificate will do. place: `address` or `address:port` that is connected to, whatever
        the URL's name stands for. follow: redirects. version: of HTTP: empty for 1.1, `2` for it alone, `any` for 2
        where the server takes it.
    """

    url: str
    method: str = ""
    body: str | None = None
    headers: tuple[str, ...] = ()
    login: str = ""
    token: str = ""
    certificate: str = ""
    key: str = ""
    authority: str = ""
    careless: bool = False
    place: str = ""
    proxy: str = ""
    follow: bool = False
    version: str = ""

    def __post_init__(self) -> None:
        address = web_address(self.url)
        if self.url and not any(self.values()[1:]) and self.body is None:
            return
        self._refuse(self.method and not set(self.method) <= TOKEN, f"{self.method!r} is no method")
        self._refuse(self.method.upper() in ("CONNECT", "TRACE"), f"{self.method} is not asked by infratest")
        self._refuse(len((self.body or "").encode()) > LONGEST, "its body is longer than the 64 KiB that are sent")
        self._refuse("\0" in (self.body or ""), "its body holds a NUL")
        for header in self.headers:
            self._check_header(header)
        self._check_login()
        for path in (self.certificate, self.key, self.authority):
            self._refuse(bool(path) and not _plain_path(path), f"{path!r} is no absolute path of a file")
        self._refuse(bool(self.key) and not self.certificate, "a key needs its certificate")
        secure = self.certificate or self.authority or self.careless
        self._refuse(bool(secure) and address.scheme != "https" and not self.follow, "certificates are https's alone")
        self._refuse(self.careless and bool(self.authority), "any certificate and a CA file exclude each other")
        self._refuse(self.version not in ("", "2", "any"), f"HTTP/{self.version} is not asked: 1.1 and 2 are")
        plain = address.scheme != "https" and not self.follow
        self._refuse(bool(self.version) and plain, "HTTP/2 is agreed on within TLS: write an https URL")
        placed = self.place.isprintable() and " " not in self.place
        known = not self.place or (placed and host_and_port(_bracketed(self.place)) is not None)
        self._refuse(not known, f"{self.place!r} is no address")
        self._refuse(bool(self.proxy and self.place), "a proxy connects by itself: leave `at` or the proxy out")
        if self.proxy:
            self._refuse(
                web_address(self.proxy).scheme != "http", f"the proxy {self.proxy!r}: expected http://HOST:PORT"
            )
        sends = self.body is not None
        self._refuse(self.verb == "HEAD" and sends, "HEAD sends nothing")
        followed = self.verb in FOLLOWED and not (self.verb == "GET" and sends)
        self._refuse(self.follow and not followed, f"redirects of {self.verb} are not followed")
        if self.follow:
            self._check_followed()

    @property
    def verb(self) -> str:
        """The method: as it is said, else POST where something is sent, else GET."""
        return self.method or ("GET" if self.body is None else "POST")

    @property
    def data(self) -> bytes:
        """What is sent behind the head."""
        return (self.body or "").encode()

    @property
    def plain(self) -> bool:
        """Whether nothing is said but the URL."""
        return self == Request(self.url)

    @property
    def argument(self) -> Argument:
        """The argument of the fact that asks so."""
        words = [f"header {header}" for header in self.headers]
        values = ("method", "body", "login", "token", "certificate", "key", "authority", "place", "proxy", "version")
        for name in values:
            value = getattr(self, name)
            if value or (name == "body" and value is not None):
                words.append(f"{name} {value}")
        words += [name for name in ("careless", "follow") if getattr(self, name)]
        return (self.url, *words)

    def of(self, url: str) -> Request:
        """Return the same request to where a redirect leads; who asks is told to the first server alone."""
        if not self._elsewhere(url):
            return self.changed(url=url)
        kept = tuple(
            header for header in self.headers if _name(header).lower() not in SECRET_HEADERS and not _telling(header)
        )
        return self.changed(url=url, headers=kept, login="", token="", place="")

    def carries_off(self, url: str) -> bool:
        """Whether what it sends holds a secret, and a URL that it would be sent to again is of another server."""
        return _telling(self.body or "") and self._elsewhere(url)

    def _elsewhere(self, url: str) -> bool:
        first, then = web_address(self.url), web_address(url)
        return (first.scheme, first.host, first.port) != (then.scheme, then.host, then.port)

    def as_get(self) -> Request:
        """Return the request without what it sends: what is made of POST where a redirect leads on."""
        kept = tuple(header for header in self.headers if not _name(header).lower().startswith("content-"))
        return self.changed(method="HEAD" if self.verb == "HEAD" else "", body=None, headers=kept)

    @property
    def connected(self) -> tuple[str, int]:
        """Host and port that are connected to, unless there is a proxy."""
        address = web_address(self.url)
        host, port = (host_and_port(_bracketed(self.place)) if self.place else None) or (address.host, 0)
        return host, port or address.port

    def sent_headers(self) -> list[str]:
        """Return the headers that are sent beside Host, User-Agent and Accept."""
        sent = list(self.headers)
        if self.login:
            sent.append(f"Authorization: Basic {_encoded(self.login)}")
        if self.token:
            sent.append(f"Authorization: Bearer {self.token}")
        return sent

    def _refuse(self, wrong: object, words: str) -> None:
        if wrong:
            raise UserError(f'"{self.url}": {words}')

    def _check_header(self, header: str) -> None:
        name, colon, value = header.partition(":")
        plain = all(one.isprintable() or one == "\t" for one in value)
        self._refuse(
            not colon or not name or not set(name) <= TOKEN or not plain,
            f'the request header "{header}": expected a name, a colon and a value, as "Accept: text/plain"',
        )
        self._refuse(name.lower() in OWN_HEADERS, f"the request header {name} is made of the URL and of what is sent")
        if name.lower().endswith("authorization"):
            self._check_secret(value.strip(), f"the request header {name}")

    def _check_followed(self) -> None:
        """Refuse secrets that redirects would carry to whoever they lead to; curl, on a host, drops none of them."""
        for header in self.headers:
            name = _name(header)
            self._refuse(
                name.lower() not in SECRET_HEADERS and _telling(header),
                f"{name} holds a secret, which redirects would carry to other servers: follow none, or log in by "
                "`logged in as` or `with the token`",
            )

    def _check_login(self) -> None:
        self._refuse(bool(self.login and self.token), "a login and a token exclude each other")
        user, colon, password = self.login.partition(":")
        if self.login:
            self._refuse(not colon or not user or not self.login.isprintable(), "a login is written USER:PASSWORD")
            self._check_secret(password, f'the login of "{user}"')
            keep_secret(_encoded(self.login))
        if self.token:
            self._refuse(
                not set(self.token) <= TOKEN | set("/={}"), "its token holds what no token has"
            )  # RFC 6750, 2.1
            self._check_secret(self.token, "the token")

    def _check_secret(self, value: str, what: str) -> None:
        """Refuse a secret that stands in a feature, and is not of the stack file."""
        declared = holds_declared(value.encode()) or ("{" in value and "}" in value)
        if value and not declared:
            keep_secret(value)
            words = "declare it in the stack file (type: string, secret: true) and write {param.NAME} in its place"
            raise SecretInFeature(f'"{self.url}": {what}: a secret stands in no feature; {words}')


def request_of(argument: Argument) -> Request:
    """Return the request that an argument of the fact says."""
    fields: dict[str, object] = {}
    headers: list[str] = []
    for word in argument[1:]:
        name, blank, value = word.partition(" ")
        if name == "header":
            headers.append(value)
        else:
            fields[name] = value if blank else True
    return Request(argument[0], headers=tuple(headers), **fields)  # type: ignore[arg-type]


def as_form(text: str) -> str:
    """Return fields of a form as they are sent: `name=Ada Byron&x=1` with what a form cannot hold percent-encoded."""
    kept = TOKEN - set("'`|^") | set("=&")
    return "".join(
        one if one in kept else "+" if one == " " else "".join(f"%{byte:02X}" for byte in one.encode()) for one in text
    )


def authority_of(address: WebAddress) -> str:
    """Return host and port as CONNECT has them: RFC 9110, 9.3.6."""
    return address.authority if address.port != PORTS[address.scheme] else f"{address.authority}:{address.port}"


def _name(header: str) -> str:
    return header.partition(":")[0]


def _telling(text: str) -> bool:
    """Whether a text holds a secret."""
    return masked(text) != text


def _encoded(login: str) -> str:
    from binascii import b2a_base64

    return b2a_base64(login.encode(), newline=False).decode()


def _plain_path(path: str) -> bool:
    return path.startswith("/") and path.isprintable()


def _bracketed(place: str) -> str:
    """Return an address as URLs have it: with brackets around IPv6 without a port."""
    return f"[{place}]" if place.count(":") > 1 and not place.startswith("[") else place
