"""What can be said of a reboot that a host waits for."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.reboot import Reboot

REBOOT: Need[Reboot] = Need("reboot")


@check(
    "the host needs a reboot",
    negation="the host needs no reboot",
    example="the host needs no reboot",
    unseen="needs-restarting, written after needs-restarting(1), and what update-notifier of Ubuntu leaves",
)
class RebootNeeded(Check):
    """A package or needs-restarting asks for a reboot, or a newer kernel than the one that runs is installed.

    Newer is one of the same flavour: of what follows its numbers, as `-amd64` or `-generic`.
    """

    def needs(self) -> tuple[Need, ...]:
        return (REBOOT,)

    def observe(self, facts: FactValues) -> Seen:
        reboot = facts[REBOOT]
        if reboot.required:
            whose = f": {', '.join(reboot.packages[:10])}" if reboot.packages else ""
            return Seen(holds=True, saw=f"the host needs a reboot, which its packages ask for{whose}")
        if reboot.restarting:
            return Seen(holds=True, saw="the host needs a reboot, as needs-restarting says")
        if newer := _newer(reboot):
            words = f"the host needs a reboot: it runs the kernel {reboot.running}, and {newer} is installed"
            return Seen(holds=True, saw=words)
        if reboot.restarting is None and not reboot.told and reboot.running not in reboot.kernels:
            raise FactError(
                "whether the host needs a reboot is not known: the kernel that runs is none of its own (it may be a "
                "container), and it has neither needs-restarting nor what leaves /run/reboot-required"
            )
        return Seen(holds=False, saw=f"the host needs no reboot: nothing asks for one, and it runs {reboot.running}")


def _newer(reboot: Reboot) -> str:
    """Return the newest kernel that is installed and newer than the one that runs; empty where there is none."""
    from infratest.facts._ordered import ordered

    if reboot.running not in reboot.kernels and not reboot.told:
        return ""
    try:
        flavour, now = _flavour(reboot.running), ordered(reboot.running)
        newer = [(ordered(one), one) for one in reboot.kernels if _flavour(one) == flavour]
    except UserError as error:
        raise FactError(f"whether the host needs a reboot is not known: {error}") from None
    return max(newer)[1] if newer and max(newer)[0] > now else ""


def _flavour(kernel: str) -> str:
    """Return what stands behind the numbers of a kernel's release: `cloud-amd64`, and nothing where these end it."""
    parts = kernel.split("-")
    while parts and parts[0][:1].isdigit():
        del parts[0]
    return "-".join(parts)
