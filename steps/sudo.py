"""What can be said of sudo's rules, as the user would have them. Commands are never run: sudo is asked about them."""

from __future__ import annotations

from infratest.check import Check, Seen, in_quotes
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.sudo_rule import SudoRule
    from infratest.facts.sudoers import Sudoers

ROOT = "root"


@check(
    'the user "{name}" may run "{command}" as "{target}"',
    negation='the user "{name}" may not run "{command}" as "{target}"',
    example='the user "deploy" may run "/usr/bin/psql" as "postgres"',
)
class MayRun(Check):
    """Sudo lets the user run the command with just these arguments as another user, with or without a password."""

    name: str
    command: str
    target: str = ROOT

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name
        from infratest.facts.sudo_rule import plain_command

        entry_name(self.name)
        entry_name(self.target)
        plain_command(self.command)

    @derived
    def asked(self) -> Need[SudoRule]:
        return Need("sudo-rule", (self.name, self.target, self.command))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        rule = facts[self.asked]
        if not rule.user:
            return Seen(holds=False, saw=f'the user "{self.name}" does not exist', absent=True)
        if rule.problem:
            raise FactError(rule.problem)
        if rule.absent:
            return Seen(holds=False, saw=rule.absent, absent=True)
        return self.look(rule)

    def words(self, may: bool) -> str:
        return f'the user "{self.name}" may {"" if may else "not "}run {in_quotes(self.command)} as "{self.target}"'

    def look(self, rule: SudoRule) -> Seen:
        return Seen(holds=rule.allowed, saw=self.words(rule.allowed))


@check(
    'the user "{name}" may run "{command}" as root',
    negation='the user "{name}" may not run "{command}" as root',
    example='the user "deploy" may run "/usr/bin/systemctl restart app" as root',
)
def may_run_as_root(name: str, command: str) -> MayRun:
    """Sudo lets the user run the command with just these arguments as root, with or without a password."""
    return MayRun(name, command)


@check(
    'the user "{name}" may run "{command}" as "{target}" without a password',
    negation='the user "{name}" may not run "{command}" as "{target}" without a password',
    example='the user "deploy" may run "/usr/bin/psql" as "postgres" without a password',
)
class MayRunFreely(MayRun):
    """Sudo lets the user run the command as another user and asks for no password; unknown where rules overlap."""

    def look(self, rule: SudoRule) -> Seen:
        if not rule.allowed:
            return Seen(holds=False, saw=self.words(False))
        if rule.password is None:
            raise FactError(f"{self.words(True)}, and of its rules sudo does not say which asks for a password")
        how = "with a password" if rule.password else "without a password"
        return Seen(holds=not rule.password, saw=f"{self.words(True)} {how}")


@check(
    'the user "{name}" may run "{command}" as root without a password',
    negation='the user "{name}" may not run "{command}" as root without a password',
    example='the user "deploy" may run "/usr/bin/systemctl restart app" as root without a password',
)
def may_run_as_root_freely(name: str, command: str) -> MayRunFreely:
    """Sudo lets the user run the command as root and asks for no password; unknown where rules overlap."""
    return MayRunFreely(name, command)


@check("the sudoers are valid", negation="the sudoers are not valid", example="the sudoers are valid")
class SudoersValid(Check):
    """All files of sudo's rules have the right syntax, owner and mode, as `visudo -c` says."""

    @derived
    def asked(self) -> Need[Sudoers]:
        return Need("sudoers")

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        return Seen(holds=seen.valid, saw=f"the sudoers are {seen.in_words()}")
