"""What can be said of any systemd unit: its properties, as `systemctl show` has them and whether its files are valid.

A property is what holds now: unit files, drop-ins and what was set since, together. What a unit does not have can be
neither equal nor unequal to anything: then neither the claim nor its negation is met.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, choices, in_quotes
from infratest.cleaning import clean, masked
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.unit_property import UnitProperty
    from infratest.facts.unit_verification import UnitVerification

#: Units of memory as unit files write them, and systemctl does not: systemd.resource-control(5).
SIZES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}

#: Characters of a property's value that are shown.
SHOWN = 200


class _OfProperty(Check):
    property: str
    unit: str

    def __post_init__(self) -> None:
        self.asked  # noqa: B018 - names that nothing can have are refused before anything is asked

    @derived
    def asked(self) -> Need[UnitProperty]:
        from infratest.facts._systemd import unit_name
        from infratest.facts.unit_property import property_name

        return Need("unit-property", (unit_name(self.unit), property_name(self.property)))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @derived
    def subject(self) -> str:
        return f'the property "{self.property}" of the unit "{self.unit}"'

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        if seen.load == "not-found" and not seen.running:
            return Seen(holds=False, saw=f"{self.subject}: systemd knows no unit {seen.id}", absent=True)
        if seen.written is None:
            return Seen(holds=False, saw=f"{self.subject}: {seen.id} has no such property", absent=True)
        return self.look(seen.text)

    @abstractmethod
    def look(self, text: str) -> Seen:
        """Return what is seen in the property's value."""

    def words(self, text: str) -> str:
        text = masked(text)  # whole: part of a secret would not be known as one
        cut = "..." if len(text) > SHOWN else ""
        return f"{self.subject} is {in_quotes(text[:SHOWN] + cut)}"


@check(
    'the property "{property}" of the unit "{unit}" is "{value}"',
    negation='the property "{property}" of the unit "{unit}" is not "{value}"',
    example='the property "Restart" of the unit "nginx.service" is "on-failure"',
)
class PropertyIs(_OfProperty):
    """A property of a unit is this text, as `systemctl show` writes it; sizes may be as in unit files, `512M`."""

    value: str
    several: bool = False

    def look(self, text: str) -> Seen:
        values = choices(self.value) if self.several else (self.value,)
        return Seen(holds=any(text in (each, _in_bytes(each)) for each in values), saw=self.words(text))


@check(
    'the property "{property}" of the unit "{unit}" is one of "{values}"',
    negation='the property "{property}" of the unit "{unit}" is none of "{values}"',
    example='the property "Restart" of the unit "nginx.service" is one of "always, on-failure"',
)
def property_among(property: str, unit: str, values: str) -> PropertyIs:
    """A property of a unit is one of these texts, with commas between them."""
    return PropertyIs(property, unit, ", ".join(choices(values)), several=True)


@check(
    'the property "{property}" of the unit "{unit}" contains "{text}"',
    negation='the property "{property}" of the unit "{unit}" does not contain "{text}"',
    example='the property "After" of the unit "shop.service" contains "postgresql.service"',
)
class PropertyContains(_OfProperty):
    """The text occurs in a property of a unit, as it is written: it is no pattern."""

    text: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.text:
            raise UserError(f'{self.subject} contains "": every one does; write the text that is meant')

    def look(self, text: str) -> Seen:
        return Seen(holds=self.text in text, saw=self.words(text))


@check(
    'the property "{property}" of the unit "{unit}" matches "{pattern}"',
    negation='the property "{property}" of the unit "{unit}" does not match "{pattern}"',
    example='the property "ExecStart" of the unit "nginx.service" matches "path=/usr/s?bin/nginx "',
)
class PropertyMatches(_OfProperty):
    """A pattern of RE2 occurs in a property of a unit; `^` and `$` are its begin and end."""

    pattern: str

    def __post_init__(self) -> None:
        from infratest.regular_expression import compiled

        super().__post_init__()
        compiled(self.pattern)

    def look(self, text: str) -> Seen:
        from infratest.regular_expression import compiled

        return Seen(holds=compiled(self.pattern).search(text.encode()) is not None, saw=self.words(text))


@check(
    'the property "{property}" of the unit "{unit}" is {bound:count}',
    example='the property "NRestarts" of the unit "nginx.service" is at most 3',
)
class PropertyNumber(_OfProperty):
    """A property of a unit that is a number."""

    def look(self, text: str) -> Seen:
        if not text.isdecimal():
            return Seen(holds=False, saw=f"{self.words(text)}, which is no number")
        return Seen(holds=True, saw=self.words(text), number=int(text))

    def measure(self) -> Measure:
        return Measure(label=f"unit {self.unit} {self.property}", minimum=0)


@check(
    'the property "{property}" of the unit "{unit}" is {bound:size} in size',
    example='the property "MemoryMax" of the unit "nginx.service" is at most 512 MiB in size',
)
class PropertySize(_OfProperty):
    """A property of a unit that is a size in bytes; `infinity` is none, and meets no bound."""

    def look(self, text: str) -> Seen:
        if not text.isdecimal():
            return Seen(holds=False, saw=f"{self.words(text)}, which is no size")
        return Seen(holds=True, saw=f"{self.words(text)} ({human(int(text), 'B')})", number=int(text))

    def measure(self) -> Measure:
        return Measure(label=f"unit {self.unit} {self.property}", unit="B", minimum=0)


@check(
    'the property "{property}" of the unit "{unit}" is {bound:time} long',
    example='the property "TimeoutStopUSec" of the unit "nginx.service" is at most 90 s long',
)
class PropertyTime(_OfProperty):
    """A property of a unit that is a span of time; `infinity` is none, and meets no bound."""

    def look(self, text: str) -> Seen:
        from infratest.facts._systemctl import span

        seconds = span(text)
        if seconds is None:
            return Seen(holds=False, saw=f"{self.words(text)}, which is no span of time")
        return Seen(holds=True, saw=self.words(text), number=seconds)

    def measure(self) -> Measure:
        return Measure(label=f"unit {self.unit} {self.property}", unit="s", minimum=0)


@check(
    'the unit "{name}" is valid',
    negation='the unit "{name}" is not valid',
    example='the unit "nginx.service" is valid',
)
class UnitValid(Check):
    """`systemd-analyze verify` finds nothing wrong with the unit's files, nor with those that it needs."""

    name: str

    def __post_init__(self) -> None:
        self.asked  # noqa: B018 - a name that no unit can have is refused before anything is asked

    @derived
    def asked(self) -> Need[UnitVerification]:
        from infratest.facts._systemd import unit_name

        return Need("unit-verification", (unit_name(self.name, template=True),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        seen, subject = facts[self.asked], f'the unit "{self.name}"'
        if not seen.there:
            return Seen(holds=False, saw=f"{subject} does not exist: systemd finds no file of it", absent=True)
        if not seen.problems:
            return Seen(holds=True, saw=f"{subject} is valid")
        more = f" (and {len(seen.problems) - 1} more)" if len(seen.problems) > 1 else ""
        return Seen(holds=False, saw=f"{subject} is not valid: {clean(seen.problems[0], SHOWN)}{more}")


def _in_bytes(value: str) -> str:
    """Return `512M` as the number of bytes that systemctl writes; any other text as it is."""
    digits, factor = value[:-1], SIZES.get(value[-1:])
    return str(int(digits) * factor) if factor and digits.isdecimal() and digits.isascii() else value
