"""`matching` of goss: values that the file itself holds, compared while they are carried over; no host is asked.

As goss compares (its page on matchers): what is looked for says how what is there is read, as text, a number or a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from infratest.errors import FactError, UserError
from infratest.facts.language_package.versions import order
from infratest.importers.goss.document import Value, plain
from infratest.importers.goss.matchers import Claim, NotCarried, versions
from infratest.importers.goss.resource import Resource, Wording

#: Claim of a version -> what it says of the order of a version and the one in the claim.
BOUNDS: dict[str, Callable[[int], bool]] = {
    "version at least": lambda order: order >= 0, "version at most": lambda order: order <= 0,
    "version less than": lambda order: order < 0, "version more than": lambda order: order > 0,
    "version exactly": lambda order: order == 0,
}  # fmt: skip


def compared(resource: Resource, attribute: str) -> list[Wording]:
    """Return a note where the values match.

    Raises:
        NotCarried: they do not, or it cannot be told here.
    """
    content, matches = resource.attributes[attribute], resource.attributes.get("matches")
    if matches is None:
        raise NotCarried("there are no matches: it asserts nothing", content.line)
    if not _holds(plain(content), matches):
        raise NotCarried("the value in the file does not match, so that goss fails", matches.line)
    words = "it matches; it is compared while it is carried over, and asks nothing of a host"
    return [Wording(words, content.line, Wording.NOTE)]


def _holds(content: Any, wanted: Value) -> bool:
    """Whether a value is as a matcher says."""
    data = wanted.data
    if isinstance(data, list):
        return _are_in(content, wanted)
    if not isinstance(data, dict):
        return _equal(content, data)
    if len(data) != 1:
        raise NotCarried(f"a matcher has one key, and here are {len(data)}", wanted.line)
    [(name, inside)] = data.items()
    if name not in MATCHERS:
        raise NotCarried(f"values are not compared by {name} here", inside.line)
    try:
        return MATCHERS[name](content, inside)
    except (TypeError, ValueError, AttributeError) as error:
        raise NotCarried(f"{name} cannot be asked of this value: {error}", inside.line) from None


def _equal(content: Any, data: Any) -> bool:
    if isinstance(data, str) and not isinstance(content, str):
        return _text(content) == data
    if isinstance(data, int | float) and not isinstance(data, bool) and isinstance(content, str):
        return _number(content) == data
    return isinstance(content, bool) == isinstance(data, bool) and bool(content == data)


def _are_in(content: Any, wanted: Value) -> bool:
    """Whether each matcher of a list has an element of its own."""
    there, asked = _list(content), wanted.data
    if not isinstance(asked, list):
        raise NotCarried("a list of elements is expected", wanted.line)
    return _pairs([[place for place, one in enumerate(there) if _holds(one, each)] for each in asked])


def _pairs(fitting: list[list[int]]) -> bool:
    """Whether each of several can have a place of its own among those that fit it (augmenting paths)."""
    taken: dict[int, int] = {}

    def placed(asked: int, tried: set[int]) -> bool:
        for place in fitting[asked]:
            if place not in tried:
                tried.add(place)
                if place not in taken or placed(taken[place], tried):
                    taken[place] = asked
                    return True
        return False

    return all(placed(asked, set()) for asked in range(len(fitting)))


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(_text(each) for each in content)
    if isinstance(content, bool) or content is None:
        return {True: "true", False: "false", None: "<nil>"}[content]
    if isinstance(content, dict):
        raise TypeError("it is a map")
    return f"{content:.15g}" if isinstance(content, float) else str(content)


def _number(content: Any) -> float:
    if isinstance(content, bool):
        raise TypeError("it is no number")
    return float(content.strip() if isinstance(content, str) else content)


def _list(content: Any) -> list[Any]:
    if isinstance(content, str):
        return content.split("\n")
    if isinstance(content, list):
        return content
    return list(content.values()) if isinstance(content, dict) else [content]


def _pattern(content: Any, wanted: Value) -> bool:
    from infratest.regular_expression import compiled

    try:
        return compiled(wanted.written).search(_text(content).encode()) is not None
    except UserError as error:
        raise NotCarried(str(error), wanted.line) from None


def _key(content: Any, wanted: Value) -> bool:
    if not isinstance(content, dict):
        raise TypeError("it is no map")
    return any(_holds(key, wanted) for key in content)


def _key_with_value(content: Any, wanted: Value) -> bool:
    if not isinstance(content, dict) or not isinstance(wanted.data, dict):
        raise TypeError("it is no map")
    return all(key in content and _holds(content[key], each) for key, each in wanted.data.items())


def _versions(content: Any, wanted: Value) -> bool:
    """Whether all versions are in a range: alternatives by ||, of each what stands between blanks must hold."""
    ranges = [versions(part, wanted.line) for part in wanted.written.split("||")]

    def within(version: str, claim: Claim) -> bool:
        return BOUNDS[claim.name](order(version, claim.value, "npm")) == claim.holds

    try:
        return all(any(all(within(_text(each), claim) for claim in one) for one in ranges) for each in _list(content))
    except FactError as error:
        raise NotCarried(str(error), wanted.line) from None


def _at_paths(content: Any, wanted: Value) -> bool:
    document = json.loads(_text(content))
    for path, each in wanted.data.items():
        below = document
        for key in [] if path == "@this" else path.split("."):
            below = below[int(key)] if isinstance(below, list) else below.get(key)
            if below is None:
                return False
        if not _holds(below, each):
            return False
    return True


def _plain(content: Any, wanted: Value) -> bool:
    return content == plain(wanted) if isinstance(wanted.data, list) else _holds(content, wanted)


MATCHERS: dict[str, Callable[[Any, Value], bool]] = {
    "equal": _plain,
    "have-prefix": lambda content, wanted: _text(content).startswith(wanted.written),
    "have-suffix": lambda content, wanted: _text(content).endswith(wanted.written),
    "contain-substring": lambda content, wanted: wanted.written in _text(content),
    "match-regexp": _pattern,
    "gt": lambda content, wanted: _number(content) > wanted.data,
    "ge": lambda content, wanted: _number(content) >= wanted.data,
    "lt": lambda content, wanted: _number(content) < wanted.data,
    "le": lambda content, wanted: _number(content) <= wanted.data,
    "have-len": lambda content, wanted: len(content) == wanted.data,
    "have-key": _key,
    "have-key-with-value": _key_with_value,
    "contain-element": lambda content, wanted: any(_holds(each, wanted) for each in _list(content)),
    "contain-elements": _are_in,
    "consist-of": lambda content, wanted: len(_list(content)) == len(wanted.data) and _are_in(content, wanted),
    "not": lambda content, wanted: not _holds(content, wanted),
    "and": lambda content, wanted: all(_holds(content, each) for each in wanted.data),
    "or": lambda content, wanted: any(_holds(content, each) for each in wanted.data),
    "semver-constraint": _versions,
    "gjson": _at_paths,
}
