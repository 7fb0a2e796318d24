"""Faults of an answer's headers: another server answers without them, or with them."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._web import answers
from infratest.mutations.base import Claim, Fault
from infratest.regular_expression import compiled

#: Values of which a pattern is tried, where it must fit none: versions, names, names with versions.
VALUES = ("1", "1.2.3", "infratest/1.2.3", "nginx/1.2.3", "Apache/2.4.1 (Debian)", "infratest", "*", "true", "no-cache")
FITS = "what the pattern fits is not known"


def presence(claim: Claim) -> Act | str:
    """Without it, or with it."""
    return _with(claim, "infratest" if claim.negated else None)


def value(claim: Claim) -> Act | str:
    """With another value, or just that one."""
    return _with(claim, claim.check.value if claim.negated else "infratest")


def part(claim: Claim) -> Act | str:
    """With another value, or just that one."""
    return _with(claim, claim.check.part if claim.negated else "infratest")


def pattern(claim: Claim) -> Act | str:
    """With another value, or one that the pattern fits."""
    fitting = [one for one in VALUES if compiled(claim.check.pattern).search(one.encode()) is not None]
    value = next((one for one in VALUES if (one in fitting) == claim.negated), None)
    return FITS if value is None else _with(claim, value)


def _with(claim: Claim, value: str | None) -> Act | str:
    check = claim.check
    words = f"{check.url} answers with{'out' if value is None else ''} the header {check.header}"
    headers = () if value is None else (f"{check.header}: {value}",)
    return answers(check.url, words, 200, headers)


FAULTS: dict[str, Fault] = {
    "UrlHeaderThere": presence,
    "UrlHeader": value,
    "UrlHeaderContains": part,
    "UrlHeaderMatches": pattern,
}
