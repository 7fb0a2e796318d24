"""The fact `unit-property`: any property of a systemd unit. Arguments: a unit's full name, a property's name.

As `systemctl show` has it, which is what holds: unit files, drop-ins and what was set since, together. One systemctl
for all units and all properties. Which properties there are depends on the kind of the unit and on systemd's version
(org.freedesktop.systemd1(5)); one that a unit does not have is shown by no line.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts import _systemctl, _systemd
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Of every unit, whatever is asked.
ALWAYS = ("Id", "LoadState", "LoadError", "ActiveState", "SubState")

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class UnitProperty(Record):
    """A property of a systemd unit.

    Args:
        written: as systemctl writes them, one for each time that it is set; None where the unit has no such property.
        now: the host's clock, in seconds since the epoch. error: why the unit's file could not be loaded.
    """

    id: str
    load: str
    active: str
    sub: str
    name: str
    written: tuple[str, ...] | None
    now: int = 0
    error: str = ""

    @property
    def text(self) -> str:
        """Its value as one text; more values stand in lines."""
        return "\n".join(self.written or ())

    @property
    def running(self) -> bool:
        return self.active in ("active", "reloading", "refreshing")

    def in_words(self) -> str:
        state = f"{self.id}: {self.load}, {self.active} ({self.sub})"
        return f"{state}, {f'{self.name}={self.text}' if self.written is not None else f'no property {self.name}'}"


# Two words for each: the unit, and the property.
SNIPPET = (
    _systemctl.NOW
    + r"""
asked=ALWAYS left=$#
while [ "$left" -gt 0 ]; do
  unit=$1 asked=$asked,$2 left=$((left - 2))
  shift 2
  set -- "$@" "$unit"
done
systemctl show --no-pager --all -p "$asked" -- "$@"
""".replace("ALWAYS", ",".join(ALWAYS))
)


def property_name(name: str) -> str:
    """Return the name of a property.

    Raises:
        UserError: none can have that name.
    """
    if not name or not set(name) <= _NAME:
        raise UserError(f"{cited(name, 80)} is not the name of a property: letters and digits, as MemoryMax")
    return name


class UnitPropertyFact(LooksForEach):
    """Properties of units."""

    def snippet(self) -> str:
        return _systemd.SNIPPET + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        unit, name = argument
        return _systemd.full_name((unit,)), property_name(name)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        now, rows = _systemctl.shown_rows(self.readable(answer).out)
        names = [argument[-1] for argument in arguments]
        shown = _systemctl.blocks(rows, (*ALWAYS, *names))
        if len(shown) != len(arguments):
            raise FactError(f"systemctl was asked for {len(arguments)} units and showed {len(shown)}")
        return {argument: _property(block, argument[-1], now) for argument, block in zip(arguments, shown, strict=True)}


def _property(block: _systemctl.Block, name: str, now: int) -> UnitProperty:
    load, active, sub = (_systemctl.only(block, key) for key in ("LoadState", "ActiveState", "SubState"))
    written = tuple(block[name]) if name in block else None
    unit, error = _systemctl.only(block, "Id"), _systemctl.error_words(block)
    return UnitProperty(unit, load, active, sub, name, written, now, error)
