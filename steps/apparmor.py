"""What can be said of AppArmor's profiles."""

from __future__ import annotations

from infratest.check import Check, Seen, in_quotes
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.apparmor import Apparmor
    from infratest.facts.base import FactValues

APPARMOR: Need[Apparmor] = Need("apparmor")


@check(
    'the AppArmor profile "{name}" is loaded',
    negation='the AppArmor profile "{name}" is not loaded',
    example='the AppArmor profile "docker-default" is loaded',
    unseen="a loaded profile, written after aa-status(8)",
)
class ProfileLoaded(Check):
    """AppArmor has a profile of this name, in whichever mode."""

    name: str

    def needs(self) -> tuple[Need, ...]:
        return (APPARMOR,)

    def observe(self, facts: FactValues) -> Seen:
        return self.look(dict(facts[APPARMOR].profiles).get(self.name))

    def look(self, mode: str | None) -> Seen:
        """Return what is seen of a profile; `mode` is None where it is not loaded."""
        words = "not loaded" if mode is None else f"loaded in the mode {in_quotes(mode)}"
        return Seen(holds=mode is not None, saw=f"the AppArmor profile {in_quotes(self.name)} is {words}")


@check(
    'the AppArmor profile "{name}" has the mode "{mode}"',
    negation='the AppArmor profile "{name}" does not have the mode "{mode}"',
    example='the AppArmor profile "docker-default" has the mode "enforce"',
    unseen="a loaded profile, written after aa-status(8)",
)
class ProfileMode(ProfileLoaded):
    """The mode of a loaded profile: enforce, complain, kill."""

    mode: str

    def look(self, mode: str | None) -> Seen:
        seen = super().look(mode)
        return seen.changed(absent=True) if mode is None else seen.changed(holds=mode == self.mode)
