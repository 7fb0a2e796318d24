"""What can be said of the defaults for new accounts and passwords in /etc/login.defs."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.login_default import LoginDefault


class _OfDefault(Check):
    name: str

    def __post_init__(self) -> None:
        from infratest.errors import UserError

        if not self.name.replace("_", "").isalnum() or not self.name.isascii():
            raise UserError(f"{self.name!r} is not a name of /etc/login.defs: letters, digits and _, as PASS_MAX_DAYS")

    @derived
    def asked(self) -> Need[LoginDefault]:
        return Need("login-default", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)


@check(
    'the login default "{name}" is "{text}"',
    negation='the login default "{name}" is not "{text}"',
    example='the login default "UMASK" is "027"',
)
class LoginDefaultText(_OfDefault):
    """What /etc/login.defs says of a name, as it is written; of a name that it does not have, nothing is so."""

    text: str

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        return Seen(holds=seen.value == self.text, saw=seen.in_words(), absent=seen.value is None)


@check('the login default "{name}" is {bound:count}', example='the login default "PASS_MAX_DAYS" is at most 365')
class LoginDefaultNumber(_OfDefault):
    """The number that /etc/login.defs says of a name."""

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        if seen.value is None:
            return Seen(holds=False, saw=seen.in_words(), absent=True)
        return Seen(holds=True, saw=seen.in_words(), number=seen.number(0))

    def measure(self) -> Measure:
        return Measure(label=f"login default {self.name}")
