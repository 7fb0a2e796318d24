"""The fact `tls`: what is so of TLS at a port. Arguments: the place (`smtp://mail.example:25`), the name that is asked
for, a file of authorities (empty: those of who looks), and the question.

Questions: `certificate`, `protocol TLS 1.2`, `suite 49199`, `alpn h2`. It is looked at by `_tls_look`, from the
controller and from hosts that have python3; certificates are read here, by the library of the extra `tls`.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._shell import lines, number
from infratest.facts._tls_place import NO_PYTHON, endpoint, fields, program, refusal
from infratest.facts._x509 import Certificate
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

CERTIFICATE = "certificate"
VERSIONS = ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")


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


class TlsFact(LooksForEach, LooksFromController):
    """TLS at ports."""

    encoded = True
    at_once = True

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
            raise FactError(f"the answer is not understood: {cited(answer.out, 80)}")
        answered = {}
        for row in rows:
            index, _, rest = row.partition(" ")
            outcome, _, rest = rest.partition(" ")
            place = number(index, "an index")
            if not 0 < place <= len(arguments):
                raise FactError(f"the answer is not understood: {cited(row, 80)}")
            answered[place] = _tls(outcome, fields(rest.partition(" ")[2]), arguments[place - 1])
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


def _tls(outcome: str, seen: Mapping[str, Any], argument: Argument) -> Tls | FactError:
    """Return what an outcome means; an error where nobody could look."""
    why = str(seen.get("why", ""))
    if outcome == "answer" and argument[3] == CERTIFICATE:
        return _certificates(seen)
    if outcome == "answer" and isinstance(seen.get("offered"), bool):
        return Tls(offered=seen["offered"], words=why)
    refused = refusal(outcome, seen, argument[0])
    return refused if isinstance(refused, FactError) else Tls(refused=refused)


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
