"""Text in JSON, YAML, TOML, INI, XML or CSV as a value, and what stands in it at a path. Loaded when a sentence asks.

What cannot be read without a doubt is refused, with its line: keys that are there twice, numbers that are none, XML
entities, rows of another length than their head. A path goes by keys with dots between them and by places in brackets
(`db.hosts[0].name`, `[-1]` is the last; `hosts.0` does as well); `\\.` is a dot of a key, and `.` alone is the whole.
Of XML it is an XPath as ElementTree knows it, namespaces left out: `/server/Service/@name`, `//port[@tls='yes']`. One
that does not begin with a slash may begin with the root or below it: `server/Service`, `Service`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from infratest.cleaning import literal
from infratest.errors import FactError, UserError
from infratest.numeral import Doubtful, Numeral, SeveralWays, whole

#: What a text may hold that is empty: blanks, ends of lines, a mark of byte order.
BLANKS = " \t\r\n\f\ufeff"


class Matches(list[str]):
    """What an XPath leads to: one or more texts."""


class Each(str):
    """Of a path, each in a list or a map: `*` alone between dots or in brackets. A key called so is written `\\*`."""


class Absent(Exception):
    """There is nothing at a path; its words say how far it leads."""


def checked_format(name: str, path: str = "") -> str:
    """Return the format that a sentence names, or that a file's name says.

    Raises:
        UserError: it is none of PARSERS, or the file's name says none.
    """
    if name:
        if name not in PARSERS:
            raise UserError(f"the format {name!r}: known are {', '.join(PARSERS)}")
        return name
    _, dot, ending = path.rpartition("/")[2].lower().rpartition(".")
    ending = ending if dot else ""
    found = {"yml": "YAML"}.get(ending, ending.upper())
    if found not in PARSERS:
        raise UserError(
            f'the file "{path}" does not say its format by its name; write it, as `the file "{path}" as INI has ...`:'
            f" known are {', '.join(PARSERS)}"
        )
    return found


def checked_path(at: str, form: str, of_each: bool = False) -> str:
    """Return a path as it is. Raises UserError where it cannot be one in this format.

    Args:
        of_each: whether it may lead to several values.
    """
    if form == "XML":
        _found(Element("document"), at)
    elif any(isinstance(step, Each) for step in steps(at)) and not of_each:
        raise UserError(
            f"the path {at!r} leads to several values by its *: say what each is, as `has every "
            f'"{at}" equal to "yes"`, or how many are so, as `has exactly 0 "{at}" equal to "yes"`; '
            "a key that is called * is written \\*"
        )
    return at


@lru_cache(maxsize=256)
def steps(at: str) -> tuple[str | int, ...]:
    r"""Return the keys and places of a path.

    Raises:
        UserError: it is none: an empty key, a bracket that holds no whole number.
    """
    if at == ".":
        return ()
    made: list[str | int] = []
    key, left, begun, plain = "", at, False, True
    while left:
        first, left = left[0], left[1:]
        if first == "\\" and left[:1] in (".", "[", "]", "\\", "*"):
            key, left, begun, plain = key + left[0], left[1:], True, False
        elif first == "[":
            number, bracket, left = left.partition("]")
            whole = number == "*" or number.removeprefix("-").isdecimal()
            if not bracket or not whole or (left and left[0] not in ".["):
                raise UserError(f"the path {at!r}: in brackets stands a whole number, as in hosts[0].name, or *")
            place = Each(number) if number == "*" else int(number)
            made += [_key(key, plain), place] if begun else [place]
            key, begun, plain = "", False, True
            left = _after_dot(left, at)
        elif first == ".":
            if not begun:
                raise UserError(f"the path {at!r} has an empty key; a dot of a key is written \\.")
            made, key, begun, plain = [*made, _key(key, plain)], "", False, True
            if not left:
                raise UserError(f"the path {at!r} ends in a dot; a dot of a key is written \\.")
        else:
            key, begun = key + first, True
    if not begun and not made:
        raise UserError(f"the path {at!r} is empty; . is the whole")
    return (*made, _key(key, plain)) if begun else tuple(made)


def _key(key: str, plain: bool) -> str:
    return Each(key) if plain and key == "*" else key


def _after_dot(left: str, at: str) -> str:
    if left == ".":
        raise UserError(f"the path {at!r} ends in a dot; a dot of a key is written \\.")
    return left.removeprefix(".")


def value_at(text: str, form: str, at: str) -> Any:
    """Return what stands at a path: text, a number, a truth value, None, a date, a list, a mapping, or Matches.

    Raises:
        Absent: nothing does. FactError: the text is not readable in this format.
    """
    value = parsed(text, form)
    if isinstance(value, Element):
        found = _found(value, at)
        if not found:
            raise Absent("no element or attribute is there")
        return Matches(found)
    way = ""
    for step in steps(at):
        value = step_into(value, step, way)
        way += f"[{step}]" if isinstance(step, int) else f".{step}" if way else step
    return value


def step_into(value: Any, step: str | int, way: str) -> Any:
    where = literal(way) if way else "the whole"
    if isinstance(value, list):
        place = step if isinstance(step, int) else int(step) if step.isdecimal() else None
        if place is None:
            raise Absent(f"{where} is a list of {len(value)}, which has no keys")
        if not -len(value) <= place < len(value):
            raise Absent(f"{where} is a list of {len(value)}")
        return value[place]
    if not isinstance(value, Mapping):
        raise Absent(f"{where} is {described(value)}")
    if isinstance(step, str):
        if step in value:
            return value[step]
        for key in value:  # of YAML: numbers, truth values
            if not isinstance(key, str) and written(key) == step:
                return value[key]
    raise Absent(f"{where} has no key {step!r}, but {_keys(value)}")


def _keys(value: Mapping[Any, Any]) -> str:
    names = [literal(written(key), 40) for key in list(value)[:8]]
    return (", ".join(names) + (" ..." if len(value) > 8 else "")) or "none"


def _found(document: Element, at: str) -> list[str]:
    """Return the texts of what an XPath leads to. Raises UserError where it is none that is known."""
    path, attribute = at.removesuffix("/text()"), ""
    if path.rpartition("/")[2].startswith("@"):
        path, _, attribute = path.rpartition("/@") if "/@" in path else (".", "", path[1:])
    path = "." + path if path.startswith("/") else path or "."
    # As ElementTree has it a path begins below the root, whose name is left out; as XPath has it, with the root.
    for begin in (document, *document[: 0 if at.startswith("/") else 1]):
        try:
            elements = begin.findall(path)
        except (SyntaxError, KeyError, TypeError) as error:
            raise UserError(f"the path {at!r} is no XPath that ElementTree knows: {error}") from None
        if attribute:
            texts = [one.attrib[attribute] for one in elements if attribute in one.attrib]
        else:
            texts = ["".join(one.itertext()).strip() for one in elements]
        if texts:
            return texts
    return []


def described(value: Any) -> str:
    """Return a value in words, with its type: `the number 80`, `the text '80'`, `a list of 3`."""
    value = single(value)
    if isinstance(value, str) and not isinstance(value, Doubtful):
        return f"the text {literal(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"a map of {len(value)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"the number {written(value)}"
    return written(value)


def written(value: Any) -> str:
    """Return a value that is no list and no map as it is compared: true, null, 80, 2024-05-01."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, date | time):  # and date and time
        return value.isoformat()
    if isinstance(value, Numeral) and number_of(value) != number_of(float(value)):
        return value.text  # it has more digits than a float
    return str(value)


def single(value: Any) -> Any:
    """Return the one text that an XPath leads to; other values as they are."""
    return value[0] if isinstance(value, Matches) and len(value) == 1 else value


def is_plain(value: Any) -> bool:
    """Whether a value is no list and no map."""
    return not isinstance(value, list | Mapping)


def number_of(value: Any) -> Decimal | None:
    """Return the number that a value is, as itself or as text; None where it is none. Raises FactError: doubtful."""
    if isinstance(value, SeveralWays):
        return value.agreed(number_of)
    if isinstance(value, Doubtful) and value.may_be_number:
        raise FactError(value.why)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = value.text if isinstance(value, Numeral) else str(value).strip()
    if not text or not set(text) <= set("0123456789+-.eE"):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def equals(value: Any, text: str) -> bool:
    """Whether a value is what a text in a sentence says: a number as a number, all else as it is written.

    Raises:
        FactError: what the value is depends on who reads it.
    """
    if isinstance(value, Doubtful):
        return value.equals(text, equals)
    if isinstance(value, SeveralWays):
        return value.agreed(lambda way: written(way) == text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = number_of(text)
        return written(value) == text if number is None else number_of(value) == number
    return written(value) == text


def asked_of(value: Any, asked: Callable[[str], bool]) -> bool:
    """Return what is asked of a value as it is written. Raises FactError: its readers take it for different texts."""
    return value.agreed(asked) if isinstance(value, SeveralWays) else asked(written(value))


@lru_cache(maxsize=32)
def parsed(text: str, form: str) -> Any:
    """Return the value of a whole text; it must not be changed.

    Raises:
        FactError: it is not in this format, with the line.
    """
    if not text.strip(BLANKS):
        raise FactError(f"it is not readable as {form}: it is empty, as a file is that was cut short")
    try:
        return PARSERS[form](text)
    except RecursionError:
        raise FactError(f"it is not readable as {form}: it is nested deeper than can be read") from None
    except (_NoSuchFormat, ValueError) as error:
        raise FactError(f"it is not readable as {form}: {error}") from None


class _NoSuchFormat(Exception):
    """The text is not in the format; the words say why, and the line."""


def _json(text: str) -> Any:
    def constant(name: str) -> Any:
        raise _NoSuchFormat(f"{name} is no number of JSON")

    try:
        return json.loads(text, object_pairs_hook=_once, parse_float=Numeral, parse_int=whole, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise _NoSuchFormat(f"line {error.lineno}: {error.msg}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise _NoSuchFormat(f"the key {key!r} is there twice")
        made[key] = value
    return made


def _yaml(text: str) -> Any:
    from infratest.yaml_text import value_of

    return value_of(text)


def _toml(text: str) -> Any:
    from infratest.toml_text import value_of

    return value_of(text)


def _ini(text: str) -> Any:
    from infratest.ini_text import value_of

    return value_of(text)


def _xml(text: str) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text.encode("utf-8"))
    except ParseError as error:
        raise _NoSuchFormat(f"line {error.position[0]}: {str(error).partition(':')[0]}") from None
    except DefusedXmlException as error:
        raise _NoSuchFormat(f"it declares entities, which are not read: {error}") from None
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
        for name in [name for name in element.attrib if "}" in name]:
            element.attrib.setdefault(name.rpartition("}")[2], element.attrib[name])
    document = Element("document")
    document.append(root)
    return document


def _csv(text: str) -> list[dict[str, str]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = next(rows, [])
        if len(set(head)) < len(head):
            raise _NoSuchFormat("line 1: a column is there twice")
        if len(head) == 1 and (other := next((mark for mark in ";\t|" if mark in head[0]), "")):
            raise _NoSuchFormat(f"line 1: its fields are parted by {other!r}; only CSV with commas is read")
        made = []
        for row in rows:
            if row and len(row) != len(head):
                raise _NoSuchFormat(f"line {rows.line_num}: {len(row)} fields, where the first line names {len(head)}")
            if row:
                made.append(dict(zip(head, row, strict=True)))
    except csv.Error as error:
        raise _NoSuchFormat(f"line {rows.line_num}: {error}") from None
    return made


#: Formats as a sentence names them; a file's name ends in the same, in small letters (and yml).
PARSERS: dict[str, Callable[[str], Any]] = {
    "JSON": _json, "YAML": _yaml, "TOML": _toml, "INI": _ini, "XML": _xml, "CSV": _csv,
}  # fmt: skip
