"""Traffic late or in part: `traffic is delayed by 200 ms`, `10 % of traffic is lost`, by netem (tc-netem(8))."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.acts._fault import line, refuse_shared_network
from infratest.acts.base import Access, Act, succeeded
from infratest.cleaning import decoded
from infratest.deadline import Deadline
from infratest.errors import ActError, UserError

#: Disciplines that the kernel gives an interface by itself (tc(8)).
DEFAULTS = ("noqueue", "pfifo_fast", "fq_codel", "mq", "fq", "pfifo")
#: $1: the interface. Fine where another discipline is there already.
SMOOTH = 'case $(tc qdisc show dev "$1" root) in *netem*) exec tc qdisc del dev "$1" root ;; esac'
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

    def apply(self, access: Access, deadline: Deadline) -> str:
        interface = self._interface(access, deadline)
        command = ["tc", "qdisc", "add", "dev", interface, "root", "netem", self.what, self.value]
        return succeeded(access.run(command, deadline), " ".join(command))

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", SMOOTH, "sh", self._interface(access, deadline))

    def _interface(self, access: Access, deadline: Deadline) -> str:
        return line(access, ["sh", "-c", DEFAULT_ROUTE], deadline)
