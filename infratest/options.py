"""A mapping from a stack file or a command line made into a plugin's own options: a class of them in its file.

Each field's type hint says what is allowed. Mostly it is a frozen dataclass, where
`field(metadata={"description": ..., "dimension": "time"})` says the rest; on the plugin program's path, where
dataclasses are too dear, a Record with `record.option(default, description, ...)`. `option_schema.schema_of` makes a
JSON Schema of the same class. What may stand in `metadata`:

    description   what it is for, in a sentence
    title         what is allowed, as an error says it: `an image's name`; without it the type's own words
    dimension     of `units.quantity`, as time or size: text with a unit, and a number once it is read
    above         a quantity must be more than this
    pattern       a regular expression that its text matches
    low, high     the limits of a number, of a quantity in its base unit, or of each whole number in a list
    each          what is allowed in a list, as an error says it
    map           a class of options, which its map has
    unique        true: no entry of a list stands there twice, and their order says nothing
    secret        true: it is masked wherever it would be shown
    source        true: the path of a file here, relative to the stack file, that is read
    short         true: its value may stand alone, for the whole map
    shell         true: it goes to a shell as it is written, so that a parameter in it is quoted for a shell
    plugins       a kind: an entry of its list is a map of one name of that kind and its options, and may say `where`
    own           true: no two hosts have the same value, so that it cannot stand beside `count`
"""

from __future__ import annotations

from functools import cache

from infratest.errors import UserError
from infratest.record import Record
from infratest.units import BASE, human, quantity

#: Patterns of text that goes to a program: one word, which is none of its options; and one line, which is none.
WORD = r"^[^-\s\x00-\x1f\x7f][^\s\x00-\x1f\x7f]*$"
LINE = r"^[^-\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    T = TypeVar("T")

NONE = type(None)
#: Type hints of a Record's fields, which nobody evaluates.
HINTS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "None": NONE}
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list"}


class Field(Record):
    """What is known of one option.

    Args:
        kinds: types, or a tuple of the only texts allowed. items: the type of a list's entries, None where any may
        stand. default: its value where nobody gives one. about: the metadata, as the module says.
    """

    name: str
    kinds: tuple[Any, ...]
    items: Any
    required: bool
    default: Any
    about: Mapping[str, Any]

    @property
    def description(self) -> str:
        """What it is for."""
        return str(self.about.get("description", ""))

    @property
    def dimension(self) -> str | None:
        """Of `units.quantity`, None for what has no unit."""
        return self.about.get("dimension")


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
        values[known[key].name] = value_of(value, known[key], f"{what}: {key}")
    for key, field in known.items():
        if field.required and field.name not in values:
            raise UserError(f"{what}: {key} is missing ({field.description or 'required'})")
    return options(**values)


def spelled_out(options: type[Any], given: Any) -> Mapping[str, Any]:
    """Return options as a map, where the short form is a value alone."""
    short = next((key for key, field in fields(options).items() if field.about.get("short")), "")
    return dict(given) if hasattr(given, "items") else {short: given}


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
        about = {"description": said.description, "dimension": said.dimension}
        found[name.replace("_", "-")] = Field(name, kinds, None, False, said.default, about)
    return found


@cache
def _of_dataclass(options: Any) -> dict[str, Field]:
    import dataclasses
    import types
    import typing

    hints = typing.get_type_hints(options)
    found = {}
    for field in dataclasses.fields(options):
        hint, items = hints[field.name], None
        kinds = []
        for kind in typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,):
            origin = typing.get_origin(kind) or kind
            kinds.append(typing.get_args(kind) if origin is typing.Literal else origin)
            if origin is tuple:
                items = typing.get_args(kind)[0]
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        required = default is dataclasses.MISSING
        # `from` is a word of Python's own: the field is `from_`.
        found[field.name.removesuffix("_").replace("_", "-")] = Field(
            field.name, tuple(kinds), items, required, None if required else default, field.metadata
        )
    return found


def value_of(value: Any, field: Field, what: str) -> Any:
    """Return the value of one option as its plugin gets it: quantities as numbers, lists as tuples.

    Args:
        what: where it was written, for the message.
    Raises:
        UserError: it is of another type, or beyond a limit.
    """
    if field.dimension is not None and isinstance(value, str):
        number = _within(quantity(value, field.dimension, what), value, field, what)
        return int(number) if int in field.kinds else number
    if field.about.get("secret") and isinstance(value, str):
        from infratest.cleaning import Secret

        return Secret(value) if value else value
    for kind in field.kinds:
        if isinstance(kind, tuple):
            if value in kind:
                return value
        elif kind is tuple and isinstance(value, list | tuple):
            return tuple(_item(each, field.items, what) for each in value)
        elif kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(_within(value, value, field, what))
        elif kind is not NONE and isinstance(value, kind) and (kind is bool) == isinstance(value, bool):
            return _within(value, value, field, what) if kind in (int, float) else value
    expected = " or ".join(_words(kind) for kind in field.kinds if kind is not NONE)
    raise UserError(f"{what}: expected {expected}, found {value!r}")


def _within(number: float, value: Any, field: Field, what: str) -> float:
    """Return a number, refused beyond the limits of its option.

    Args:
        value: as it is written.
    """
    above, low, high = (field.about.get(name) for name in ("above", "low", "high"))
    if above is not None and number <= above:
        raise UserError(f"{what}: must be more than {'zero' if above == 0 else above}")
    # Not a number is neither less nor more than anything.
    if low is not None and not number >= low:
        raise UserError(f"{what}: found {value!r}, must be at least {limit(low, field.dimension)}")
    if high is not None and not number <= high:
        raise UserError(f"{what}: found {value!r}, must be at most {limit(high, field.dimension)}")
    return number


def limit(number: float, dimension: str | None) -> str:
    """Return a limit as a stack file has such values: `6MiB`."""
    return str(number) if dimension is None else human(number, BASE[dimension], 4).replace(" ", "")


def _item(value: Any, kind: Any, what: str) -> Any:
    plain = kind in (str, int)
    if plain and (not isinstance(value, kind) or isinstance(value, bool)):
        raise UserError(f"{what}: expected a list of {WORDS[kind]}, found {value!r} in it")
    return value


def _words(kind: Any) -> str:
    if isinstance(kind, tuple):
        return " or ".join(repr(value) for value in kind)
    return WORDS.get(kind) or str(kind.__name__).lower()
