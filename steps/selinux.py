"""What can be said of SELinux."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.selinux import Selinux

SELINUX: Need[Selinux] = Need("selinux")

MODES = ("enforcing", "permissive", "disabled")


@check(
    "SELinux is {mode:word}",
    negation="SELinux is not {mode:word}",
    example="SELinux is enforcing",
    unseen="any mode but disabled, written after getenforce(8)",
)
class SelinuxMode(Check):
    """The mode: enforcing, permissive, disabled."""

    mode: str

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UserError(f"SELinux is {self.mode}: its mode is one of {', '.join(MODES)}")

    def needs(self) -> tuple[Need, ...]:
        return (SELINUX,)

    def observe(self, facts: FactValues) -> Seen:
        mode = facts[SELINUX].mode
        return Seen(holds=mode == self.mode, saw=f"SELinux is {mode}")
