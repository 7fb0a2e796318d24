"""The functions of goss' templates: those of Go, those of goss itself, and of Sprig those of texts, lists and numbers.

As documented at pkg.go.dev/text/template and masterminds.github.io/sprig; goss' own (mkSlice, getEnv, toLower, toUpper,
regexMatch) win. None reads a file, asks a host or draws a number: what those would say is not known while importing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError

#: Characters of a text, and values of a list, that a function may make.
LONGEST, MOST = 2**16, 1000


class Refused(UserError):
    """What a template cannot be filled with."""


def shown(value: Any) -> str:
    """Return a value as a message says it; of a list or a map no more than that it is one."""
    if isinstance(value, list):
        return "a list"
    return "a map" if isinstance(value, Mapping) else clean(repr(value), 40)


def is_true(value: Any) -> bool:
    """Return whether Go takes a value for true: anything but false, 0, nothing, and what is empty."""
    return bool(value)


def as_text(value: Any) -> str:
    """Return a value as a template writes it, in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, int | str):
        text = str(value)
        if "\n" not in text:
            return text
    raise Refused(f"{shown(value)} is no value of one line")


def _int(value: Any) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        raise Refused(f"{shown(value)} is no whole number") from None


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f"{shown(value)} is no whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(f"{shown(value)} is no text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Refused(f"{shown(value)} is no list")
    return value


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list | str) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            raise Refused(f"there is no {shown(key)} in {shown(value)}")
    return value


def _order(first: Any, second: Any) -> int:
    """Return -1, 0 or 1; Go compares values of one kind alone."""
    numbers = [isinstance(each, int | float) and not isinstance(each, bool) for each in (first, second)]
    if not all(numbers) and (type(first) is not type(second) or not isinstance(first, str | bool)):
        raise Refused(f"{shown(first)} and {shown(second)} cannot be compared")
    return int(first > second) - int(first < second)


def _equal(first: Any, *others: Any) -> bool:
    return any(each is first or (None not in (each, first) and _order(first, each) == 0) for each in others)


def _and(*values: Any) -> Any:
    return next((each for each in values if not is_true(each)), values[-1])


def _or(*values: Any) -> Any:
    return next((each for each in values if is_true(each)), values[-1])


def _regex_match(pattern: str, text: str) -> bool:
    from infratest.regular_expression import compiled

    return compiled(_text(pattern)).search(_text(text).encode()) is not None


def _printf(form: str, *values: Any) -> str:
    rest = list(values)

    def put(verb: re.Match[str]) -> str:
        if verb[0] == "%%":
            return "%"
        if not rest:
            raise Refused(f"{clean(form, 40)!r} has more places than there are values")
        value = rest.pop(0)
        if verb[0] == "%q":
            return f'"{as_text(value)}"'
        return f"%{verb[1]}d" % _number(value) if verb[2] == "d" else f"%{verb[1]}s" % as_text(value)

    made = re.sub(r"%(-?0?\d{0,3})([sdvq%])", put, _text(form))
    if rest:
        raise Refused(f"{clean(form, 40)!r} has less places than there are values")
    return made


def _repeat(count: Any, text: str) -> str:
    if _int(count) * len(_text(text)) > LONGEST:
        raise Refused(f"a text of more than {LONGEST} characters")
    return text * max(0, _int(count))


def _replace(old: str, new: str, text: str) -> str:
    if len(_text(text)) + _text(text).count(_text(old)) * len(_text(new)) > LONGEST:
        raise Refused(f"a text of more than {LONGEST} characters")
    return text.replace(old, new)


def _until(count: Any) -> list[int]:
    if _int(count) > MOST:
        raise Refused(f"a list of more than {MOST} values")
    return list(range(_int(count)))


def _quoted(mark: str) -> Callable[..., str]:
    return lambda *values: " ".join(f"{mark}{as_text(each)}{mark}" for each in values if each is not None)


def _joined(between: str, values: Any) -> str:
    return _text(between).join(as_text(each) for each in _list(values))


def _split(between: str, text: str) -> list[str]:
    return _text(text).split(_text(between)) if between else list(_text(text))


def _environment(name: str, *other: str) -> str:
    return os.environ.get(_text(name), "") or (other[0] if other else "")


#: Name -> how many arguments it takes, at least and at most, and what it makes of them.
_ANY = MOST
_TABLE: Mapping[str, tuple[int, int, Callable[..., Any]]] = {
    "mkSlice": (0, _ANY, lambda *values: list(values)), "list": (0, _ANY, lambda *values: list(values)),
    "getEnv": (1, 2, _environment), "env": (1, 1, _environment), "regexMatch": (2, 2, _regex_match),
    **dict.fromkeys(("toLower", "lower"), (1, 1, lambda text: _text(text).lower())),
    **dict.fromkeys(("toUpper", "upper"), (1, 1, lambda text: _text(text).upper())),
    "trim": (1, 1, lambda text: _text(text).strip()),
    "trimAll": (2, 2, lambda cut, text: _text(text).strip(_text(cut))),
    "trimPrefix": (2, 2, lambda cut, text: _text(text).removeprefix(_text(cut))),
    "trimSuffix": (2, 2, lambda cut, text: _text(text).removesuffix(_text(cut))),
    "hasPrefix": (2, 2, lambda part, text: _text(text).startswith(_text(part))),
    "hasSuffix": (2, 2, lambda part, text: _text(text).endswith(_text(part))),
    "contains": (2, 2, lambda part, text: _text(part) in _text(text)),
    "replace": (3, 3, _replace),
    "repeat": (2, 2, _repeat), "quote": (0, _ANY, _quoted('"')), "squote": (0, _ANY, _quoted("'")),
    "join": (2, 2, _joined), "splitList": (2, 2, _split), "toString": (1, 1, as_text),
    "has": (2, 2, lambda value, values: value in _list(values)), "until": (1, 1, _until),
    "first": (1, 1, lambda values: _list(values)[0] if values else None),
    "last": (1, 1, lambda values: _list(values)[-1] if values else None),
    "keys": (1, 1, lambda values: sorted(values) if isinstance(values, Mapping) else _list(values)),
    "hasKey": (2, 2, lambda values, key: isinstance(values, Mapping) and key in values),
    "get": (2, 2, lambda values, key: values.get(key, "") if isinstance(values, Mapping) else _list(values)),
    "default": (2, 2, lambda other, value: value if is_true(value) else other),
    "coalesce": (1, _ANY, _or), "empty": (1, 1, lambda value: not is_true(value)),
    "ternary": (3, 3, lambda first, second, value: first if value is True else second),
    "int": (1, 1, _int), "add": (1, _ANY, lambda *values: sum(_int(each) for each in values)),
    "sub": (2, 2, lambda first, second: _int(first) - _int(second)),
    "mul": (2, 2, lambda first, second: _int(first) * _int(second)),
    "index": (1, _ANY, _index), "len": (1, 1, lambda value: len(value)), "printf": (1, _ANY, _printf),
    "eq": (2, _ANY, _equal), "ne": (2, 2, lambda first, second: not _equal(first, second)),
    "lt": (2, 2, lambda first, second: _order(first, second) < 0),
    "le": (2, 2, lambda first, second: _order(first, second) <= 0),
    "gt": (2, 2, lambda first, second: _order(first, second) > 0),
    "ge": (2, 2, lambda first, second: _order(first, second) >= 0),
    "and": (1, _ANY, _and), "or": (1, _ANY, _or), "not": (1, 1, lambda value: not is_true(value)),
}  # fmt: skip


def _called(name: str, values: Sequence[Any]) -> Any:
    least, most, call = _TABLE[name]
    if not least <= len(values) <= most:
        raise Refused(f"{name} takes {least if least == most else f'at least {least}'} values, not {len(values)}")
    try:
        value = call(*values)
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise Refused(f"{name} cannot take {', '.join(map(shown, values[:5]))}") from None
    if isinstance(value, str) and len(value) > LONGEST:
        raise Refused(f"{name} makes a text of more than {LONGEST} characters")
    return value


FUNCTIONS: Mapping[str, Callable[[str, Sequence[Any]], Any]] = dict.fromkeys(_TABLE, _called)
