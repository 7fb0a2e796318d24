"""What can be said of the capabilities that files give to who starts them."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.capability import Capabilities


@check(
    'the file "{path}" has the capability "{capability}"',
    negation='the file "{path}" does not have the capability "{capability}"',
    example='the file "/usr/bin/ping" has the capability "cap_net_raw"',
)
class FileCapability(Check):
    """Who starts this file may have this capability, root or not (it is in the file's permitted set)."""

    path: str
    capability: str

    def __post_init__(self) -> None:
        absolute(self.path)
        self.name  # noqa: B018 - refuses what no capability is called

    @derived
    def name(self) -> str:
        from infratest.facts.capability import capability_name

        return capability_name(self.capability)

    @derived
    def asked(self) -> Need[Capabilities]:
        return Need("capability", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        capabilities = facts[self.asked]
        if capabilities.problem:
            raise FactError(f"{self.path}: {capabilities.problem}")
        if not capabilities.there:
            return Seen(holds=False, saw=f"{self.path} does not exist", absent=True)
        holds = "p" in capabilities.flags(self.name)
        return Seen(holds=holds, saw=f'the file "{self.path}" has {capabilities.in_words()}')
