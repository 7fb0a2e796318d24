"""What can be said of units of a user's own systemd, and of whether it is started without a login."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.linger import Linger
    from infratest.facts.user_unit import UserUnit


class _OfUserUnit(Check):
    name: str
    user: str

    def __post_init__(self) -> None:
        self.asked  # noqa: B018 - names that nothing can have are refused before anything is asked

    @derived
    def asked(self) -> Need[UserUnit]:
        from infratest.facts._accounts import entry_name
        from infratest.facts._systemd import unit_name

        return Need("user-unit", (entry_name(self.user), unit_name(self.name)))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @derived
    def subject(self) -> str:
        return f'the user unit "{self.name}" of "{self.user}"'

    def unit(self, facts: FactValues) -> UserUnit:
        unit = facts[self.asked]
        if unit.problem:
            raise FactError(f"{self.subject}: {unit.problem}")
        return unit

    @derived
    def nobody(self) -> Seen:
        """What is seen where there is no such user."""
        return Seen(holds=False, saw=f'{self.subject}: the user "{self.user}" does not exist', absent=True)


@check(
    'the user unit "{name}" of "{user}" is running',
    negation='the user unit "{name}" of "{user}" is not running',
    example='the user unit "syncthing.service" of "deploy" is running',
)
class UserUnitRunning(_OfUserUnit):
    """A unit of the user's own systemd is active; where that systemd does not run, none is."""

    def observe(self, facts: FactValues) -> Seen:
        unit = self.unit(facts)
        if not unit.user:
            return self.nobody
        if not unit.manager:
            how = "though it lingers" if unit.lingers else "nobody is logged in, and it does not linger"
            return Seen(holds=False, saw=f'{self.subject} is not running: no systemd of "{self.user}" does ({how})')
        running = unit.active in ("active", "reloading", "refreshing")
        if unit.load == "not-found" and not running:
            return Seen(holds=False, saw=f"{self.subject} does not exist: the user's systemd knows no such unit")
        error = f"; its file could not be loaded: {unit.error}" if unit.error else ""
        return Seen(holds=running, saw=f"{self.subject} is {unit.active} ({unit.sub}){error}")


@check(
    'the user unit "{name}" of "{user}" is enabled',
    negation='the user unit "{name}" of "{user}" is not enabled',
    example='the user unit "syncthing.service" of "deploy" is enabled',
)
class UserUnitEnabled(_OfUserUnit):
    """The unit starts with the user's own systemd: at login, or at boot where the user lingers.

    As `systemctl --user is-enabled` ends, which counts some words as that: see `the service "..." is enabled`.
    """

    def observe(self, facts: FactValues) -> Seen:
        unit = self.unit(facts)
        if not unit.user:
            return self.nobody
        state = unit.file or "not enabled: it has no file"
        return Seen(holds=unit.enabled, saw=f"{self.subject} is {state}")


@check('the user "{user}" lingers', negation='the user "{user}" does not linger', example='the user "deploy" lingers')
class UserLingers(Check):
    """The user's own systemd is started at boot and stays without a login: `loginctl enable-linger`."""

    user: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.user)

    @derived
    def asked(self) -> Need[Linger]:
        return Need("linger", (self.user,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        linger, subject = facts[self.asked], f'the user "{self.user}"'
        if not linger.user:
            return Seen(holds=False, saw=f"{subject} does not exist", absent=True)
        return Seen(holds=linger.lingers, saw=f"{subject} {'lingers' if linger.lingers else 'does not linger'}")
