"""The values that a path with `*` leads to in a structured text. Loaded when a sentence asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infratest.cleaning import literal
from infratest.errors import FactError
from infratest.structured_text import Absent, Each, described, parsed, step_into, steps, value_at, written

#: Values that a path may lead to.
EACH = 100_000


def values_at(text: str, form: str, at: str) -> list[tuple[str, Any]]:
    """Return the values that a path leads to, each with its own path; an Absent in the place of one that is not there.

    `*` in the path is each of a list or a map. Of a path without one, and of an XPath, it is each that is there.

    Raises:
        Absent: nothing is there. FactError: the text is not readable in this format.
    """
    if form == "XML" or not any(isinstance(step, Each) for step in steps(at)):
        whole = value_at(text, form, at)
        if not isinstance(whole, list | Mapping):
            raise FactError(f"{at} is {described(whole)}: each is meant of a list or a map, or of a path with *")
        return _inside(whole, at)
    found: list[tuple[str, Any]] = [("", parsed(text, form))]
    for step in steps(at):
        found = [each for way, value in found for each in _next(value, step, way)]
        if len(found) > EACH:
            raise FactError(f"{at} leads to more than {EACH} values; write a longer path")
    return found


def _next(value: Any, step: str | int, way: str) -> list[tuple[str, Any]]:
    if isinstance(value, Absent):
        return [(way, value)]
    if isinstance(step, Each):
        if not isinstance(value, list | Mapping):
            return [(way, Absent(f"{literal(way) if way else 'the whole'} is {described(value)}"))]
        return _inside(value, way)
    way_on = f"{way}[{step}]" if isinstance(step, int) else f"{way}.{step}" if way else step
    try:
        return [(way_on, step_into(value, step, way))]
    except Absent as absent:
        return [(way_on, absent)]


def _inside(value: Any, way: str) -> list[tuple[str, Any]]:
    """Return what is in a list or a map."""
    if isinstance(value, list):
        return [(f"{way}[{place}]", each) for place, each in enumerate(value)]
    return [(f"{way}.{written(key)}" if way else written(key), each) for key, each in value.items()]
