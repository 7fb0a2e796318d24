"""Values of `alerting` as JSON and back, by their own fields: what is added to one of them is kept without a word here.

A field that has its default is left out, and one that is not there has its default, so that what an earlier version
wrote is read by a later one. A value without fields of its own (a number, a text) is itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from infratest.errors import StoreDamaged

Value = TypeVar("Value")
Reading = Callable[[Any], Any]
#: Types whose values JSON has, too.
_THEMSELVES = frozenset((type(None), str, float, int, bool))
#: What JSON can say, in one line: made once, as `json.dumps` makes an encoder with each call.
as_json = json.JSONEncoder(separators=(",", ":")).encode
as_sorted_json = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def written(value: Any) -> str:
    """Return a value as one line of JSON."""
    return as_json(_plain(value))


def read(kind: type[Value], text: str) -> Value:
    """Return the value of a class that `written` wrote.

    Raises:
        StoreDamaged: it is none.
    """
    try:
        which: Any = kind
        made = _reading(which)(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreDamaged(f"store: what is kept as a {kind.__name__} is none: {text[:80]!r} ({error})") from None
    if not isinstance(made, kind):
        raise StoreDamaged(f"store: what is kept as a {kind.__name__} is none: {text[:80]!r}")
    return made


def storable(text: str) -> str:
    """Return text without what no database takes: halves of surrogate pairs, and NUL, which PostgreSQL refuses."""
    if "\0" in text:
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _plain(value: Any) -> Any:
    if type(value) in _THEMSELVES:
        return value
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(value)
    plain = {}
    kind: Any = type(value)
    for name, default in _defaults(kind):
        its = getattr(value, name)
        if its is not default and its != default:
            plain[name] = _plain(its)
    return plain


@lru_cache(maxsize=64)
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((each.name, _default(each)) for each in fields(kind))


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


@lru_cache(maxsize=256)
def _reading(hint: Any) -> Reading:
    """Return the function that makes what a type says of what JSON gives."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return _of_class(hint)
    if origin in (Union, UnionType):
        return _of_union(arguments)
    if origin is tuple and arguments[-1:] == (...,):
        each = _reading(arguments[0])
        return lambda data: tuple([each(one) for one in data])
    if origin is frozenset:
        return frozenset
    if hint is float:
        return float
    if hint in (int, str, bool):
        return lambda data: _of(hint, data)
    raise TypeError(f"a field of type {hint} cannot be kept")


def _of(kind: type, data: Any) -> Any:
    if type(data) is not kind:
        raise TypeError(f"{data!r} is no {kind.__name__}")
    return data


def _of_class(kind: Any) -> Reading:
    hints = get_type_hints(kind)
    readings = {each.name: _reading(hints[each.name]) for each in fields(kind)}

    def make(data: Any) -> Any:
        return kind(**{name: readings[name](its) for name, its in data.items()})

    return make


def _of_union(kinds: tuple[Any, ...]) -> Reading:
    """Return the reading of a value that may be missing, or of one of several classes: the one with these fields."""
    some = [kind for kind in kinds if kind is not type(None)]
    if len(some) == 1:
        one = _reading(some[0])
        return lambda data: None if data is None else one(data)
    by_fields = [(frozenset(each.name for each in fields(kind)), _reading(kind)) for kind in some]

    def make(data: Any) -> Any:
        for names, reading in by_fields:
            if names.issuperset(data):
                return reading(data)
        raise TypeError(f"no class has the fields {sorted(data)}")

    return make
