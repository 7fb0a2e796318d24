r"""What the oracle asks: a sentence about an object, and the right answer, worked out without infratest.

A subject (a file of `subjects/`) has `objects(place)`, which makes what is asked about, and `questions(objects)`;
and it may have `covered()`, which is called once all objects are there and all questions known. One whose servers take
long to start has NOWHERE, too: objects for questions that nobody is asked. `outside()` is called before the world is
made, for what it takes from the network, of which the world has none.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import NamedTuple

OK, WARNING, CRITICAL, UNKNOWN = "ok", "warning", "critical", "unknown"

#: There is nothing that the claim could be about: neither it nor its negation is met.
ABSENT = "absent"


class Question(NamedTuple):
    """One sentence about one object.

    Args:
        text: the sentence. right: the state that it has. about: the object in words.
        unprivileged: the state for who is not root, where that is another one.
        ways: names of the ways in by which it can be asked, where these are not all.
    """

    text: str
    right: str
    about: str
    unprivileged: str = ""
    ways: frozenset[str] = frozenset()


def quoted(text: str) -> str:
    """Return a text as a sentence writes it."""
    pieces = text.replace("{", "{{").split('"')
    # Backslashes before a quote are written twice, all others as they are.
    doubled = [piece + "\\" * (len(piece) - len(piece.rstrip("\\"))) for piece in pieces]
    return '"' + '\\"'.join(doubled) + '"'


def answers(truth: bool | str) -> tuple[str, str]:
    """Return the states of a claim and of its negation: of one that is true, is false, ABSENT, or UNKNOWN."""
    if isinstance(truth, bool):
        return (OK, CRITICAL) if truth else (CRITICAL, OK)
    return (CRITICAL, CRITICAL) if truth == ABSENT else (UNKNOWN, UNKNOWN)


def both(claim: str, negation: str, truth: bool | str, about: str, unprivileged: bool | str = "") -> Iterator[Question]:
    """Ask both ways.

    Args:
        truth: as for `answers`. unprivileged: the same for who is not root, where that is another one.
    """
    others = ("", "") if unprivileged == "" else answers(unprivileged)
    for text, right, other in zip((claim, negation), answers(truth), others, strict=True):
        yield Question(text, right, about, other)


def bounds(
    sentence: str, number: int | str, about: str, unit: str = "", step: int = 1, unprivileged: str = "", tail: str = ""
) -> Iterator[Question]:
    """Ask at the number, and one step on either side, by every kind of bound and with a warning value.

    Args:
        sentence: `{}` stands where the bound does. number: what is right, in `unit`; or ABSENT or UNKNOWN.
    """
    known = number if isinstance(number, int) else 1000
    below, above, beyond = (f"{known + each * step}{unit}" for each in (-1, 1, 2))
    at = f"{known}{unit}"
    table = {
        f"less than {at}": CRITICAL, f"less than {above}": OK, f"less than {beyond}, warning {at}": WARNING,
        f"less than {beyond}, warning {above}": OK,
        f"at most {at}": OK, f"at most {above}": OK, f"at least {at}": OK, f"at least {above}": CRITICAL,
        f"more than {at}": CRITICAL, f"exactly {at}": OK, f"exactly {above}": CRITICAL,
        f"between {at} and {above}": OK, f"between {above} and {beyond}": CRITICAL,
    }  # fmt: skip
    if known >= step:  # a number below zero is nothing to ask for
        table |= {f"at most {below}": CRITICAL, f"more than {below}": OK, f"exactly {below}": CRITICAL}
        table |= {f"between {below} and {at}": OK}
    for bound, right in table.items():
        if not isinstance(number, int):
            right = CRITICAL if number == ABSENT else UNKNOWN
        claim, comma, warning = bound.partition(",")
        yield Question(sentence.replace("{}", claim) + comma + warning + tail, right, about, unprivileged)


def soon(sentence: str, truth: bool | str, about: str, tail: str = "") -> Iterator[Question]:
    """Ask for a time that nothing takes so long here; `{}` stands where the bound does."""
    at_once = {True: OK, False: CRITICAL, ABSENT: CRITICAL, UNKNOWN: UNKNOWN}[truth]
    yield Question(sentence.replace("{}", "less than 60 s") + tail, at_once, about)
    yield Question(sentence.replace("{}", "more than 60 s") + tail, UNKNOWN if truth == UNKNOWN else CRITICAL, about)


def packaged(name: str) -> str:
    """Return the version of the program in a package, without what the distribution adds to it."""
    words = ["dpkg-query", "-W", "-f", "${source:Upstream-Version}", name]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.partition("+")[0]


def versions(start: str, version: str, about: str, tail: str = "", most: bool = False) -> Iterator[Question]:
    """Ask for a version, the one before and the one after it; or as ABSENT or UNKNOWN.

    Args:
        most: whether there are sentences of "at most", too.
    """
    known = version not in (ABSENT, UNKNOWN)
    numbers = [int(each) for each in (version if known else "1.2.3").split(".")]
    for step in (-1, 0, 1):
        other = ".".join(map(str, (*numbers[:-1], numbers[-1] + step)))
        claims = {"": step == 0, "at least ": step <= 0} | ({"at most ": step >= 0} if most else {})
        for words, truth in claims.items():
            claim, negation = (f'{start} {has} {words}version "{other}"{tail}' for has in ("has", "does not have"))
            yield from both(claim, negation, truth if known else version, about)
