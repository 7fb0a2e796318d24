"""A mapping from a stack file or a command line made into a plugin's own options: a class of them in its file.

Each field's type hint says what is allowed. Mostly it is a frozen dataclass, where
`field(metadata={"description": ..., "dimension": "time"})` says the rest; on the plugin program's path, where
dataclasses are too dear, a Record with `option(default, description, ...)`.
"""

from __future__ import annotations

from functools import cache

from infratest.errors import UserError
from infratest.record import Record
from infratest.units import quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    T = TypeVar("T")

NONE = type(None)
#: Type hints of a Record's fields, which nobody evaluates.
HINTS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "None": NONE}
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list"}


class Option:
    """The default of a Record's field, and what else must be known of it. A record without a value shows the default.

    Args:
        choices: the only texts allowed, where there are such. dimension: of `units.quantity`, as `time`.
    """

    def __init__(self, default: Any, description: str, choices: tuple[str, ...], dimension: str | None) -> None:
        self.default = default
        self.description = description
        self.choices = choices
        self.dimension = dimension

    def __get__(self, record: Record | None, kind: type[Record]) -> Any:
        return self if record is None else self.default


def option(default: Any, description: str, choices: tuple[str, ...] = (), dimension: str | None = None) -> Any:
    """Return the default of a field in a Record of options; the arguments are those of Option."""
    return Option(default, description, choices, dimension)


class Field(Record):
    """What is known of one option: its kinds are types, or a tuple of the only texts allowed."""

    name: str
    kinds: tuple[Any, ...]
    dimension: str | None
    description: str
    required: bool


def build(options: type[T], given: Mapping[str, Any], what: str) -> T:
    """Return the options from a mapping.

    Args:
        options: their class; keys are its field names with hyphens for underscores. given: what the user wrote.
        what: where it was written, for the message, as `stack.yaml:3: provider container`.
    Raises:
        UserError: an unknown key (with the nearest), a missing one, or a value of another type.
    """
    known = fields(options)
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            from infratest.errors import unknown

            raise UserError(f"{what}: {unknown('key', str(key), sorted(known))}")
        values[known[key].name] = _value(value, known[key], f"{what}: {key}")
    for key, field in known.items():
        if field.required and field.name not in values:
            raise UserError(f"{what}: {key} is missing ({field.description or 'required'})")
    return options(**values)


def fields(options: type[Any]) -> dict[str, Field]:
    """Return what is known of each option of a class of options, by its key in a stack file."""
    kind: Any = options
    return _of_record(kind) if issubclass(kind, Record) else _of_dataclass(kind)


@cache
def _of_record(options: type[Record]) -> dict[str, Field]:
    found = {}
    for name, hint in options.__annotations__.items():
        said = vars(options)[name]
        kinds = (said.choices,) if said.choices else tuple(HINTS[word] for word in hint.split(" | "))
        found[name.replace("_", "-")] = Field(name, kinds, said.dimension, said.description, False)
    return found


@cache
def _of_dataclass(options: Any) -> dict[str, Field]:
    import dataclasses
    import types
    import typing

    hints = typing.get_type_hints(options)
    found = {}
    for field in dataclasses.fields(options):
        hint = hints[field.name]
        kinds = []
        for kind in typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,):
            origin = typing.get_origin(kind) or kind
            kinds.append(typing.get_args(kind) if origin is typing.Literal else origin)
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        about = field.metadata
        found[field.name.replace("_", "-")] = Field(
            field.name, tuple(kinds), about.get("dimension"), about.get("description", ""), required
        )
    return found


def _value(value: Any, field: Field, what: str) -> Any:
    if field.dimension is not None and isinstance(value, str):
        number = quantity(value, field.dimension, what)
        return int(number) if int in field.kinds else number
    for kind in field.kinds:
        if isinstance(kind, tuple):
            if value in kind:
                return value
        elif kind is tuple and isinstance(value, list):
            return tuple(value)
        elif kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        elif kind is not NONE and isinstance(value, kind) and (kind is bool) == isinstance(value, bool):
            return value
    expected = " or ".join(_words(kind) for kind in field.kinds if kind is not NONE)
    raise UserError(f"{what}: expected {expected}, found {value!r}")


def _words(kind: Any) -> str:
    if isinstance(kind, tuple):
        return " or ".join(repr(value) for value in kind)
    return WORDS.get(kind) or str(kind.__name__).lower()
