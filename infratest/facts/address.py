"""The fact `address`: whether one can connect to an address. Argument: `tcp://db:5432`, or it and the address to come
from.

From the controller, and from a host that has python3, `_outside` tries: it knows a refusal, a filter and silence from
each other and from a machine that has no way itself. Else a host's nc is asked (OpenBSD's, the traditional one, nmap's,
busybox'), else bash, which say the same in words of their own. UDP is connected with nobody: what is known of it is an
answer, a refusal by ICMP, or, where the protocol is one that always answers (DNS, NTP), silence.
"""

from __future__ import annotations

from time import monotonic

from infratest.cleaning import cited
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts import _outside
from infratest.facts._outside import FAILED, MUTE, NAMELESS, OPEN, REFUSED, SILENT, STOPPED, UNRESOLVED
from infratest.facts._server_place import named
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record
from infratest.web_address import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect


class Reach(Record):
    """What came of connecting to an address.

    Args:
        outcome: `open`, `refused`, `stopped` (a filter, or a way that ends), `silent`, or `nameless`: no such name.
        seconds: it took, the look-up of its name included; None where the host could not take the time. words: why.
    """

    outcome: str
    seconds: float | None
    words: str = ""

    def in_words(self) -> str:
        return f"{self.outcome}: {self.words}" if self.words else self.outcome


class Place(Record):
    """An address with a port as a sentence has it, taken apart: `tcp` or `udp`, host without brackets, port."""

    kind: str
    host: str
    port: int

    @property
    def text(self) -> str:
        """The same, always written alike."""
        return f"{self.kind}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def place(text: str) -> Place:
    """Return an address taken apart: `db:5432`, `[::1]:22`, `tcp://db:5432`, `udp://10.0.0.2:53`.

    Raises:
        UserError: it is none of these.
    """
    kind, mark, rest = text.partition("://")
    kind, rest = (kind, rest) if mark else ("tcp", text)
    parts = host_and_port(rest)
    if kind not in ("tcp", "udp") or parts is None or not parts[1] or not named(parts[0]):
        raise UserError(f'the address "{text}": expected HOST:PORT, as db:5432, [::1]:22, tcp://db:5432, udp://db:53')
    return Place(kind, *parts)


# First line: what is asked. Then `N ended BEFORE AFTER EXIT words` for each, times by the kernel's own clock. -z only
# connects; a busybox that does not know it runs `true` once it is connected. nmap's says of an
# address that is none of this host's just what it says of silence, so it is not trusted with one to come from.
SNIPPET = r"""
nc= run= from=yes
case $(nc -h 2>&1 </dev/null) in
  *OpenBSD*) nc='-z -v' ;;
  *'[v1.1'*) nc='-z -v' ;;
  *Ncat*) nc='-z -v' from= ;;
  *BusyBox*-z*) nc=-z from= ;;
  *BusyBox*) nc=' ' run='-e true' from= ;;
esac
if [ -n "$nc" ]; then
  echo nc
elif command -v bash >/dev/null 2>&1 && timeout 5 true >/dev/null 2>&1; then
  echo bash
  from=
else
  echo 'nothing that connects is installed on this host: install python3 or netcat-openbsd' >&2
  exit NO_TOOL
fi
try() {
  if [ "$2" != tcp ]; then
    printf '%s failed 0 UDP is asked with python3, which is not installed on this host\n' "$1"
    return
  fi
  if [ -n "$5" ] && [ -z "$from" ]; then
    printf '%s failed 0 python3, which can choose the address to come from, is not installed on this host\n' "$1"
    return
  fi
  plain=
  case $3 in *[!0-9.]*) ;; *) plain=-n ;; esac
  case $nc in '-z -v') ;; *) plain= ;; esac
  read -r before rest </proc/uptime
  if [ -n "$nc" ]; then
    words=$(nc $nc $plain ${5:+-s "$5"} -w PATIENCE "$3" "$4" $run 2>&1 </dev/null)
  else
    words=$(timeout PATIENCE bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$3" "$4" 2>&1 </dev/null)
  fi
  status=$?
  read -r after rest </proc/uptime
  one_line "$words"
  printf '%s ended %s %s %s %s\n' "$1" "$before" "$after" "$status" "$line"
}
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  try "$n" "$1" "$2" "$3" "$4" &
  shift 4
done
wait
""".replace("NO_TOOL", str(NO_TOOL))

#: What programs say when they cannot connect, in the C locale; the first that is there counts. Of busybox a name that
#: is not there and name servers that do not answer are both a `bad address`.
SAID = (
    ("timed out", SILENT), ("ncat: timeout", SILENT), ("connection refused", REFUSED), ("connection reset", REFUSED),
    ("no route to host", STOPPED), ("host is unreachable", STOPPED), ("operation not permitted", STOPPED),
    ("permission denied", STOPPED), ("network is unreachable", FAILED), ("network unreachable", FAILED),
    ("temporary failure", UNRESOLVED), ("try again", UNRESOLVED), ("host name lookup failure", UNRESOLVED),
    ("bad address", UNRESOLVED), ("name or service not known", NAMELESS), ("no address associated", NAMELESS),
    ("name does not resolve", NAMELESS), ("unknown host", NAMELESS),
)  # fmt: skip

#: Statuses of a `timeout` that had to end its program: coreutils', busybox'.
ENDED = (124, 137, 143)


class AddressFact(LooksForEach, LooksFromController):
    """Addresses to connect to. Seconds that each has: seen from the controller, and from a host."""

    encoded = True
    at_once = True
    patience = 5.0
    patience_there = 4.0

    def snippet(self) -> str:
        from infratest.facts._outside_there import by_python

        return by_python(self.patience_there, SNIPPET.replace("PATIENCE", f"{self.patience_there:g}"))

    def words(self, argument: Argument) -> tuple[str, ...]:
        one = place(argument[0])
        return (one.kind, one.host, str(one.port), argument[1] if len(argument) > 1 else "")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows

        tool, answers = rows(self.readable(answer))
        return {
            argument: self._told(tool, argument, *answers[index])
            for index, argument in enumerate(arguments, 1)
            if index in answers
        }

    def _told(self, tool: str, argument: Argument, outcome: str, took: str, words: str) -> Reach | FactError:
        from infratest.facts._outside_there import seconds

        if outcome != "ended":
            return _reach(outcome, seconds(took), words, argument)
        after, _, rest = words.partition(" ")
        status, _, words = rest.partition(" ")
        if not status.isdigit():
            raise FactError(f"the answer is not understood: {tool} ended with {cited(status, 80)}")
        past = seconds(after) - seconds(took)
        outcome, words = _of_program(tool, int(status), words, self.patience_there)
        if outcome == NAMELESS and ":" in place(argument[0]).host:
            outcome, words = FAILED, f"this host's {tool} knows no IPv6: install python3 or netcat-openbsd"
        return _reach(outcome, max(0.0, past), words, argument)

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Reach | FactError:
        one = place(argument[0])
        address, port = connect(one.host, one.port)
        published = (address, port) != (one.host, one.port) and (port != one.port or address.startswith("127."))
        if published and one.kind == "udp":
            return FactError(f"{one.text} is published for TCP alone: look from a host, as `from the host`")
        limit = deadline.at_most(self.patience)
        began, had = monotonic(), limit.left
        outcome, took, words = _outside.reach(one.kind, address, port, (*argument, "")[1], had)
        if outcome == SILENT and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{one.text}: no answer before our own deadline")
        if published and outcome == OPEN:
            outcome, words = _behind(address, port, max(0.1, min(1.0, had - (monotonic() - began))))
        return _reach(outcome, took, words, argument)


def _behind(address: str, port: int, seconds: float) -> tuple[str, str]:
    """Return whether anybody is behind a published port: what forwards it lets everybody in, and may then hang up."""
    began = monotonic()
    outcome, _, data, words = _outside.greeting(address, port, seconds)
    if outcome != MUTE or data:
        return outcome, words
    if monotonic() - began < seconds * 0.9:
        return REFUSED, "what publishes the port hung up at once"
    return FAILED, (
        "the port is published, and what forwards it lets everybody in, whoever is behind it: look from another host, "
        'as `from "web-1"`, or ask what the service answers'
    )


def _reach(outcome: str, took: float, words: str, argument: Argument) -> Reach | FactError:
    """Return what an outcome means; an error where nobody could look."""
    if outcome in (OPEN, REFUSED, STOPPED, SILENT, NAMELESS):
        return Reach(outcome, took, words)
    if outcome == MUTE:
        why = "UDP that nobody answers and nobody refuses may have arrived or not; ask what the service does instead"
        return FactError(f"whether {argument[0]} is reachable is not known: {words}, and {why}")
    if outcome == UNRESOLVED:
        return FactError(f"the name in {argument[0]} could not be looked up: {words}")
    if outcome == FAILED:
        return FactError(f"could not connect to {argument[0]} from here: {words}")
    raise FactError(f"the answer is not understood: {cited(outcome, 80)} is no outcome")


def _of_program(tool: str, status: int, words: str, patience: float) -> tuple[str, str]:
    """Return the outcome of a program that should connect, and why."""
    if status == 0:
        return OPEN, ""
    if tool == "bash" and status in ENDED:
        return SILENT, f"no answer within {patience:g} s"
    said = words.lower()
    for text, outcome in SAID:
        if text in said:
            return outcome, f"no answer within {patience:g} s" if outcome == SILENT else text
    return FAILED, f"{tool} says {cited(words, 200)}"
