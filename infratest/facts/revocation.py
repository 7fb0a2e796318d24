"""The fact `revocation`: whether the certificate at a port was revoked. Arguments: the place, the name that is asked
for, and a file of authorities, as those of the fact `tls`.

Asked are the responders (OCSP) and the lists (CRL) that the certificate names, by `_revocation_look`, from the
controller and from hosts that have python3; what they answer is verified here, by `_x509_revocation`.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._shell import lines, number
from infratest.facts._tls_place import NO_PYTHON, endpoint, fields, refusal
from infratest.facts._x509_revocation import Signed, Verdict, verdict
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

#: Bytes of a list that a host sends on; the controller reads more of what it fetches itself.
MOST_THERE = 1 << 18


class Revocation(Record):
    """What came of it.

    Args:
        refused: why there is no TLS. verdicts: of each source that the certificate names.
    """

    refused: str = ""
    verdicts: tuple[Verdict, ...] = ()

    def in_words(self) -> str:
        if self.refused:
            return f"no TLS: {self.refused}"
        return "; ".join([one.in_words() for one in self.verdicts]) or "no source is named"


def program() -> str:
    """Return the text of what looks, as one program."""
    from infratest.facts import _revocation_look
    from infratest.facts._tls_place import program as of_tls

    first, main, last = of_tls().partition('\nif __name__ == "__main__":')
    with open(_revocation_look.__file__, encoding="utf-8") as file:
        own = "".join([row for row in file if not row.startswith("from infratest.")])
    return f"{first}\n{own}\nMOST = {MOST_THERE}\n{main}{last}"


class RevocationFact(LooksForEach, LooksFromController):
    """Revocation of certificates at ports."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts._outside_there import by_python

        return by_python(self.patience_there, NO_PYTHON, program())

    def words(self, argument: Argument) -> tuple[str, ...]:
        place, name, authorities = argument
        one = endpoint(place)
        return (f"{one.scheme} {one.host} {one.port}", name or one.host, authorities, "revocation")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        first, *rows = lines(self.readable(answer).out) or [""]
        if first != "python3" or not rows:
            raise FactError(f"the answer is not understood: {cited(answer.out, 80)}")
        answered = {}
        for row in rows:
            index, outcome, _, text = (row.split(" ", 3) + [""] * 3)[:4]
            place = number(index, "an index")
            if not 0 < place <= len(arguments):
                raise FactError(f"the answer is not understood: {cited(row, 80)}")
            answered[place] = _revocation(outcome, fields(text), arguments[place - 1])
        return {argument: answered[place] for place, argument in enumerate(arguments, 1) if place in answered}

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Revocation | FactError:
        from infratest.facts import _revocation_look, _tls_look

        text, name, authorities = argument
        one = endpoint(text)
        address, port = connect(one.host, one.port)
        had = deadline.at_most(self.patience).left
        place = _tls_look.Place(one.scheme, address, port, name or one.host, had)
        _tls_look.MORE["revocation"] = _revocation_look.revocation
        outcome, seen = _tls_look.ask(place, authorities, "revocation")
        value = _revocation(outcome, seen, argument)
        known = isinstance(value, Revocation) and any(one.revoked is not None for one in value.verdicts)
        if not known and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{text}: no answer before our own deadline")
        return value


def _revocation(outcome: str, seen: Mapping[str, Any], argument: Argument) -> Revocation | FactError:
    """Return what an outcome means; an error where nobody could look."""
    from base64 import b64decode

    if outcome != "answer":
        refused = refusal(outcome, seen, argument[0])
        return refused if isinstance(refused, FactError) else Revocation(refused)
    try:
        encoded = [b64decode(seen[name], validate=True) for name in ("certificate", "issuer")]
        answers = [
            (
                str(one["kind"]),
                beginning(str(one["url"]), 400),
                beginning(str(one["problem"]), 300),
                b64decode(one["data"], validate=True),
            )
            for one in seen["answers"]
        ]
        now = int(seen["now"])
    except (KeyError, ValueError, TypeError):
        raise FactError("the answer is not understood: it does not hold what was asked for") from None
    try:
        signed = Signed(*encoded)
    except FactError as error:
        return error
    return Revocation(
        verdicts=tuple(
            Verdict(kind, url, None, problem if problem.startswith("it ") else f"it is not reachable: {problem}")
            if problem
            else verdict(kind, url, data, signed, now)
            for kind, url, problem, data in answers
        )
    )
