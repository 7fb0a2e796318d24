"""Faults of URLs: another server answers, too late or not at all."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.check import choices
from infratest.mutations._in_place import LONGEST
from infratest.mutations._web import ANOTHER, BODY, UNEXPECTED, answers, refuses
from infratest.mutations.base import Claim, Fault, outside


def presence(claim: Claim) -> Act | str:
    """Refuse."""
    return "nothing that answers is put in the place of nothing" if claim.negated else refuses(claim.check.url)


def status(claim: Claim) -> Act | str:
    """Another status, or just that one."""
    expected = claim.check.status
    other = expected if claim.negated else ANOTHER if expected == UNEXPECTED else UNEXPECTED
    return answers(claim.check.url, f"{claim.check.url} answers {other}", other)


def statuses(claim: Claim) -> Act | str:
    """A status that is none of them, or the first of them."""
    expected = [int(each) for each in choices(claim.check.statuses)]
    other = expected[0] if claim.negated else next((one for one in (UNEXPECTED, ANOTHER) if one not in expected), None)
    if other is None:
        return f"it may answer {UNEXPECTED} and {ANOTHER}, and with another status no server is put in its place"
    return answers(claim.check.url, f"{claim.check.url} answers {other}", other)


def time(claim: Claim) -> Act | str:
    """The status that is expected, too late."""
    if claim.bound is None or claim.bound.top >= LONGEST or claim.bound.holds(claim.bound.top + 1):
        return f"an answer is put off by {LONGEST:.0f} s at most"
    seconds = claim.bound.top + 0.5
    words = f"{claim.check.url} answers after {seconds:g} s"
    return answers(claim.check.url, words, claim.check.status, seconds=seconds)


def text(claim: Claim) -> Act | str:
    """Another page, or one with the text."""
    body = claim.check.text if claim.negated else BODY
    return answers(claim.check.url, f"{claim.check.url} is another page", 200, body=body)


def pattern(claim: Claim) -> Act | str:
    """Another page."""
    if claim.negated:
        return "what a pattern fits is not known"
    return answers(claim.check.url, f"{claim.check.url} is another page", 200)


def size(claim: Claim) -> Act | str:
    """A page that is too long, or too short."""
    number = outside(claim.bound) if claim.bound else None
    if number is None or number > 65536:
        return "pages of up to 64 KiB are in the bound"
    return answers(claim.check.url, f"{claim.check.url} is {number:.0f} bytes long", 200, body="x" * int(number))


FAULTS: dict[str, Fault] = {
    "UrlAnswers": presence,
    "UrlStatus": status,
    "UrlStatuses": statuses,
    "UrlTime": time,
    "UrlContains": text,
    "UrlMatches": pattern,
    "UrlSize": size,
}
