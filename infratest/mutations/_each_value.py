"""Faults of what is said of each of several values in a file of JSON or YAML: one of them, or some, are others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infratest.acts.base import Act
from infratest.errors import FactError
from infratest.mutations._document import as_value, changed, fitting, other_than
from infratest.mutations._edited_file import places, put_at
from infratest.mutations.base import Claim, Fault, outside
from infratest.structured_text import Absent, equals, is_plain, written


def each_equal(claim: Claim) -> Act | str:
    """One of them another, all of them that one, or so many that their number is out of the bound."""
    text = claim.check.value
    return _each(claim, as_value(text), other_than(text), text, lambda value: is_plain(value) and equals(value, text))


def each_matching(claim: Claim) -> Act | str:
    """As `each_equal`, with texts that match and that do not."""
    from infratest.regular_expression import compiled

    pattern = claim.check.pattern
    good, bad = fitting(pattern, True), fitting(pattern, False)
    if good is None or bad is None:
        return "which texts they could have is not known"
    search = compiled(pattern).search
    return _each(
        claim, good, bad, pattern, lambda value: is_plain(value) and search(written(value).encode()) is not None
    )


def _each(claim: Claim, good: Any, bad: Any, words: str, is_so: Callable[[Any], bool]) -> Act | str:
    check = claim.check

    def edit(document: Any) -> Any:
        ways = [(place, value) for place, value in places(document, check.at) if not isinstance(value, Absent)]
        if not ways:
            raise FactError(f"nothing is at {check.at}")
        count = _out_of_bound(claim, len(ways), sum(is_so(value) for _, value in ways))
        for place, (way, value) in enumerate(ways):
            if (place < count) is not is_so(value):
                document = put_at(document, way, good if place < count else bad)
        return document

    return changed(claim, f"is made {'such' if claim.negated else 'other'} than {words}", edit)


def _out_of_bound(claim: Claim, values: int, now: int) -> int:
    """Return how many of so many values must be so that the sentence does not hold. Raises FactError: there is none."""
    if claim.check.every:
        return values if claim.negated else values - 1
    bound = claim.bound
    near = sorted(range(values + 1), key=lambda count: abs(count - now))
    for count in near:
        if bound is not None and not bound.holds(count):
            return count
    raise FactError(f"of the {values} at {claim.check.at} each number is in the bound")


def each_number(claim: Claim) -> Act | str:
    """The last of them is beyond the bound."""
    value = None if claim.bound is None else outside(claim.bound)
    if value is None:
        return "each number is in the bound"
    plain = int(value) if value == int(value) else value

    def edit(document: Any) -> Any:
        found = places(document, claim.check.at)
        if not found:
            raise FactError(f"nothing is at {claim.check.at}")
        return put_at(document, found[-1][0], plain)

    return changed(claim, f"has {plain} as its last", edit)


FAULTS: dict[str, Fault] = {"EachEqual": each_equal, "EachMatching": each_matching, "EachNumber": each_number}
