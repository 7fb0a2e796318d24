"""What can be said of AppArmor's profiles."""

from __future__ import annotations

from infratest.check import Check, Seen, in_quotes
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.apparmor import Apparmor
    from infratest.facts.base import FactValues

APPARMOR: Need[Apparmor] = Need("apparmor")

#: Modes of a profile, as the kernel writes them: security/apparmor of Linux. `user` asks the user (prompt).
MODES = ("enforce", "complain", "kill", "unconfined", "user", "prompt", "mixed")


@check(
    'the AppArmor profile "{name}" is loaded',
    negation='the AppArmor profile "{name}" is not loaded',
    example='the AppArmor profile "docker-default" is loaded',
    unseen="a loaded profile, written after aa-status(8)",
)
class ProfileLoaded(Check):
    """AppArmor has a profile of this name, in whichever mode."""

    name: str

    def __post_init__(self) -> None:
        # A profile's name may be a pattern of paths: /{,usr/}sbin/dhclient, /usr/lib/snapd/*.
        if not self.name.strip() or not self.name.isprintable() or ", " in self.name:
            raise UserError(f"the AppArmor profile {in_quotes(self.name)}: write one profile, as aa-status names it")

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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in MODES:
            words = f"the AppArmor profile {in_quotes(self.name)} has the mode {in_quotes(self.mode)}"
            raise UserError(f"{words}: it is one of {', '.join(MODES)}")

    def look(self, mode: str | None) -> Seen:
        seen = super().look(mode)
        return seen.changed(absent=True) if mode is None else seen.changed(holds=mode == self.mode)
