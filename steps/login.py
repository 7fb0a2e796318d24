"""What can be said of logins: when an account logged in last, and who is logged in now."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.last_login import LastLogin
    from infratest.facts.session import Sessions
    from infratest.facts.user import User

SESSIONS: Need[Sessions] = Need("session")


class _OfLastLogin(Check):
    """The last login of one account."""

    name: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.name)

    @derived
    def asked(self) -> Need[LastLogin]:
        return Need("last-login", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        login = facts[self.asked]
        if not login.user:
            return Seen(holds=False, saw=f"the user {in_quotes(self.name)} does not exist", absent=True)
        return self.look(login)

    @abstractmethod
    def look(self, login: LastLogin) -> Seen:
        """Return what is seen of an account that exists."""


@check(
    'the user "{name}" has logged in',
    negation='the user "{name}" has never logged in',
    example='the user "www-data" has never logged in',
)
class HasLoggedIn(_OfLastLogin):
    """The host has a last login of the account with a terminal, by SSH too, as lastlog(8) keeps them.

    Logins without a terminal (`ssh HOST COMMAND`, scp, sftp, ansible) leave nothing there, and are not known.
    """

    def look(self, login: LastLogin) -> Seen:
        terminal = " with a terminal; logins without one are not known" if login.age is None else ""
        return Seen(holds=login.age is not None, saw=f"the user {in_quotes(self.name)} {login.in_words()}{terminal}")


@check(
    'the user "{name}" last logged in {bound:time} ago',
    example='the user "deploy" last logged in less than 90 days ago',
)
class LoggedInAgo(_OfLastLogin):
    """The time since the account logged in last with a terminal, by the host's clock; of one that never did, none."""

    def look(self, login: LastLogin) -> Seen:
        subject = f"the user {in_quotes(self.name)}"
        if login.age is None:
            return Seen(holds=False, saw=f"{subject} has never logged in", absent=True)
        if login.age < 0:
            raise FactError(f"{subject} logged in {human(-login.age, 's')} in the future: a clock is wrong")
        return Seen(holds=True, saw=f"{subject} {login.in_words()}", number=login.age)

    def measure(self) -> Measure:
        return Measure(label=f"user {self.name} last login", unit="s")


@check(
    'the user "{name}" is logged in',
    negation='the user "{name}" is not logged in',
    example='the user "root" is not logged in',
)
class LoggedIn(Check):
    """The account has a session on a terminal, as who(1) lists them; one without a terminal is not listed."""

    name: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.name)

    @derived
    def user(self) -> Need[User | None]:
        return Need("user", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return self.user, SESSIONS

    def observe(self, facts: FactValues) -> Seen:
        subject, sessions = f"the user {in_quotes(self.name)}", facts[SESSIONS]
        if facts[self.user] is None:
            return Seen(holds=False, saw=f"{subject} does not exist", absent=True)
        holds = any(session.user == self.name for session in sessions)
        words = f"{subject} is {'' if holds else 'not '}logged in (logged in: {sessions.in_words()})"
        return Seen(holds=holds, saw=words)


@check("{bound:count} users are logged in", example="at most 3 users are logged in")
class UsersLoggedIn(Check):
    """How many accounts have a session on a terminal, each counted once, as who(1) lists them."""

    def needs(self) -> tuple[Need, ...]:
        return (SESSIONS,)

    def observe(self, facts: FactValues) -> Seen:
        sessions = facts[SESSIONS]
        count = len({session.user for session in sessions})
        return Seen(holds=True, saw=f"{count} users are logged in: {sessions.in_words()}", number=count)

    def measure(self) -> Measure:
        return Measure(label="users logged in", minimum=0)
