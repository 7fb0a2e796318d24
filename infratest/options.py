"""A mapping from a stack file or a command line made into a plugin's own options: a frozen dataclass in its file.

Each field's type hint says what is allowed, `field(metadata={"description": ..., "dimension": "time"})` the rest.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from infratest.errors import UserError
from infratest.registry import unknown
from infratest.units import quantity

T = TypeVar("T")


def build(options: type[T], given: Mapping[str, Any], what: str) -> T:
    """Return the options dataclass from a mapping.

    Args:
        options: a dataclass; keys are its field names with hyphens for underscores. given: what the user wrote.
        what: where it was written, for the message, as `stack.yaml:3: provider container`.
    Raises:
        UserError: an unknown key (with the nearest), a missing one, or a value of another type.
    """
    fields = {field.name.replace("_", "-"): field for field in dataclasses.fields(typing.cast(Any, options))}
    hints = _hints(typing.cast(Any, options))
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in fields:
            raise UserError(f"{what}: {unknown('key', str(key), sorted(fields))}")
        field = fields[key]
        values[field.name] = _value(value, hints[field.name], field.metadata.get("dimension"), f"{what}: {key}")
    for key, field in fields.items():
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if missing and field.name not in values:
            raise UserError(f"{what}: {key} is missing ({field.metadata.get('description', 'required')})")
    return options(**values)


@functools.cache
def _hints(options: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(options)


def _value(value: Any, hint: Any, dimension: str | None, what: str) -> Any:
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if dimension is not None and isinstance(value, str):
        number = quantity(value, dimension, what)
        return int(number) if int in allowed else number
    for kind in allowed:
        origin = typing.get_origin(kind) or kind
        if origin is tuple and isinstance(value, list):
            return tuple(value)
        if origin is typing.Literal and value in typing.get_args(kind):
            return value
        if origin is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if inspectable(origin) and isinstance(value, origin) and (origin is bool) == isinstance(value, bool):
            return value
    expected = " or ".join(_words(kind) for kind in allowed if kind is not types.NoneType)
    raise UserError(f"{what}: expected {expected}, found {value!r}")


def inspectable(kind: Any) -> bool:
    return isinstance(kind, type) and kind is not types.NoneType


def _words(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(repr(value) for value in typing.get_args(kind))
    plain = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list"}
    return plain.get(typing.get_origin(kind) or kind, str(kind))
