"""goss' matchers as claims: each an operation, its value, and whether it must hold or must not.

`and` is several claims, `not` turns each of them around, an `or` of values is one of these. What cannot be said as
claims that all hold is refused, with its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.importers.goss.document import Value

#: Matchers of one value, and the name of the claim.
PLAIN = {
    "equal": "equal", "have-prefix": "prefix", "have-suffix": "suffix", "match-regexp": "regexp",
    "contain-substring": "substring", "gt": "more than", "ge": "at least", "lt": "less than", "le": "at most",
    "have-len": "length", "have-key": "key", "semver-constraint": "version",
}  # fmt: skip
#: A claim that cannot be said; its value is why.
REFUSED = "refused"
#: A bound and the one that holds where it does not.
OPPOSITE = {"more than": "at most", "at most": "more than", "less than": "at least", "at least": "less than"}
_VERSION = re.compile(r"(?P<how>>=|<=|!=|==|=|>|<|~|\^|)\s*v?(?P<version>\d[\w.+-]*)")


class NotCarried(UserError):
    """What cannot be said here, and the line of it."""

    def __init__(self, words: str, line: int) -> None:
        super().__init__(words)
        self.line = line


@dataclass(frozen=True)
class Claim:
    """One thing that must hold, or must not.

    Args:
        name: `equal`, `true`, `prefix`, `more than`, ...; `line ...` for what is looked for in each line of a text or
        each element of a list; `json` with the path in `at`. value: text, a number, or a tuple of texts.
    """

    name: str
    value: Any
    line: int
    holds: bool = True
    at: str = ""


#: Claims whose names alone say little of what a goss file holds.
WORDS = {
    "equal": "a value", "list": "a list", "set": "a set", "true": "true or false", "prefix": "a beginning",
    "suffix": "an end", "regexp": "a pattern", "substring": "a part", "one of": "one or another value",
    "more than": "a bound", "at least": "a bound", "less than": "a bound", "at most": "a bound",
    "nothing": "an empty text", "key": "a key", "version": "versions",
}  # fmt: skip


def in_words(claim: Claim) -> str:
    """Return what a claim is about, in words."""
    kind, _, name = claim.name.partition(" ") if claim.name.startswith(("line ", "json ")) else ("", "", claim.name)
    words = WORDS.get(name, name)
    return {"line": f"a list with {words} in it", "json": f"{words} in JSON"}.get(kind, words)


def claims(value: Value, reader: bool = False) -> list[Claim]:
    """Return what a matcher claims.

    Args:
        reader: the attribute is read line by line (contents, standard output, a body), so that a list is of patterns.
    Raises:
        NotCarried: it cannot be said as claims that all hold.
    """
    data = value.data
    if data is None:
        raise NotCarried("it is empty and asserts nothing", value.line)
    if isinstance(data, list):
        return _elements(value, reader)
    if isinstance(data, dict):
        return _matcher(value, reader)
    if isinstance(data, bool):
        return [Claim("true", None, value.line, holds=data)]
    return [Claim("equal", data, value.line)]


def _elements(value: Value, reader: bool) -> list[Claim]:
    if not value.data:
        raise NotCarried("it is empty and asserts nothing", value.line)
    found: list[Claim] = []
    for each in value.data:
        is_pattern = reader and isinstance(each.data, str)
        found += _each(lambda each: [_pattern(each)], each) if is_pattern else _each(_element, each)
    return found


def _each(claimed: Callable[[Value], list[Claim]], value: Value) -> list[Claim]:
    """Return the claims of one of several that must all hold: where it cannot be said, the others still can."""
    try:
        return claimed(value)
    except NotCarried as refused:
        return [Claim(REFUSED, str(refused), refused.line)]


def _whole(found: list[Claim]) -> list[Claim]:
    """Return claims of which each is needed. Raises NotCarried where one cannot be said."""
    for claim in found:
        if claim.name == REFUSED:
            raise NotCarried(claim.value, claim.line)
    return found


def _element(value: Value) -> list[Claim]:
    """Return the claims of one element that must be there: of several about one element nothing can be said."""
    inside = _whole(claims(value))
    if len(inside) != 1:
        raise NotCarried("several matchers about one element", value.line)
    if not inside[0].holds:
        raise NotCarried("an element that is not so", value.line)
    return [replace(inside[0], name=f"line {inside[0].name}")]


def _pattern(value: Value) -> Claim:
    r"""Return the claim of a pattern of a text's lines: `text`, `!text`, `/regexp/`, `!/regexp/`, `\!text`."""
    text = value.data
    holds = not text.startswith("!")
    text = text if holds else text[1:]
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        return Claim("line regexp", text[1:-1], value.line, holds)
    if text.startswith(("\\!", "\\/")):
        text = text[1:]
    return Claim("substring" if text else "nothing", text, value.line, holds)


def _matcher(value: Value, reader: bool) -> list[Claim]:
    if len(value.data) != 1:
        raise NotCarried(f"a matcher has one key, and here are {len(value.data)}", value.line)
    [(name, inside)] = value.data.items()
    if name in STRUCTURED:
        return STRUCTURED[name](inside, reader)
    if name not in PLAIN:
        raise NotCarried(f"the matcher {clean(name, 40)} is not known", value.line)
    if isinstance(inside.data, dict):
        raise NotCarried(f"{name} with a matcher inside", inside.line)
    if isinstance(inside.data, list):
        if name != "equal":
            raise NotCarried(f"{name} with a list", inside.line)
        return [Claim("list", tuple(_text(each) for each in inside.data), inside.line)]
    if isinstance(inside.data, bool):
        return [Claim("true", None, inside.line, holds=inside.data)]
    if name == "semver-constraint":
        return versions(str(inside.data), inside.line)
    return [Claim(PLAIN[name], inside.data, inside.line)]


def _and(value: Value, reader: bool) -> list[Claim]:
    return [claim for each in _several(value, "and") for claim in _each(lambda each: claims(each, reader), each)]


def _or(value: Value, reader: bool) -> list[Claim]:
    """Return an `or` of plain values as one claim; any other has no sentence."""
    found = [_whole(claims(each, reader)) for each in _several(value, "or")]
    if len(found) == 1:
        return found[0]
    plain = [each[0] for each in found if len(each) == 1 and each[0].name == "equal" and each[0].holds]
    if len(plain) < len(found):
        raise NotCarried("or: there is no sentence for one or another", value.line)
    return [Claim("one of", tuple(str(each.value) for each in plain), value.line)]


def _not(value: Value, reader: bool) -> list[Claim]:
    if isinstance(value.data, dict) and set(value.data) == {"or"}:  # none of them
        return [claim for each in _several(value.data["or"], "or") for claim in _not(each, reader)]
    found = _whole(claims(value, reader))
    if len(found) != 1:
        raise NotCarried("not: of several claims, that not all of them hold cannot be said", value.line)
    return [replace(found[0], holds=not found[0].holds)]


def _contain(value: Value, reader: bool) -> list[Claim]:
    return _element(value)


def _contains(value: Value, reader: bool) -> list[Claim]:
    return [claim for each in _several(value, "contain-elements") for claim in _each(_element, each)]


def _consist(value: Value, reader: bool) -> list[Claim]:
    items = _several(value, "consist-of")
    if any(isinstance(each.data, dict | list) for each in items):
        raise NotCarried("consist-of with matchers inside", value.line)
    return [Claim("set", tuple(_text(each) for each in items), value.line)]


def _gjson(value: Value, reader: bool) -> list[Claim]:
    if not isinstance(value.data, dict):
        raise NotCarried("gjson is no map of paths", value.line)
    found = list[Claim]()
    for at, each in value.data.items():
        found += _each(partial(_at_path, at), each)
    return found


def _at_path(at: str, each: Value) -> list[Claim]:
    """Return what is claimed of what stands at one path of JSON."""
    counts = at.endswith(".#") or at == "#"
    path = at.removesuffix("#").removesuffix(".") if counts else at
    path = "." if path in ("", "@this") else path
    if path != "." and (any(character in path for character in "#@|*?{}[]!~:") or path.endswith(".")):
        raise NotCarried(f"the path {clean(at, 80)} goes beyond keys, places and a last #", each.line)
    found = []
    for claim in claims(each):
        if claim.name == REFUSED:
            found.append(claim)
            continue
        if counts and (claim.name not in (*OPPOSITE, "equal") or not claim.holds):
            raise NotCarried(f"{clean(at, 80)}: {claim.name} of a number of values", each.line)
        name, how = "count" if counts else claim.name, {"equal": "exactly"}.get(claim.name, claim.name)
        made = (how, claim.value) if counts else claim.value
        found.append(Claim(f"json {name}", made, claim.line, claim.holds, path))
    return found


def _patterns(value: Value, reader: bool) -> list[Claim]:
    return [claim for each in _several(value, "have-patterns") for claim in _each(lambda each: [_pattern(each)], each)]


def _several(value: Value, name: str) -> list[Value]:
    if not isinstance(value.data, list) or not value.data:
        raise NotCarried(f"{name} is no list, or an empty one, which asserts nothing", value.line)
    return value.data


def _text(value: Value) -> str:
    return str(value.data)


STRUCTURED: dict[str, Callable[[Value, bool], list[Claim]]] = {
    "and": _and, "or": _or, "not": _not, "contain-element": _contain, "contain-elements": _contains,
    "consist-of": _consist, "gjson": _gjson, "have-patterns": _patterns,
}  # fmt: skip


def versions(text: str, line: int) -> list[Claim]:
    """Return the claims of a range of semantic versions: `>=1.22.0 <2.0.0`, `^1.2`, `~1.2.3`.

    Raises:
        NotCarried: it has alternatives (`||`) or what is no version.
    """
    if "||" in text:
        raise NotCarried(f"the versions {clean(text, 80)!r}: there is no sentence for one range or another", line)
    rest, found = text.replace(",", " ").strip(), list[Claim]()
    while rest:
        part = _VERSION.match(rest)
        if part is None or part["version"].lower().endswith((".x", ".*")):
            words = f"{clean(rest, 40)!r} is no version with its bound"
            raise NotCarried(f"the versions {clean(text, 80)!r}: {words}", line)
        found += _range(part["how"], part["version"], line)
        rest = rest[part.end() :].strip()
    return found


def _range(how: str, version: str, line: int) -> list[Claim]:
    if how in ("^", "~"):
        numbers = [int(number) for number in re.findall(r"\d+", version.partition("-")[0])]
        place = next((index for index, number in enumerate(numbers) if number), 0) if how == "^" else 1
        place = min(place, len(numbers) - 1)
        above = [*numbers[:place], numbers[place] + 1]
        bound = ".".join(map(str, above)) + ".0" * max(0, 3 - len(above))
        return [Claim("version at least", version, line), Claim("version less than", bound, line)]
    names = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}
    if how in names:
        return [Claim(f"version {names[how]}", version, line)]
    return [Claim("version exactly", version, line, holds=how != "!=")]
