"""Faults of values in files of JSON and YAML: another value at the path that the sentence names, or none.

What a value must be for the sentence not to hold is worked out from the sentence, and where it stands from the file,
when the fault is made.
"""

from __future__ import annotations

from typing import Any

from infratest.acts.base import Act
from infratest.errors import FactError
from infratest.mutations._edited_file import MOST, WRITTEN, DocumentAct, Edit, put, put_anyway, removed
from infratest.mutations._path import WRITTEN_BACK
from infratest.mutations.base import Claim, Fault, outside
from infratest.structured_text import equals, is_plain, number_of, step_into, steps, written

OTHER = "infratest"
OPPOSITES = {"true": False, "false": True}


def changed(claim: Claim, words: str, edit: Edit) -> Act | str:
    """Return the act that changes a sentence's document, or why there is none."""
    check = claim.check
    if not check.path or check.form not in ("JSON", "YAML"):
        return "only values in files of JSON and YAML are changed"
    words = f"{check.at} of {check.path} {words}"
    return DocumentAct(words, WRITTEN, WRITTEN_BACK, (check.path,), form=check.form, edit=edit)


def other_than(text: str) -> Any:
    """Return a value that is not what a sentence says, and of its kind."""
    if text in OPPOSITES:
        return OPPOSITES[text]
    number = number_of(text)
    return OTHER if number is None or text != text.strip() else int(number) + 1


def as_value(text: str) -> Any:
    """Return the value that a sentence says, as JSON has it."""
    return {"true": True, "false": False, "null": None}.get(text, text)


def presence(claim: Claim) -> Act | str:
    """Take it away, or put something there."""
    at = claim.check.at
    if claim.negated:
        return changed(claim, f"is made {OTHER}", lambda document: put_anyway(document, steps(at), OTHER))
    return changed(claim, "is taken away", lambda document: removed(document, at))


def equal(claim: Claim) -> Act | str:
    """Another value, or just that one."""
    value = as_value(claim.check.value) if claim.negated else other_than(claim.check.value)
    return changed(claim, f"is made {written(value)}", lambda document: put(document, claim.check.at, value))


def matching(claim: Claim) -> Act | str:
    """A text that does not match, or one that does."""
    text = fitting(claim.check.pattern, claim.negated)
    if text is None:
        return "which text it could have is not known"
    return changed(claim, f"is made {text!r}", lambda document: put(document, claim.check.at, text))


def fitting(pattern: str, fits: bool) -> str | None:
    """Return a text that a pattern fits, or does not fit, of some that are likely; None where none is."""
    from infratest.regular_expression import compiled

    plain = pattern.removeprefix("^").removesuffix("$").replace("\\", "").replace("[.]", ".")
    for text in (plain, plain.partition("|")[0].strip("()"), OTHER, "0", "", "true", "x.example", "10.0.0.1"):
        if (compiled(pattern).search(text.encode()) is not None) is fits:
            return text
    return None


def containing(claim: Claim) -> Act | str:
    """A list without it, or with it; so of a text."""
    at, value = claim.check.at, claim.check.value

    def edit(document: Any) -> Any:
        now = inside(document, at)
        if isinstance(now, list):
            rest = [each for each in now if not is_plain(each) or not equals(each, value)]
            return put(document, at, [*now, as_value(value)] if claim.negated else rest)
        return put(document, at, f"{now}{value}" if claim.negated else str(now).replace(value, ""))

    return changed(claim, f"is made {'with' if claim.negated else 'without'} {value}", edit)


def inside(document: Any, at: str) -> Any:
    """Return what is at a path. Raises Absent."""
    for step in steps(at):
        document = step_into(document, step, at)
    return document


def number(claim: Claim) -> Act | str:
    """A number beyond the bound."""
    value = None if claim.bound is None else outside(claim.bound)
    if value is None:
        return "each number is in the bound"
    plain = int(value) if value == int(value) else value
    return changed(claim, f"is made {plain}", lambda document: put(document, claim.check.at, plain))


def length(claim: Claim) -> Act | str:
    """So many things in it that the bound does not hold."""
    count = None if claim.bound is None else outside(claim.bound)
    if count is None or count > MOST:
        return "each number is in the bound" if count is None else f"more than {MOST} things are not put into a file"
    at, many = claim.check.at, int(count)

    def edit(document: Any) -> Any:
        now = inside(document, at)
        if isinstance(now, list):
            return put(document, at, [*now, *[OTHER] * many][:many])
        if not isinstance(now, dict):
            raise FactError(f"{at} is neither a list nor a map")
        more = {f"{OTHER}-{place}": OTHER for place in range(many)}
        return put(document, at, dict([*now.items(), *more.items()][:many]))

    return changed(claim, f"is given {many} in it", edit)


FAULTS: dict[str, Fault] = {
    "ValueThere": presence,
    "ValueEqual": equal,
    "ValueMatching": matching,
    "ValueContaining": containing,
    "ValueNumber": number,
    "ValueLength": length,
}
