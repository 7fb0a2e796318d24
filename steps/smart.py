"""What can be said of what disks say of themselves: SMART."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.smart import Smart


@check(
    'the disk "{path}" passes SMART',
    negation='the disk "{path}" does not pass SMART',
    example='the disk "/dev/sda" passes SMART',
)
class DiskPassesSmart(Check):
    """The disk's own verdict on its health, as smartctl reads it, as root; one that has no SMART is unknown."""

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> Need[Smart]:
        return Need("smart", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        smart = facts[self.asked]
        if smart.problem:
            raise FactError(f"{self.path}: {smart.problem}")
        if not smart.there:
            return Seen(holds=False, saw=f'the disk "{self.path}" does not exist', absent=True)
        return Seen(holds=smart.passed, saw=f'of the disk "{self.path}", {smart.in_words()}')
