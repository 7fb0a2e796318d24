"""The fact `traffic`: which way the kernel sends what goes to an address. Argument: the address.

As `ip route get` answers, which heeds all tables and rules: ip-route(8). Nothing is sent.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, PUT, lines, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What the kernel answers where there is no way, or one that is forbidden or leads nowhere: ip-route(8), `TYPE`.
NO_WAY = ("Network is unreachable", "No route to host", "Host is unreachable", "Permission denied", "Invalid argument")


class Traffic(Record):
    """The way to an address.

    Args:
        interface: empty where there is no way. gateway: empty where the address is reached without one. source: the
        address that it is sent from. problem: in words why there is no way, or why it cannot be known.
    """

    interface: str = ""
    gateway: str = ""
    source: str = ""
    problem: str = ""
    known: bool = True

    def in_words(self) -> str:
        if not self.interface:
            return self.problem or "no way"
        by = f" by {self.gateway}" if self.gateway else ""
        return f"over {self.interface}{by} from {self.source or 'no address'}"


# A line for each: the exit status of ip, and the first line that it said.
SNIPPET = r"""
for address in "$@"; do
  words=$(ip -o route get "$address" 2>&1)
  status=$?
  one_line "${words%%"$nl"*}"
  put "$status $line$nl"
done
echo done
"""


class TrafficFact(LooksForEach):
    """Ways to addresses."""

    def snippet(self) -> str:
        return without("ip", "ip (iproute2) is not installed on this host") + ONE_LINE + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done" or len(rows) != len(arguments):
            raise FactError(f"of {len(arguments)} addresses asked for, {len(rows)} were answered")
        return {argument: _way(row) for argument, row in zip(arguments, rows, strict=True)}


def _way(row: str) -> Traffic:
    status, _, words = row.partition(" ")
    words = unescaped(words)
    if status != "0":
        known = words.endswith(NO_WAY) and "RTNETLINK answers" in words
        return Traffic(problem=words.rpartition(": ")[2] or f"ip ends with {status}", known=known)
    fields = words.split()
    pairs = {word: fields[place] for place, word in enumerate(fields[:-1], 1)}
    gateway = pairs.get("via", "")
    if gateway in ("inet", "inet6"):
        gateway = pairs.get(gateway, "")
    if "dev" not in pairs:
        return Traffic(problem=f"ip answers what is not understood: {cited(words, 80)}", known=False)
    if fields[0] in ("unreachable", "blackhole", "prohibit", "throw"):
        return Traffic(problem=f"the route is {fields[0]}")
    return Traffic(pairs["dev"], gateway, pairs.get("src", ""))
