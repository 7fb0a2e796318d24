"""The base of values on the plugin program's path: what `dataclass(frozen=True)` gives, without its import.

`dataclasses` imports `re` and `inspect`, which cost more than a whole check. Fields are the annotated names of a class
and of its bases, in order, as with dataclasses; type checkers are told so by `dataclass_transform`. A record is never
changed after it is made.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> object:
        return lambda decorated: decorated


@dataclass_transform(frozen_default=True)
class Record:
    """A value with named fields: made by position or keyword, compared, hashed and shown by them."""

    _fields: tuple[str, ...] = ()
    _count = 0
    #: Those of the fields that have no default; as many values by position give them all.
    _required: tuple[str, ...] = ()
    _enough = 0
    #: Whether the class looks at its values once they are there.
    _looks: bool = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # A hint is text where the module has `from __future__ import annotations`, and the type itself elsewhere.
        own = [name for name, hint in cls.__annotations__.items() if "ClassVar" not in str(hint)]
        cls._fields = (*(name for name in cls._fields if name not in own), *own)
        cls._count = len(cls._fields)
        cls._required = tuple([name for name in cls._fields if not hasattr(cls, name)])
        cls._enough = cls._fields.index(cls._required[-1]) + 1 if cls._required else 0
        cls._looks = cls.__post_init__ is not Record.__post_init__

    def __init__(self, *values: Any, **named: Any) -> None:
        # A check of a hundred sentences makes a thousand records: each call in here counts.
        fields, own = self._fields, self.__dict__
        if values:
            own.update(zip(fields, values))  # noqa: B905 - fewer values than fields is usual
            if values[self._count :]:
                raise TypeError(f"{type(self).__name__} takes {len(fields)} values, not {len(values)}")
        if named:
            for name in named:
                if name in own or name not in fields:
                    raise TypeError(f"{type(self).__name__}: {name!r} is an unknown field, or one given twice")
            own.update(named)
        if not values[self._enough - 1 :]:  # fewer than that
            for name in self._required:
                if name not in own:
                    raise TypeError(f"{type(self).__name__} needs {name!r}")
        if self._looks:
            self.__post_init__()

    def __post_init__(self) -> None:
        """Look at the values once they are all there; for subclasses."""

    def values(self) -> tuple[Any, ...]:
        """Return the values of all fields, in order."""
        return tuple([getattr(self, name) for name in self._fields])  # quicker than a generator

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.values() == other.values()

    def __hash__(self) -> int:
        return hash((type(self), *self.values()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self.values(), strict=True))
        return f"{type(self).__name__}({inside})"

    def changed(self, **changes: Any) -> Self:
        """Return a copy with these fields changed."""
        return type(self)(**dict(zip(self._fields, self.values(), strict=True)) | changes)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, in order."""
        return dict(zip(self._fields, self.values(), strict=True))


if TYPE_CHECKING:
    from functools import cached_property

    derived = cached_property
else:

    class derived:
        """A property of a record that follows from its fields: worked out when first asked for, then kept."""

        def __init__(self, make: object) -> None:
            self.make = make

        def __set_name__(self, owner: type, name: str) -> None:
            self.name = name

        def __get__(self, record: object, owner: type) -> object:
            if record is None:
                return self
            value = record.__dict__[self.name] = self.make(record)
            return value


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
