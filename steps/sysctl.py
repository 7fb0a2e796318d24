"""What can be said of variables of the running kernel.

They are those of now. What files in /etc/sysctl.d say of the next boot is not looked at.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.sysctl import Sysctl


class _OfSysctl(Check):
    name: str

    def __post_init__(self) -> None:
        from infratest.facts.sysctl import path_of

        path_of(self.name)

    @derived
    def asked(self) -> Need[Sysctl]:
        from infratest.facts.sysctl import PLACE, path_of

        return Need("sysctl", (path_of(self.name).removeprefix(f"{PLACE}/"),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f"the sysctl {in_quotes(self.name)}"

    def observe(self, facts: FactValues) -> Seen:
        sysctl = facts[self.asked]
        if sysctl.problem:
            raise FactError(f"{self.subject}: {sysctl.problem}")
        if sysctl.value is None:
            return Seen(holds=False, saw=f"{self.subject} does not exist: the kernel has no such variable", absent=True)
        return self.look(sysctl.value)

    @abstractmethod
    def look(self, value: str) -> Seen:
        """Return what is seen in the value of a variable that is there."""


@check(
    'the sysctl "{name}" exists',
    negation='the sysctl "{name}" does not exist',
    example='the sysctl "net.ipv4.tcp_syncookies" exists',
)
class SysctlExists(_OfSysctl):
    """The running kernel has a variable of this name, in dots or slashes as sysctl takes it."""

    def observe(self, facts: FactValues) -> Seen:
        seen = super().observe(facts)
        return seen.changed(absent=False)

    def look(self, value: str) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} is {in_quotes(value)}")


@check(
    'the sysctl "{name}" is "{value}"',
    negation='the sysctl "{name}" is not "{value}"',
    example='the sysctl "vm.swappiness" is "10"',
)
class SysctlValue(_OfSysctl):
    """The value of this variable of the running kernel; of several words, with one blank between them."""

    value: str
    several: bool = False

    @derived
    def expected(self) -> tuple[str, ...]:
        values = self.value.split(",") if self.several else [self.value]
        return tuple([" ".join(each.split()) for each in values])

    def look(self, value: str) -> Seen:
        return Seen(holds=value in self.expected, saw=f"{self.subject} is {in_quotes(value)}")


@check(
    'the sysctl "{name}" is one of "{values}"',
    negation='the sysctl "{name}" is none of "{values}"',
    example='the sysctl "kernel.kptr_restrict" is one of "1, 2"',
)
def sysctl_one_of(name: str, values: str) -> SysctlValue:
    """The value of this variable of the running kernel is one of these, with commas between them."""
    return SysctlValue(name, values, several=True)


@check(
    'the sysctl "{name}" matches "{pattern}"',
    negation='the sysctl "{name}" does not match "{pattern}"',
    example='the sysctl "kernel.core_pattern" matches "^/var/crash/"',
)
class SysctlMatches(_OfSysctl):
    """The pattern (RE2) fits somewhere in the value; of several words, with one blank between them."""

    pattern: str

    def __post_init__(self) -> None:
        from infratest.regular_expression import compiled  # dear, and needed by few

        super().__post_init__()
        compiled(self.pattern)

    def look(self, value: str) -> Seen:
        from infratest.facts._machine import encoded
        from infratest.regular_expression import characters, compiled

        holds = compiled(self.pattern).search(characters(encoded(value))) is not None
        return Seen(holds=holds, saw=f"{self.subject} is {in_quotes(value)}")


@check('the sysctl "{name}" is {bound:count}', example='the sysctl "net.core.somaxconn" is at least 1024')
class SysctlNumber(_OfSysctl):
    """The number that this variable of the running kernel holds.

    Args:
        place: which of the numbers of a variable that holds several, from 1; 0 where it holds one.
    """

    place: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.place < 0:
            raise UserError(f"number {self.place} of {self.subject}: numbers are counted from 1")

    def look(self, value: str) -> Seen:
        words = value.split()
        if self.place > len(words):
            return Seen(
                holds=False, saw=f"{self.subject} is {in_quotes(value)}: it has no number {self.place}", absent=True
            )
        if not self.place and len(words) > 1:
            which = f"number 1 of {self.subject}"
            raise FactError(
                f"{self.subject} is {in_quotes(value)}, not one number: say which, as in: {which} is at least 1"
            )
        word = words[self.place - 1] if self.place else value
        if not word.lstrip("-").isascii() or not word.lstrip("-").isdigit():
            return Seen(holds=False, saw=f"{self.subject} is {in_quotes(value)}, which is no number", absent=True)
        return Seen(holds=True, saw=f"{self.subject} is {in_quotes(value)}", number=int(word))

    def measure(self) -> Measure:
        return Measure(label=f"sysctl {self.name}{f' {self.place}' if self.place else ''}")


@check(
    'number {place:number} of the sysctl "{name}" is {bound:count}',
    example='number 3 of the sysctl "net.ipv4.tcp_rmem" is at least 6291456',
)
def number_of_sysctl(name: str, place: int) -> SysctlNumber:
    """One of the numbers of a variable of the running kernel that holds several, counted from 1."""
    if place < 1:
        raise UserError(f'number {place} of the sysctl "{name}": numbers are counted from 1')
    return SysctlNumber(name, place)
