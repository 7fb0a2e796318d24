"""What can be said of a server's configuration, as its own program reads it: sshd, nginx, Apache and Postfix.

Names are those of `sshd -T` (`permitrootlogin`), of nginx' directives, behind the blocks around them where those are
meant (`server.listen`, `http.server.listen`), of `apachectl -t -D DUMP_RUN_CFG` (`User`), where `module` is each
that is loaded, and of `postconf` (`inet_interfaces`).
What sshd's Match blocks come to is asked for who logs in, in the words of `sshd -T -C`: `for "user=deploy,host=web,
addr=10.0.0.9"`. Without that a sentence is about all who log in: what a Match block gives an option counts as well. An
option that stands several times has several values. Of a configuration that is not valid no option can be said.
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
#: What to try where a Match block says otherwise for some.
ASK = 'ask for whom is meant: for "user=NAME,host=NAME,addr=ADDRESS"'
#: Options to which each line adds, in a Match block too (sshd_config(5)).
ADDED = frozenset(("acceptenv", "allowgroups", "allowusers", "denygroups", "denyusers", "setenv"))

#: Of sshd's options the words for what `sshd -T` shows by another: the tables of OpenSSH's servconf.c and log.c.
SSHD_WORDS = {
    "permitrootlogin": {"prohibit-password": "without-password"},
    "compression": {"delayed": "yes"},
    "allowtcpforwarding": {"all": "yes"},
    "allowstreamlocalforwarding": {"all": "yes"},
    "loglevel": {"quiet": "silent", "debug1": "debug"},
}
#: Those that `sshd -T` shows in seconds, however they are written: sshd_config(5), TIME FORMATS.
SSHD_TIMES = ("logingracetime", "clientaliveinterval", "unusedconnectiontimeout")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


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
        names = [name for name, _ in configuration.matched]
        if "include" in names:
            raise FactError(f"{self.subject}: a Match block reads other files; {ASK}")
        matched = tuple([value for name, value in configuration.matched if name == self.name.lower()])
        return self.look(configuration.of(self.name, self.program), matched)

    @abstractmethod
    def look(self, values: tuple[str, ...], matched: tuple[str, ...]) -> Seen:
        """Return what is seen in the values of the option, and in those of Match blocks."""

    def shown(self, values: tuple[str, ...], matched: tuple[str, ...] = ()) -> str:
        listed = ", ".join([literal(value, SHOWN) for value in values[:5]])
        others = ", ".join([literal(value, SHOWN) for value in matched[:5]])
        if not listed and not others:
            return f"{self.subject} does not have {in_quotes(self.name)}"
        listed = listed or "no value"
        words = f", and in Match blocks with {others}; {ASK}" if matched else ""
        return f"{self.subject} has {in_quotes(self.name)} with {listed}{words}"


@check(
    'the configuration of "{program}"[ for "{who}"] has "{name}"',
    negation='the configuration of "{program}"[ for "{who}"] does not have "{name}"',
    example='the configuration of "nginx" has "server.ssl_certificate"',
)
class OptionThere(_OfOption):
    """The option stands there, or has a value by itself, whatever it is."""

    def look(self, values: tuple[str, ...], matched: tuple[str, ...]) -> Seen:
        return Seen(holds=bool(values or matched), saw=self.shown(values, matched))


@check(
    'the configuration of "{program}"[ for "{who}"] has "{name}" equal to "{value}"',
    negation='the configuration of "{program}"[ for "{who}"] has "{name}" not equal to "{value}"',
    example='the configuration of "sshd" has "permitrootlogin" equal to "no"',
)
class OptionEqual(_OfOption):
    """The option has this value, or it is one of several that it has; blanks between its words are one each.

    Of sshd a Match block must give the option no other one; where it does, neither this nor its negation is met.
    sshd's own other names of a value are that value: `prohibit-password` is `without-password`, `2m` is `120`.
    """

    value: str = ""

    def look(self, values: tuple[str, ...], matched: tuple[str, ...]) -> Seen:
        named = self.plain(self.value)
        holds = any(self.plain(each) == named for each in values)
        others = {self.plain(each) == named for each in matched}
        if self.name.lower() in ADDED:
            return Seen(holds or True in others, self.shown(values, matched), absent=not values and not matched)
        mixed = bool(values) and (not holds) in others
        return Seen(holds and not mixed, self.shown(values, matched), absent=not values or mixed)

    def plain(self, value: str) -> list[str]:
        """Return the words of a value, alike for each way that the server takes for the same."""
        words, name = value.split(), self.name.lower()
        if self.program != "sshd" or len(words) != 1:
            return words
        lowered = words[0].lower()
        if name in SSHD_TIMES:
            return [_in_seconds(lowered)]
        if name in SSHD_WORDS:
            return [SSHD_WORDS[name].get(lowered, lowered)]
        return [lowered] if lowered in ("yes", "no") else words


@check(
    'the configuration of "{program}"[ for "{who}"] has "{name}" {bound:count}',
    example='the configuration of "sshd" has "maxauthtries" at most 4',
)
class OptionNumber(_OfOption):
    """The option has one number, which is judged."""

    def look(self, values: tuple[str, ...], matched: tuple[str, ...]) -> Seen:
        if not values:
            return Seen(holds=False, saw=self.shown(values, matched), absent=True)
        try:
            (number,) = {exact(each) for each in (*values, *matched)}
        except ValueError:
            raise FactError(f"{self.shown(values, matched)}: that is not one number") from None
        return Seen(holds=True, saw=self.shown(values, matched), number=number)

    def measure(self) -> Measure:
        who = f" {self.who}" if self.who else ""
        return Measure(label=f"configuration {self.program}{who} {self.name}")


def _in_seconds(text: str) -> str:
    """Return a time of sshd's, `1h30m`, in seconds; what is none as it is."""
    total, digits = 0, ""
    for one in text:
        if one.isascii() and one.isdigit():
            digits += one
        elif digits and one in SECONDS:
            total, digits = total + int(digits) * SECONDS[one], ""
        else:
            return text
    return str(total + int(digits or 0)) if text else text
