"""The fact `ping`: whether an address answers echo requests (ICMP). Argument: its name or address.

By the `ping` of whoever looks, a host or the controller: iputils' and busybox' may send ICMP where we may not. Ten are
sent in two seconds (four, one a second, by a busybox that sends no quicker), and each has two seconds to come back.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import DeadlineExceeded, FactError, ProviderError
from infratest.facts._server_place import pinged
from infratest.facts._shell import ONE_LINE, lines, number, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect


class Echo(Record):
    """What came back.

    Args:
        sent, received: requests and answers. seconds: of a round trip, on average; None where nothing came back.
        nameless: why there is nobody to be asked: no such name; empty where there is.
    """

    sent: int = 0
    received: int = 0
    seconds: float | None = None
    nameless: str = ""

    @property
    def loss(self) -> float:
        """The share of requests without an answer, in per cent."""
        return 100 * (self.sent - self.received) / self.sent if self.sent else 100.0

    def in_words(self) -> str:
        from infratest.units import human

        if self.nameless:
            return self.nameless
        time = "" if self.seconds is None else f", {human(self.seconds, 's')} on average"
        return f"{self.received} of {self.sent} came back{time}"


# `N EXIT words` for each, in one line of what ping says. Busybox' of before 1.31 takes no part of a second.
SNIPPET = r"""
one() {
  words=$(ping -q -c 10 -i 0.2 -W 2 "$2" 2>&1 </dev/null)
  status=$?
  case $words in
    *'invalid option'* | *'invalid number'* | *'unrecognized option'*)
      words=$(ping -q -c 4 -W 2 "$2" 2>&1 </dev/null)
      status=$?
      ;;
  esac
  one_line "$words"
  printf '%s %s %s\n' "$1" "$status" "$line"
}
n=0
for host in "$@"; do
  n=$((n + 1))
  one "$n" "$host" &
done
wait
"""

#: What says that there is no such name; of busybox' `bad address` that is not certain.
NAMELESS = ("name or service not known", "no address associated", "unknown host", "name does not resolve")


class PingFact(LooksForEach, LooksFromController):
    """Echo requests and what came back."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        return without("ping", "ping (iputils) is not installed here") + ONE_LINE + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (pinged(argument[0]),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        answers: dict[int, tuple[int, str]] = {}
        for row in lines(self.readable(answer).out):
            index, _, rest = row.partition(" ")
            status, _, words = rest.partition(" ")
            answers[number(index, "an index")] = number(status, "ping's exit status"), unescaped(words)
        if not answers:
            raise FactError(f"of {len(arguments)} addresses asked for, none was answered")
        return {
            argument: _echo(argument[0], *answers[index])
            for index, argument in enumerate(arguments, 1)
            if index in answers
        }

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        from infratest.local_program import call

        addresses = [(_routed(argument[0], connect),) for argument in arguments]
        try:
            words = ["sh", "-c", self.ask(addresses)]
            status, out, err = call(words, deadline, environment={"LC_ALL": "C"})
        except ProviderError as error:
            if deadline.passed:
                raise DeadlineExceeded(f"ping {arguments[0][0]}: not ended before our own deadline") from None
            raise FactError(f"could not ping: {error}") from None
        values = self.read(Answer(status, out, err), addresses)
        return {argument: values[address] for argument, address in zip(arguments, addresses, strict=True)}


def _routed(host: str, connect: Connect) -> str:
    """Return where a host answers ping. Raises FactError where its address is not routed: a port is all that is."""
    try:
        return connect(pinged(host), 0)[0]
    except FactError:
        raise FactError(f"the address of {host} is not routed to the controller: ping it from another host") from None


def _echo(host: str, status: int, words: str) -> Echo | FactError:
    """Return what ping's words mean; an error where it could not send."""
    said = words.lower()
    summary = next((row for row in said.split("\n") if "packets transmitted" in row), "")
    if not summary or "network is unreachable" in said:
        if any(text in said for text in NAMELESS):
            return Echo(nameless=f"its name is not known: {beginning(words.strip(), 200)}")
        return FactError(f"could not ping {host} from here: {beginning(words.strip(), 200) or f'exit {status}'}")
    parts = summary.split(", ")
    sent = number(parts[0].split(" ")[0], "the number of requests")
    received = number(parts[1].strip().split(" ")[0] if len(parts) > 1 else "", "the number of answers")
    if not 0 <= received <= sent or not sent:
        return FactError(f"the answer of ping is not understood: {cited(summary, 200)}")
    return Echo(sent, received, _average(said) if received else None)


def _average(said: str) -> float:
    """Return the seconds of a round trip on average: `rtt min/avg/max/mdev = 0.042/0.081/0.159/0.054 ms`."""
    times = next((row for row in said.split("\n") if "min/avg/max" in row), "").partition(" = ")[2].split("/")
    try:
        return float(times[1]) / 1000
    except (IndexError, ValueError):
        raise FactError(f"the answer of ping is not understood: {said[-200:]!r}") from None
