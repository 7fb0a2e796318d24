"""What can be said of settings of the kernel."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.tunable import Setting

    from infratest.facts.base import FactValues


@check(
    'the tunable "{name}" is "{value}"',
    negation='the tunable "{name}" is not "{value}"',
    example='the tunable "net.ipv4.ip_forward" is "0"',
)
class SysctlIs(Check):
    """The kernel's setting, as it is now."""

    name: str
    value: str

    @derived
    def asked(self) -> Need[Setting]:
        return Need("tunable", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        setting = facts[self.asked]
        absent = setting.value is None
        return Seen(setting.value == self.value, f'the tunable "{self.name}": {setting.in_words()}', absent=absent)
