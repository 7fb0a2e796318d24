"""The fact `tls`: what is so of TLS at a port. Arguments: the place (`smtp://mail.example:25`), the name that is asked
for, a file of authorities (empty: those of who looks), and the question.

Questions: `certificate`, `protocol TLS 1.2`, `suite 49199`, `alpn h2`. It is looked at by `_tls_look`, from the
controller and from hosts that have python3; certificates are read here, by the library of the extra `tls`.
"""

from __future__ import annotations

from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts._shell import lines, number
from infratest.facts._x509 import Certificate
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record
from infratest.web_address import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

#: Protocol within which TLS begins -> its port; the first begins with TLS.
PORTS = {
    "tls": 443, "smtp": 25, "imap": 143, "pop3": 110, "ftp": 21, "ldap": 389, "postgresql": 5432, "mysql": 3306,
}  # fmt: skip
OTHER_NAMES = {"https": "tls", "postgres": "postgresql", "mariadb": "mysql"}

CERTIFICATE = "certificate"
VERSIONS = ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")

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


class Tls(Record):
    """What came of a question.

    Args:
        refused: why there is no TLS: nobody lets us in, or who answers does not speak it; then nothing else is known.
        chain: the certificates that the server sent, its own first; whole: whether these are all. untrusted: why who
        looks does not trust it, nothing where it does. now: the clock of who looks. version, cipher: of this handshake.
        offered: of a protocol, a suite or ALPN. words: why not.
    """

    refused: str = ""
    chain: tuple[Certificate, ...] = ()
    whole: bool = True
    untrusted: str = ""
    now: int = 0
    version: str = ""
    cipher: str = ""
    offered: bool = False
    words: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no TLS: {self.refused}"
        if self.chain:
            trust = f"not trusted: {self.untrusted}" if self.untrusted else "trusted"
            return f"{self.version} with {self.cipher}, {self.chain[0].in_words()}, {trust}"
        return "offered" if self.offered else f"not offered: {self.words}"


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


class TlsFact(LooksForEach, LooksFromController):
    """TLS at ports. Seconds that a server has for its part: seen from the controller, and from a host."""

    encoded = True
    at_once = True
    patience: ClassVar[float] = 10
    patience_there: ClassVar[float] = 8

    def snippet(self) -> str:
        from infratest.facts._outside_there import by_python

        return by_python(self.patience_there, NO_PYTHON, program())

    def words(self, argument: Argument) -> tuple[str, ...]:
        place, name, authorities, question = argument
        one = endpoint(place)
        return (f"{one.scheme} {one.host} {one.port}", name or one.host, authorities, question)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        first, *rows = lines(self.readable(answer).out) or [""]
        if first != "python3" or not rows:
            raise FactError(f"the answer is not understood: {answer.out[:80]!r}")
        answered = {}
        for row in rows:
            index, _, rest = row.partition(" ")
            outcome, _, rest = rest.partition(" ")
            place = number(index, "an index")
            if not 0 < place <= len(arguments):
                raise FactError(f"the answer is not understood: {row[:80]!r}")
            answered[place] = _tls(outcome, _fields(rest.partition(" ")[2]), arguments[place - 1])
        return {argument: answered[place] for place, argument in enumerate(arguments, 1) if place in answered}

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Tls | FactError:
        from infratest.facts import _tls_look

        text, name, authorities, question = argument
        one = endpoint(text)
        address, port = connect(one.host, one.port)
        had = deadline.at_most(self.patience).left
        place = _tls_look.Place(one.scheme, address, port, name or one.host, had)
        outcome, seen = _tls_look.ask(place, authorities, question)
        if outcome != _tls_look.ANSWER and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{text}: no answer before our own deadline")
        return _tls(outcome, seen, argument)


def _fields(text: str) -> dict[str, Any]:
    from json import loads

    try:
        seen = loads(text)
    except ValueError:
        seen = None
    if not isinstance(seen, dict):
        raise FactError(f"the answer is not understood: {text[:80]!r}")
    return seen


def _tls(outcome: str, seen: Mapping[str, Any], argument: Argument) -> Tls | FactError:
    """Return what an outcome means; an error where nobody could look."""
    why = str(seen.get("why", ""))
    if outcome == "answer" and argument[3] == CERTIFICATE:
        return _certificates(seen)
    if outcome == "answer" and isinstance(seen.get("offered"), bool):
        return Tls(offered=seen["offered"], words=why)
    if outcome == "plain":
        return Tls(refused=why)
    if outcome == "closed":
        return Tls(refused=f"it is not reachable: {why}")
    if outcome == "nameless":
        return Tls(refused=f"its name is not known: {why}")
    if outcome == "failed":
        return FactError(f"TLS at {argument[0]} could not be looked at: {why[:300]}")
    raise FactError(f"the answer is not understood: {outcome[:80]!r} is no outcome")


def _certificates(seen: Mapping[str, Any]) -> Tls | FactError:
    from base64 import b64decode

    from infratest.facts._x509 import certificate

    try:
        chain = [b64decode(each, validate=True) for each in seen["chain"]]
        untrusted, version, cipher = (str(seen[name]) for name in ("untrusted", "version", "cipher"))
        now, whole = int(seen["now"]), bool(seen["whole"])
    except (KeyError, ValueError, TypeError):
        raise FactError("the answer is not understood: it does not hold certificates") from None
    try:
        made = tuple([certificate(each, f"certificate {place} of the server") for place, each in enumerate(chain, 1)])
    except FactError as error:
        return error
    if not made:
        raise FactError("the answer is not understood: it holds no certificate")
    return Tls("", made, whole, untrusted, now, version, cipher)
