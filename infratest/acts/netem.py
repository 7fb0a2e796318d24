"""Traffic late or in part: `traffic is delayed by 200 ms`, `10 % of traffic is lost`, by netem (tc-netem(8))."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts._fault import OWN_KERNEL, line, refuse_shared_network
from infratest.acts.base import Access, Act, succeeded
from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import ActError, UserError
from infratest.transports.base import CommandResult

#: Disciplines that the kernel gives an interface by itself (tc(8)).
DEFAULTS = ("noqueue", "pfifo_fast", "fq_codel", "mq", "fq", "pfifo")
#: $1: the interface. Fine where another discipline is there already.
SMOOTH = 'case $(tc qdisc show dev "$1" root) in *netem*) exec tc qdisc del dev "$1" root ;; esac'
#: Tries netem in a network of its own, which is gone with this shell; fine where none may be made.
TRIED = """unshare -n true 2>/dev/null || exit 0
exec unshare -n tc qdisc add dev lo root netem delay 1ms"""
#: What tc says where the kernel knows no netem, and what an older one says.
UNKNOWN = ("Specified qdisc kind is unknown", "RTNETLINK answers: No such file or directory")
DEFAULT_ROUTE = """ip -4 route show default |
awk '{ for (i = 1; i < NF; i++) if ($i == "dev") { print $(i + 1); exit } }'"""


#: What it has at most: what undoes it goes the same way. Milliseconds, and percent.
MOST = {"delay": 10_000, "loss": 50}


@dataclass(frozen=True)
class NetemAct(Act):
    """What the host sends over the interface of its default route, late or in part."""

    what: str = field(metadata={"description": "delay or loss, as netem has it"})
    value: str = field(metadata={"description": "how much, as netem has it: 200ms, 10%"})

    def __post_init__(self) -> None:
        most = MOST.get(self.what)
        number = self.value.rstrip("ms%")
        if most is None or not number.isdigit() or not 1 <= int(number) <= most:
            raise UserError(
                f"traffic cannot have a {self.what} of {self.value}: more than 10000 ms, or 50 %, would keep away what "
                "undoes it"
            )

    def guard(self, access: Access, deadline: Deadline) -> None:
        """Refuse the network of the machine that infratest runs on, and one that somebody has shaped."""
        refuse_shared_network(access, deadline)
        interface = self._interface(access, deadline)
        result = access.run(["tc", "qdisc", "show", "dev", interface, "root"], deadline)
        succeeded(result, "tc qdisc show")
        words = decoded(result.stdout).split()
        if len(words) > 1 and words[1] not in DEFAULTS:
            raise ActError(f"the interface {interface} of {access.host} is shaped by {words[1]}: it is left alone")
        _refuse_without_netem(access.host, access.run(["sh", "-c", TRIED], deadline))

    def apply(self, access: Access, deadline: Deadline) -> str:
        interface = self._interface(access, deadline)
        command = ["tc", "qdisc", "add", "dev", interface, "root", "netem", self.what, self.value]
        result = access.run(command, deadline)
        _refuse_without_netem(access.host, result)
        return succeeded(result, " ".join(command))

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", SMOOTH, "sh", self._interface(access, deadline))

    def _interface(self, access: Access, deadline: Deadline) -> str:
        return line(access, ["sh", "-c", DEFAULT_ROUTE], deadline)


def _refuse_without_netem(host: str, result: CommandResult) -> None:
    """Raise ActError where tc says that the kernel knows no netem, with what would help."""
    words = decoded(result.stderr)
    if result.exit != 0 and any(one in words for one in UNKNOWN):
        raise ActError(
            f"the kernel of {host} has no netem, by which traffic is late or lost ({clean(words, 80)}): try `modprobe "
            "sch_netem` on that machine, a kernel that has this module (Red Hat's: kernel-modules-extra), or another "
            f"kernel; a container has that of its machine, {OWN_KERNEL}"
        )
