"""What can be said of accounts' passwords, as shadow(5) has them, and of how long passwords and accounts last.

A password that is locked and an account that is expired are two claims: a locked password leaves other ways in, such as
keys, and an expired account leaves none.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.password import Password

DAY = 86400

WORDS = {
    "usable": "has a password",
    "locked": "has a locked password",
    "empty": "has an empty password: anyone logs in without one",
    "none": "has no password",
}


class _OfPassword(Check):
    name: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.name)

    @derived
    def asked(self) -> Need[Password | None]:
        return Need("password", (self.name,))

    @derived
    def subject(self) -> str:
        return f'the password of "{self.name}"'

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        password = facts[self.asked]
        if password is None:
            return self.nothing(f'the user "{self.name}" does not exist')
        return self.look(password)

    def nothing(self, words: str) -> Seen:
        """What is seen where there is nothing that the claim could be about."""
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, password: Password) -> Seen:
        """Return what is seen of an account that exists."""


@check(
    'the user "{name}" has a password',
    negation='the user "{name}" does not have a password',
    example='the user "deploy" has a password',
)
class PasswordThere(_OfPassword):
    """The account can log in with a password; one that is locked cannot, and an empty one meets neither claim."""

    def look(self, password: Password) -> Seen:
        words = f'the user "{self.name}" {WORDS[password.stored]}'
        return Seen(holds=password.stored == "usable", saw=words, absent=password.stored == "empty")


@check(
    'the user "{name}" has an empty password',
    negation='the user "{name}" does not have an empty password',
    example='the user "deploy" has an empty password',
)
class PasswordEmpty(_OfPassword):
    """The account's password is empty, so that anyone may log in who is let to do so without one."""

    def look(self, password: Password) -> Seen:
        return Seen(holds=password.stored == "empty", saw=f'the user "{self.name}" {WORDS[password.stored]}')


@check(
    'the password of "{name}" is locked',
    negation='the password of "{name}" is not locked',
    example='the password of "www-data" is locked',
)
class PasswordLocked(_OfPassword):
    """No password lets the account in, as `passwd -S` says `L`; keys and root may still."""

    def look(self, password: Password) -> Seen:
        holds = password.stored == "locked"
        words = f"{self.subject} is locked" if holds else f'the user "{self.name}" {WORDS[password.stored]}'
        return Seen(holds=holds, saw=words, absent=password.stored == "none")


@check(
    'the password of "{name}" is hashed with "{method}"',
    negation='the password of "{name}" is not hashed with "{method}"',
    example='the password of "deploy" is hashed with "yescrypt"',
)
class PasswordMethod(_OfPassword):
    """The method of crypt(5) by which the password is hashed, also of a locked one; login.defs' names are read too."""

    method: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hashed  # noqa: B018 - a method that there is not is refused before anything is asked

    @derived
    def hashed(self) -> str:
        from infratest.facts.password import METHODS, OTHER_NAMES

        word = self.method.lower()
        word = OTHER_NAMES.get(word, word)
        if word not in METHODS.values():
            names = ", ".join(dict.fromkeys(METHODS.values()))
            raise UserError(f'"{self.method}" is no method by which a password is hashed: expected one of {names}')
        return word

    def look(self, password: Password) -> Seen:
        if not password.method:
            return self.nothing(f'the user "{self.name}" {WORDS[password.stored]}, so nothing is hashed')
        return Seen(holds=password.method == self.hashed, saw=f"{self.subject} is hashed with {password.method}")


@check(
    'the password of "{name}" was changed {bound:time} ago',
    example='the password of "deploy" was changed less than 90 days ago',
)
class PasswordChanged(_OfPassword):
    """The whole days since the password was changed, which is all that shadow(5) keeps."""

    def look(self, password: Password) -> Seen:
        if not password.last_change:
            word = (
                "must be changed at the next login" if password.last_change == 0 else "has no date of its last change"
            )
            return self.nothing(f"{self.subject} {word}")
        days = password.today - password.last_change
        if days < -1:  # the day is of UTC for some programs, and of the host's time zone for others
            raise FactError(f"{self.subject} was changed {-days} days in the future: a clock is or was wrong")
        days = max(days, 0)
        return Seen(holds=True, saw=f"{self.subject} was changed {_days(days)} ago", number=days * DAY)

    def measure(self) -> Measure:
        return Measure(label=f"password {self.name} age", unit="s", minimum=0)


@check(
    'the password of "{name}" expires in {bound:time}', example='the password of "deploy" expires in more than 7 days'
)
class PasswordExpiry(_OfPassword):
    """The whole days until the password must be changed, below zero once it expired; one that never does is none."""

    def look(self, password: Password) -> Seen:
        from infratest.facts.password import NEVER

        if password.last_change == 0:
            return Seen(holds=True, saw=f"{self.subject} must be changed at the next login", number=0)
        if password.last_change is None or password.most is None or password.most >= NEVER:
            return self.nothing(f"{self.subject} never expires")
        days = password.last_change + password.most - password.today
        words = f"expired {_days(-days)} ago" if days < 0 else f"expires in {_days(days)}"
        return Seen(holds=True, saw=f"{self.subject} {words}", number=days * DAY)

    def measure(self) -> Measure:
        return Measure(label=f"password {self.name} expires", unit="s")


class _OfSpan(_OfPassword):
    """A number of days that is set for a password."""

    def days(self, days: int | None, title: str) -> Seen:
        if days is None:
            return self.nothing(f"{self.subject} has no {title}")
        return Seen(holds=True, saw=f"{self.subject} has a {title} of {_days(days)}", number=days * DAY)


@check(
    'the password of "{name}" has a minimum age of {bound:time}',
    example='the password of "deploy" has a minimum age of at least 1 day',
)
class PasswordLeast(_OfSpan):
    """The days for which the password may not be changed again."""

    def look(self, password: Password) -> Seen:
        return self.days(password.least, "minimum age")

    def measure(self) -> Measure:
        return Measure(label=f"password {self.name} minimum age", unit="s", minimum=0)


@check(
    'the password of "{name}" has a maximum age of {bound:time}',
    example='the password of "deploy" has a maximum age of at most 365 days',
)
class PasswordMost(_OfSpan):
    """The days after which the password must be changed."""

    def look(self, password: Password) -> Seen:
        return self.days(password.most, "maximum age")

    def measure(self) -> Measure:
        return Measure(label=f"password {self.name} maximum age", unit="s", minimum=0)


@check(
    'the password of "{name}" has a warning time of {bound:time}',
    example='the password of "deploy" has a warning time of at least 7 days',
)
class PasswordWarning(_OfSpan):
    """The days before the password's expiry in which the user is warned."""

    def look(self, password: Password) -> Seen:
        return self.days(password.warned, "warning time")

    def measure(self) -> Measure:
        return Measure(label=f"password {self.name} warning time", unit="s", minimum=0)


@check(
    'the password of "{name}" has an inactive time of {bound:time}',
    example='the password of "deploy" has an inactive time of at most 30 days',
)
class PasswordInactive(_OfSpan):
    """The days after the password's expiry in which it is still taken, to be changed."""

    def look(self, password: Password) -> Seen:
        return self.days(password.inactive, "inactive time")

    def measure(self) -> Measure:
        return Measure(label=f"password {self.name} inactive time", unit="s", minimum=0)


@check(
    'the account of "{name}" is expired',
    negation='the account of "{name}" is not expired',
    example='the account of "intern" is expired',
)
class AccountExpired(_OfPassword):
    """The day from which the account lets nobody in has come, whatever its password or keys."""

    def look(self, password: Password) -> Seen:
        days = None if password.expires is None else password.expires - password.today
        return Seen(holds=days is not None and days <= 0, saw=f'the account of "{self.name}" {_expiry(days)}')


@check(
    'the account of "{name}" expires in {bound:time}', example='the account of "intern" expires in less than 90 days'
)
class AccountExpiry(_OfPassword):
    """The whole days until the account lets nobody in, at most zero once it is expired; one that never is, is none."""

    def look(self, password: Password) -> Seen:
        words = f'the account of "{self.name}"'
        if password.expires is None:
            return self.nothing(f"{words} {_expiry(None)}")
        days = password.expires - password.today
        return Seen(holds=True, saw=f"{words} {_expiry(days)}", number=days * DAY)

    def measure(self) -> Measure:
        return Measure(label=f"account {self.name} expires", unit="s")


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _expiry(days: int | None) -> str:
    if days is None:
        return "never expires"
    return f"expires in {_days(days)}" if days > 0 else f"has been expired for {_days(-days)}"
