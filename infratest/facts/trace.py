"""The fact `trace`: by which routers an address is reached, as traceroute has it. Argument: its name or address.

From the controller, and from a host that has python3, `_trace_look` sends its own datagrams, which need no right; else
a host's traceroute is asked (Debian's, busybox'). A router that does not answer is a hop whose address nobody knows; an
address that does not answer (a filter, and most firewalls are one) has no number of hops that anybody could know.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._outside import FAILED, NAMELESS, OPEN, SILENT, STOPPED, UNRESOLVED
from infratest.facts._server_place import pinged
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect


class Trace(Record):
    """A way, as far as it could be followed.

    Args:
        hops: who answered, in order, the address itself last where it is reached; empty for who does not answer.
        reached: whether the address answered. stopped: why it is not reached, as a router says; empty where none does.
        nameless: why there is nobody to be asked; empty where there is. silent: why more is not known.
    """

    hops: tuple[str, ...] = ()
    reached: bool = False
    stopped: str = ""
    nameless: str = ""
    silent: str = ""

    def in_words(self) -> str:
        way = ", ".join(each or "*" for each in self.hops)
        return self.nameless or " ".join(each for each in (way, self.stopped or self.silent) if each)


# `N ended EXIT words` for each, in one line of what traceroute says. Each has ports of its own, for busybox takes
# what is said of another's datagrams for its own; and an end, for one that nobody answers would last for minutes.
SNIPPET = r"""
command -v traceroute >/dev/null 2>&1 ||
  { echo 'neither python3 nor traceroute is installed on this host: install one of them' >&2; exit NO_TOOL; }
timeout 5 true >/dev/null 2>&1 ||
  { echo 'neither python3 nor timeout, which ends a traceroute, is installed on this host' >&2; exit NO_TOOL; }
echo traceroute
one() {
  words=$(timeout PATIENCE traceroute -n -q 2 -w 2 -m 30 -p "$((33434 + 100 * $1))" "$2" 2>&1 </dev/null)
  status=$?
  one_line "$words"
  printf '%s ended %s %s\n' "$1" "$status" "$line"
}
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  one "$n" "$2" &
  shift 4
done
wait
""".replace("NO_TOOL", str(NO_TOOL))

#: What says that there is no such name; and what stands behind the time of a router that says that the way ends:
#: traceroute(8).
NAMELESS_WORDS = ("name or service not known", "no address associated", "unknown host", "name does not resolve")
ENDED = ("124", "137", "143")  # of a `timeout` that had to end its program: coreutils', busybox'
ENDS = {"!H": "no route to host", "!N": "network is unreachable", "!P": "protocol not available", "!X": "prohibited",
        "!A": "prohibited"}  # fmt: skip


class TraceFact(LooksForEach, LooksFromController):
    """Ways to addresses. Seconds that one has: seen from the controller, and from a host."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts import _trace_look
        from infratest.facts._outside_there import by_python, program_with

        script = SNIPPET.replace("PATIENCE", f"{self.patience_there:g}")
        return by_python(self.patience_there, script, program_with(_trace_look.__file__))

    def words(self, argument: Argument) -> tuple[str, ...]:
        return ("trace", pinged(argument[0]), "0", "")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows

        tool, answers = rows(self.readable(answer))
        found: dict[Argument, Trace | FactError] = {}
        for index, argument in enumerate(arguments, 1):
            if index in answers:
                outcome, took, words = answers[index]  # of traceroute `ended`, and its exit status
                by_program = tool == "traceroute"
                value = _of_program(argument[0], took, words) if by_program else _trace(argument[0], outcome, words)
                found[argument] = value
        return found

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument[0], deadline, connect) for argument in arguments}

    def _look(self, host: str, deadline: Deadline, connect: Connect) -> Trace | FactError:
        from infratest.facts._trace_look import trace

        try:
            address = connect(pinged(host), 0)[0]
        except FactError:
            words = "is not routed to the controller: follow the way from another host"
            raise FactError(f"the address of {host} {words}") from None
        had = deadline.at_most(self.patience).left
        outcome, _, words = trace(address, 0, had)
        if outcome == SILENT and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"the way to {host}: not at its end before our own deadline")
        return _trace(host, outcome, words)


def _trace(host: str, outcome: str, text: str) -> Trace | FactError:
    """Return what an outcome of `_trace_look` means."""
    way, mark, words = text.partition("|")
    hops = tuple("" if each == "*" else each for each in way.split())
    if not mark or not all(each == "" or _is_address(each) for each in hops) or (outcome == OPEN and not hops):
        raise FactError(f"the answer is not understood: {cited(text, 80)} is no way")
    if outcome in (FAILED, UNRESOLVED):
        return FactError(f"could not follow the way to {host} from here: {words}")
    if outcome == NAMELESS:
        return Trace(nameless=words)
    if outcome == STOPPED:
        return Trace(hops, stopped=words)
    if outcome not in (OPEN, SILENT):
        raise FactError(f"the answer is not understood: {cited(outcome, 80)} is no outcome")
    return Trace(hops, reached=outcome == OPEN, silent="" if outcome == OPEN else words)


def _of_program(host: str, status: str, words: str) -> Trace | FactError:
    """Return what traceroute's words mean: `traceroute to db (10.0.0.2), 30 hops max`, ` 1  10.0.0.1  0.05 ms`."""
    first, *rows = words.strip("\n").split("\n")
    if status in ENDED:
        rows = rows[:-1]  # what stood there when its time was over
    while rows and not first.startswith("traceroute to "):
        first, *rows = rows
    address = first.partition(" (")[2].partition(")")[0]
    if not _is_address(address) or status not in ("0", *ENDED):
        if any(text in words.lower() for text in NAMELESS_WORDS):
            return Trace(nameless=f"its name is not known: {beginning(words.strip(), 200)}")
        return FactError(
            f"could not follow the way to {host} from here: {beginning(words.strip(), 200) or f'exit {status}'}"
        )
    hops: list[str] = []
    for place, row in enumerate(rows, 1):
        number, *rest = row.split() or [""]
        seen = next((each for each in rest if _is_address(each)), "")
        if number != str(place) or not rest or not (seen or "*" in rest):
            return FactError(f"the answer of traceroute is not understood: {cited(row, 200)}")
        hops.append(seen)
        mark = next((each for each in rest if each.startswith("!")), "")
        if mark:
            return Trace(tuple(hops), stopped=ENDS.get(mark, f"traceroute says {mark[:10]}"))
    if hops and hops[-1] == address:
        return Trace(tuple(hops), reached=True)
    while hops and not hops[-1]:
        hops.pop()
    return Trace(tuple(hops), silent="nobody answers behind it")


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
