"""The fact `redis`: all that a Redis or Valkey server says of itself (INFO). Argument: its address.

From the controller by a few bytes of its own protocol (RESP: a command is a list of texts), from a host by redis-cli or
valkey-cli there. A password goes through the environment of the client. A server that lets nobody in or is loading its
data is a value; a login that is refused is not known.
"""

from __future__ import annotations

from time import monotonic

from infratest.cleaning import beginning, cited
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts import _outside
from infratest.facts._service_address import ServiceAddress, service_address
from infratest.facts._shell import ENDED, LIMIT, ONE_LINE, lines, number, side_by_side, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

#: Bytes of an answer that are read: INFO has some five thousand, and a line more for each database and replica.
MOST = 2**18


class Info(Record):
    """What a server says of itself.

    Args:
        entries: by their names, as `redis_version`. seconds: from before the connection until they were there; None
        where the host keeps no such clock. refused: why there are none, in words. keyspace: whether it says which
        databases have keys; a Sentinel does not.
    """

    entries: dict[str, str] = {}
    seconds: float | None = None
    refused: str = ""
    keyspace: bool = False

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        shown = ("redis_version", "role", "connected_clients", "used_memory_human", "connected_slaves")
        return "\n".join(f"{name}:{self.entries[name]}" for name in shown if name in self.entries)


def redis_address(url: str) -> ServiceAddress:
    """Return an address taken apart. Raises UserError."""
    schemes = {"redis": "redis", "valkey": "redis"}
    address = service_address(url, "Redis server", schemes, {"redis": 6379}, "redis://cache:6379")
    if not address.host or address.options or not (address.name.isdecimal() or not address.name):
        raise UserError(f'the Redis server "{address.shown}": expected a host, and a number of a database or nothing')
    return address


# redis-cli tells what is wrong with a login in its standard error, and of a server's error on standard output.
SNIPPET = r"""
clock() {
  began=
  { read -r began rest </proc/uptime; } 2>/dev/null
  printf %s "$began"
}
client=redis-cli
command -v redis-cli >/dev/null 2>&1 || client=valkey-cli
command -v "$client" >/dev/null 2>&1 || { echo 'redis-cli is not installed on this host' >&2; exit 69; }
one() {
  began=$(clock)
  unset REDISCLI_AUTH
  [ -z "$5" ] || { REDISCLI_AUTH=$5; export REDISCLI_AUTH; }
  words=$($limit "$client" ${4:+--user "$4"} --no-auth-warning -h "$2" -p "$3" INFO 2>&1 </dev/null)
  status=$?
  one_line "$words"
  printf '%s %s %s %s %s\n' "$1" "$status" "${began:--}" "$(clock)" "$line"
}
"""
#: Servers that a host asks at the same time.
AT_ONCE = 32


class RedisFact(LooksForEach, LooksFromController):
    """Servers."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        return ONE_LINE + LIMIT.replace("SECONDS", f"{self.patience_there:g}") + SNIPPET + side_by_side(4, AT_ONCE)

    def words(self, argument: Argument) -> tuple[str, ...]:
        address = redis_address(argument[0])
        return (address.host, str(address.port), address.user, address.password)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        answers = {}
        for row in lines(self.readable(answer).out):
            index, status, began, ended, words = (*row.split(" ", 4), "", "", "", "")[:5]
            answers[number(index, "an index")] = number(status, "an exit status"), began, ended, unescaped(words)
        if not answers:
            raise FactError(f"of {len(arguments)} servers, none was answered for")
        return {
            argument: _by_client(redis_address(argument[0]), *answers[index])
            for index, argument in enumerate(arguments, 1)
            if index in answers
        }

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(redis_address(argument[0]), deadline, connect) for argument in arguments}

    def _look(self, address: ServiceAddress, deadline: Deadline, connect: Connect) -> Info | FactError:
        host, port = connect(address.host, address.port)
        with _outside.Turn(host, port, deadline.at_most(self.patience).left) as turn:
            return self._asked(address, (host, port), deadline, turn)

    def _asked(
        self, address: ServiceAddress, place: tuple[str, int], deadline: Deadline, turn: _outside.Turn
    ) -> Info | FactError:
        began, patience = monotonic(), deadline.at_most(turn.seconds)
        one, outcome, words = _outside.connection(*place, patience.left)
        outcome, words = turn.outcome(outcome, words)
        if one is None:
            if outcome in (_outside.SILENT, _outside.FAILED) and deadline.passed:
                raise DeadlineExceeded(f"{address.shown}: not let in before our own deadline")
            if outcome in (_outside.FAILED, _outside.UNRESOLVED):
                return FactError(f"could not connect to {address.shown} from here: {words}")
            return Info(refused=words)
        try:
            return _info(address, _exchange(one, address, patience)).changed(seconds=monotonic() - began)
        except TimeoutError:
            if deadline.passed:
                raise DeadlineExceeded(f"{address.shown}: no answer before our own deadline") from None
            words = f"it lets us in and does not answer within {self.patience:g} s"
            outcome, words = turn.outcome(_outside.MUTE, words)
            return Info(refused=words) if outcome == _outside.MUTE else FactError(f"{address.shown}: {words}")
        except OSError as error:
            return Info(refused=f"it hung up: {(error.strerror or str(error)).lower()}")
        except FactError as error:
            return error
        finally:
            one.close()


def _exchange(one: Any, address: ServiceAddress, patience: Deadline) -> str:
    """Log in where the address says so, and return the answer to INFO. Raises OSError, FactError."""
    login = [word for word in (address.user, address.password) if word]
    if address.password and (refusal := _asked(one, ["AUTH", *login], patience)) != "OK":
        raise FactError(f"could not log in to {address.shown}: {refusal}")
    return _asked(one, ["INFO"], patience)


def _asked(one: Any, words: list[str], patience: Deadline) -> str:
    """Send a command and return its reply, a text or an error: of the protocol's types `+`, `-` and `$`."""
    data = b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%s\r\n" % (len(each), each) for each in map(str.encode, words)])
    one.settimeout(max(0.05, patience.left))
    one.sendall(data)
    reply = b""
    while not _whole(reply):
        one.settimeout(max(0.05, patience.left))
        more = one.recv(2**16)
        if not more:
            raise ConnectionResetError(0, f"after {len(reply)} bytes of an answer")
        reply += more
        if len(reply) > MOST:
            raise FactError("its answer is longer than the 256 KiB that are read")
    head, _, rest = reply.partition(b"\r\n")
    return (rest[:-2] if head[:1] == b"$" else head[1:] if head[:1] == b"+" else head).decode("utf-8", "replace")


def _whole(reply: bytes) -> bool:
    """Whether a reply is there: a line, or behind `$N` so many bytes; of another protocol, whatever has a line."""
    head, mark, rest = reply.partition(b"\r\n")
    if not mark:
        return b"\n" in reply
    size = head[1:]
    return len(rest) >= int(size) + 2 if head[:1] == b"$" and size.isdigit() else True


def _info(address: ServiceAddress, text: str) -> Info:
    """Return what a server says of itself in the text of INFO: lines `name:value`, and headings. Raises FactError."""
    rows = [row.rstrip("\r") for row in text.split("\n")]
    values = {row.partition(":")[0]: row.partition(":")[2] for row in rows if row.find(":") > 0 and row[0] != "#"}
    if "redis_version" not in values:
        words = text.strip().removeprefix("(error) ").removeprefix("-")
        if words.startswith(("NOAUTH", "NOPERM", "WRONGPASS", "AUTH failed", "DENIED")):
            raise FactError(f"could not log in to {address.shown}: {beginning(text.strip(), 200)}")
        if words.startswith(SERVING_NOBODY):
            return Info(refused=f"it says {cited(words, 80)}")
        if text.startswith("-") or words.startswith("ERR "):
            raise FactError(f"{address.shown} does not say how it is (INFO): {beginning(text.strip(), 200)}")
        return Info(refused=f"it does not speak as Redis does, but says {cited(text, 80)}")
    if values.get("loading") == "1":
        return Info(refused="it is loading its data")
    return Info(values, keyspace="# Keyspace" in rows)


#: How its errors begin while it does nothing for anybody. Another one may be for who asks alone: of a command that has
#: another name, as `rename-command INFO ""` has it.
SERVING_NOBODY = ("ERR max number of clients", "BUSY ", "LOADING ")


#: What redis-cli says of a server that lets nobody in; else it could not ask.
REFUSING_WORDS = (
    "Connection refused", "Name or service not known", "No route to host", "timed out", "closed the connection",
    "Connection reset", "Protocol error",
)  # fmt: skip


def _by_client(address: ServiceAddress, status: int, began: str, ended: str, words: str) -> Info | FactError:
    if status in ENDED:
        return Info(refused="no answer in time")
    if status:
        if any(each in words for each in REFUSING_WORDS):
            return Info(refused=words.strip())
        return FactError(
            f"redis-cli could not ask {address.shown}: {beginning(words.strip(), 200) or f'exit {status}'}"
        )
    try:
        info = _info(address, words)
    except FactError as error:
        return error
    try:
        return info.changed(seconds=round(float(ended) - float(began), 2))
    except ValueError:
        return info
