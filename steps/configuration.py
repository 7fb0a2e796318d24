"""What can be said of a server's configuration, as its own program reads it: sshd, nginx, Apache and Postfix.

Names are those of `sshd -T` (`permitrootlogin`), of nginx' directives, with blocks of the same file before them where
that is meant (`server.listen`), of `apachectl -t -D DUMP_RUN_CFG` (`User`), where `module` is each that is loaded, and
of `postconf` (`inet_interfaces`).
What sshd's Match blocks come to is asked for who logs in, in the words of `sshd -T -C`: `for "user=deploy,host=web,
addr=10.0.0.9"`. An option that stands several times has several values. Of a configuration that is not valid no option
can be said.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import exact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.configuration import Configuration

#: Characters of a program's words, and of an option's values, in a reason.
SHOWN = 200


class _OfConfiguration(Check):
    program: str
    who: str = ""

    def __post_init__(self) -> None:
        from infratest.facts.configuration import program_of, who_of

        program_of(self.program)
        if self.who:
            who_of(self.program, self.who)

    @derived
    def asked(self) -> Need[Configuration]:
        from infratest.facts.configuration import who_of

        return Need("configuration", (self.program, who_of(self.program, self.who)) if self.who else (self.program,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f"the configuration of {in_quotes(self.program)}{f' for {in_quotes(self.who)}' if self.who else ''}"


@check(
    'the configuration of "{program}" is valid',
    negation='the configuration of "{program}" is not valid',
    example='the configuration of "nginx" is valid',
)
class ConfigurationValid(_OfConfiguration):
    """Its own program takes it: `sshd -T`, `nginx -T`, `apachectl -t`; asked with the rights to read it, as root."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.program == "postfix":
            raise UserError(
                f"{self.subject} is valid: `postfix check` makes what is missing, and so is no look; ask for values"
            )

    def observe(self, facts: FactValues) -> Seen:
        problem = facts[self.asked].problem
        words = f"not valid: {clean(problem, SHOWN)}" if problem else "valid"
        return Seen(holds=not problem, saw=f"{self.subject} is {words}")


class _OfOption(_OfConfiguration):
    name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name or any(one.isspace() for one in self.name):
            raise UserError(f'{self.subject} has "{self.name}": expected the name of an option')

    def observe(self, facts: FactValues) -> Seen:
        configuration = facts[self.asked]
        if configuration.problem:
            words = f"{self.subject} is not valid: {clean(configuration.problem, SHOWN)}"
            return Seen(holds=False, saw=words, absent=True)
        return self.look(configuration.of(self.name, self.program))

    @abstractmethod
    def look(self, values: tuple[str, ...]) -> Seen:
        """Return what is seen in the values of the option."""

    def shown(self, values: tuple[str, ...]) -> str:
        listed = ", ".join([literal(value, SHOWN) for value in values[:5]]) or "no value"
        return f"{self.subject} has {in_quotes(self.name)} with {listed}"


@check(
    'the configuration of "{program}"[ for "{who}"] has "{name}"',
    negation='the configuration of "{program}"[ for "{who}"] does not have "{name}"',
    example='the configuration of "nginx" has "server.ssl_certificate"',
)
class OptionThere(_OfOption):
    """The option stands there, or has a value by itself, whatever it is."""

    def look(self, values: tuple[str, ...]) -> Seen:
        return Seen(holds=bool(values), saw=self.shown(values))


@check(
    'the configuration of "{program}"[ for "{who}"] has "{name}" equal to "{value}"',
    negation='the configuration of "{program}"[ for "{who}"] has "{name}" not equal to "{value}"',
    example='the configuration of "sshd" has "permitrootlogin" equal to "no"',
)
class OptionEqual(_OfOption):
    """The option has this value, or it is one of several that it has; blanks between its words are one each."""

    value: str = ""

    def look(self, values: tuple[str, ...]) -> Seen:
        named = self.value.split()
        return Seen(any(each.split() == named for each in values), self.shown(values), absent=not values)


@check(
    'the configuration of "{program}"[ for "{who}"] has "{name}" {bound:count}',
    example='the configuration of "sshd" has "maxauthtries" at most 4',
)
class OptionNumber(_OfOption):
    """The option has one number, which is judged."""

    def look(self, values: tuple[str, ...]) -> Seen:
        if not values:
            return Seen(holds=False, saw=self.shown(values), absent=True)
        try:
            (number,) = {exact(each) for each in values}
        except ValueError:
            raise FactError(f"{self.shown(values)}: that is not one number") from None
        return Seen(holds=True, saw=self.shown(values), number=number)

    def measure(self) -> Measure:
        who = f" {self.who}" if self.who else ""
        return Measure(label=f"configuration {self.program}{who} {self.name}")
