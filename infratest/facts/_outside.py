"""What a machine sees of others: whether an address lets it connect, how it greets, what a name stands for.

The facts `address`, `greeting` and `name` call it for the controller, and send its very text to hosts that have
python3, so that both see alike. There it runs by itself, on Python 3.6 and later: no import but of what costs nothing,
no syntax and no types that are newer. What it prints for each question is one line, shorter than what a pipe takes at
once, for questions are asked at the same time: `N outcome seconds words`, line breaks escaped.
"""

import _socket
import _thread
import errno
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Asks = Callable[..., tuple[str, float, str]]

#: What comes of an attempt. The first lets us in; of the next three each is an answer, too: nobody lets us in.
OPEN, REFUSED, STOPPED, SILENT = "open", "refused", "stopped", "silent"
#: UDP that nobody answered although nobody refused it; no such name; no name server said; the looker could not look.
MUTE, NAMELESS, UNRESOLVED, FAILED = "mute", "nameless", "unresolved", "failed"

#: Which attempt speaks for a name of several places: the first of these that there is.
WEIGHT = (OPEN, MUTE, SILENT, REFUSED, STOPPED, FAILED)

#: What the kernel calls being stopped on the way: ICMP's host unreachable or prohibited by a filter there (RFC 1812,
#: 5.2.7.1, as Linux translates it in net/ipv4/icmp.c), this machine's own filter (EPERM) or a route that forbids it.
BARRED = (errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.ENOPROTOOPT)
TURNED_AWAY = (errno.ECONNREFUSED, errno.ECONNRESET)

#: By port, a question that whoever speaks the protocol answers: DNS for the root's name servers (RFC 1035, 4.1), NTP
#: as a client of version 4 (RFC 5905, 7.3).
PROBES = {53: b"\x1f\x7e\x01\0\0\x01\0\0\0\0\0\0\0\0\x02\0\x01", 123: b"\x23" + 47 * b"\0"}
TRIES = 3

#: Bytes of a greeting that are kept, and seconds that what has begun may rest before it is over.
GREETING, REST = 1000, 2.0

#: Characters of what is seen, as it is printed.
TEXT = 3000

#: Questions of other programs that this one is the beginning of: by their kind, what answers as `resolve` does.
ANSWERS: "dict[str, Any]" = {}

#: Conversations with one server at a time: Dovecot takes 10 of one account from one address by default
#: (mail_max_userip_connections), sshd 10 that have not logged in (MaxStartups), and they turn away who comes then.
SIDE_BY_SIDE = 4
#: Seconds within which one of them must end: else the server hangs, and whoever waits begins all the same, to see it
#: for itself. Seconds behind its time until which it may then take, less than a host's script has (BEHIND). The part of
#: its time without which silence says nothing of the server.
STALLED, LATER, ENOUGH = 1.0, 1.5, 0.9

#: No such name, by the C libraries' numbers: those of macOS are others.
UNKNOWN_NAMES = (_socket.EAI_NONAME, getattr(_socket, "EAI_NODATA", _socket.EAI_NONAME))


class _Queue:
    """Who converses with a server, and who waits for that. `ended`: when one of them last did."""

    def __init__(self) -> None:
        self.busy, self.ended = 0, 0.0
        self.waiting: list[Any] = []


_queues: "dict[tuple[str, int], _Queue]" = {}
_lock = _thread.allocate_lock()


class Turn:
    """A turn to converse with a server, taken as a context: what is measured of the server begins within.

    Args:
        seconds: for waiting and conversing; a little more where those before keep it waiting.
    Attributes:
        seconds: what the conversation has of them.
    """

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._server, self._had, self.seconds = (host, int(port)), seconds, seconds
        self._queue = _Queue()

    def __enter__(self) -> "Turn":
        asked, mine = monotonic(), _thread.allocate_lock()
        with _lock:
            queue = self._queue = _queues.setdefault(self._server, self._queue)
            if queue.busy < SIDE_BY_SIDE:
                queue.busy += 1
                return self
            mine.acquire()
            queue.waiting.append(mine)
        end = asked + self._had
        left = min(self._had, STALLED)
        while left > 0 and not mine.acquire(True, left):
            left = min(end, max(asked, queue.ended) + STALLED) - monotonic()
        with _lock:
            if mine in queue.waiting:
                queue.waiting.remove(mine)
                queue.busy += 1
        self.seconds = max(0.05, min(self._had, end + LATER - monotonic()))
        return self

    def __exit__(self, *_: object) -> None:
        queue = self._queue
        with _lock:
            queue.ended = monotonic()
            if queue.waiting and queue.busy <= SIDE_BY_SIDE:
                queue.waiting.pop(0).release()
                return
            queue.busy -= 1
            if not queue.busy and not queue.waiting:
                del _queues[self._server]

    def outcome(self, outcome: str, words: str) -> "tuple[str, str]":
        """Return what comes of an attempt: of silence nothing, where its time went by before its turn came."""
        if outcome not in (SILENT, MUTE) or self.seconds >= ENOUGH * self._had:
            return outcome, words
        return FAILED, f"no answer within {self.seconds:.2g} s, for others asked it until then; ask it less at once"


def in_turn(ask: "Asks") -> "Asks":
    """Return what asks a server, host, port and seconds first, so that it does when its turn has come."""

    def asked(host: str, port: int, seconds: float, *more: str) -> "tuple[str, float, str]":
        with Turn(host, port, seconds) as turn:
            outcome, took, words = ask(host, port, turn.seconds, *more)
        outcome, words = turn.outcome(outcome, words)
        return outcome, took, words

    return asked


def reach(kind: str, host: str, port: int, local: str, seconds: float) -> "tuple[str, float, str]":
    """Try every place that a host's name stands for until one lets us in.

    Args:
        kind: `tcp` or `udp`. local: the address to come from, empty for any. seconds: for all of them together.
    Returns:
        The outcome, the seconds it took, and words for it.
    """
    began = monotonic()
    outcome, words = _outcome(kind, host, port, local, seconds)
    return outcome, monotonic() - began, words


def _outcome(kind: str, host: str, port: int, local: str, seconds: float) -> "tuple[str, str]":
    try:
        places = _places(kind, host, port, local)
    except OSError as error:
        return _unresolved(error)
    end = monotonic() + seconds
    seen: dict[str, str] = {}
    for left, place in zip(range(len(places), 0, -1), places):  # noqa: B905 - of Python 3.10
        one, outcome, words = _connected(place, local, max(0.05, (end - monotonic()) / left))
        if one is not None and kind == "udp":
            outcome, words = _questioned(one, port, max(0.05, (end - monotonic()) / left))
        if one is not None:
            one.close()
        if outcome == OPEN:
            return OPEN, ""
        seen.setdefault(outcome, words)
    outcome = next(each for each in WEIGHT if each in seen)
    return outcome, seen[outcome]


def greeting(host: str, port: int, seconds: float) -> "tuple[str, float, bytes, str]":
    """Connect and read what is said unasked: its first line, those that it says go on (`220-`), or until it rests.

    Returns:
        The outcome (`mute` where it lets us in and says nothing), the seconds until it was there, its bytes, words.
    """
    with Turn(host, port, seconds) as turn:
        began, data = monotonic(), b""
        one, outcome, words = connection(host, port, turn.seconds)
        if one is not None:
            data = _heard(one, began + turn.seconds)
            one.close()
            outcome = OPEN if data else MUTE
        outcome, words = turn.outcome(outcome, words)
        return outcome, monotonic() - began, data, words


def connection(host: str, port: int, seconds: float) -> "tuple[Any, str, str]":
    """Return a TCP connection to the first place that lets us in, or None; the outcome, and words for it."""
    try:
        places = _places("tcp", host, port, "")
    except OSError as error:
        return (None, *_unresolved(error))
    end, outcome, words = monotonic() + seconds, FAILED, ""
    for left, place in zip(range(len(places), 0, -1), places):  # noqa: B905
        one, outcome, words = _connected(place, "", max(0.05, (end - monotonic()) / left))
        if one is not None:
            return one, OPEN, ""
    return None, outcome, words


def resolve(name: str) -> "tuple[str, float, str]":
    """Return what a name stands for, as programs here resolve it: its addresses, with blanks between them."""
    began = monotonic()
    try:
        places = _socket.getaddrinfo(_written(name), 0, 0, _socket.SOCK_STREAM)
    except OSError as error:
        outcome, words = _unresolved(error)
        return outcome, monotonic() - began, words
    return OPEN, monotonic() - began, " ".join(sorted({str(place[4][0]) for place in places}))


def _written(name: str) -> "str | bytes":
    # As bytes: for a text Python loads what turns other scripts into ASCII, which a plain name is already.
    return name.encode() if all(ord(one) < 128 for one in name) else name


def _places(kind: str, host: str, port: int, local: str) -> "list[Any]":
    """Return what a host's name stands for, of the family that it is come from. Raises OSError."""
    family = 0 if not local else _socket.AF_INET6 if ":" in local else _socket.AF_INET
    sort = _socket.SOCK_DGRAM if kind == "udp" else _socket.SOCK_STREAM
    return _socket.getaddrinfo(_written(host), port, family, sort)


def _unresolved(error: OSError) -> "tuple[str, str]":
    words = str(error.args[-1]) if error.args else str(error)
    return (NAMELESS if error.errno in UNKNOWN_NAMES else UNRESOLVED), words


def _connected(place: "Any", local: str, seconds: float) -> "tuple[Any, str, str]":
    """Return a connection to a place, or None, with the outcome and its words."""
    family, sort, protocol, _, address = place
    try:
        one = _socket.socket(family, sort, protocol)
        if local:
            one.bind((local, 0))
    except OSError as error:
        return None, FAILED, f"{local or 'a socket'}: {error.strerror or error}"
    try:
        one.settimeout(seconds)
        one.connect(address)
        if sort == _socket.SOCK_STREAM and _is_itself(one):
            raise OSError(errno.ECONNREFUSED, "nobody but this connection itself")  # a free port that connects may take
        return one, OPEN, ""
    except OSError as error:
        outcome, words = _refusal(error, place, seconds)
        one.close()
        return None, outcome, words


def _is_itself(one: "Any") -> bool:
    """Whether both ends of a connection are one. What is reset already was another's: whoever reads is told of it."""
    try:
        return bool(one.getsockname() == one.getpeername())
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise
        return False


def _refusal(error: OSError, place: "Any", seconds: float) -> "tuple[str, str]":
    words = (error.strerror or str(error)).lower()
    if isinstance(error, _socket.timeout) or error.errno == errno.ETIMEDOUT:
        return SILENT, f"no answer within {seconds:.2g} s"
    if error.errno in TURNED_AWAY:
        return REFUSED, words
    if error.errno in BARRED or (error.errno == errno.ENETUNREACH and _routed(place)):
        return STOPPED, words
    return FAILED, words


def _routed(place: "Any") -> bool:
    """Whether this machine has a way to a place: then it was another that said there is none."""
    one = _socket.socket(place[0], _socket.SOCK_DGRAM)
    try:
        one.connect(place[4])
    except OSError as error:
        return error.errno != errno.ENETUNREACH
    finally:
        one.close()
    return True


def _questioned(one: "_socket.socket", port: int, seconds: float) -> "tuple[str, str]":
    """Send what asks for an answer, a few times, for datagrams get lost."""
    for _ in range(TRIES):
        try:
            one.settimeout(seconds / TRIES)
            one.send(PROBES.get(port, b""))
            one.recv(GREETING)
            return OPEN, ""
        except _socket.timeout:
            pass
        except OSError as error:
            words = (error.strerror or str(error)).lower()
            return (REFUSED if error.errno in TURNED_AWAY else STOPPED if error.errno in BARRED else FAILED), words
    return (SILENT if port in PROBES else MUTE), f"no answer within {seconds:.2g} s"


def _heard(one: "_socket.socket", end: float) -> bytes:
    """Return what a connection says until its last line is there, it rests, ends, or the end has come."""
    data = b""
    while len(data) < GREETING and not _over(data):
        left = end - monotonic()
        try:
            one.settimeout(max(0.05, min(left, REST) if data else left))
            more = one.recv(GREETING - len(data))
        except OSError:
            break
        if not more:
            break
        data += more
    return data


def _over(data: bytes) -> bool:
    """Whether the last line is there that a greeting has: RFC 5321, 4.2.1 has a hyphen where more follow.

    What holds a NUL has no lines: MySQL's greeting has its version of the protocol, 10, where they would end.
    """
    line = data[:-1].rpartition(b"\n")[2]
    return data[-1:] == b"\n" and b"\0" not in data and not (line[:3].isdigit() and line[3:4] == b"-")


def _answer(words: "list[str]", seconds: float) -> str:
    """Return what is printed for a question: its kind, host, port, and where to come from or what else a kind needs."""
    kind, host, port, local = words
    if kind == "name":
        outcome, took, text = resolve(host)
    elif kind == "greeting":
        outcome, took, data, text = greeting(host, int(port), seconds)
        text = f"{data.hex() or '-'} {text}"
    elif kind in ANSWERS:
        more = (local,) if local else ()
        outcome, took, text = ANSWERS[kind](host, int(port), seconds, *more)
    else:
        outcome, took, text = reach(kind, host, int(port), local, seconds)
    escaped = text[:TEXT].replace("\\", "\\\\").replace("\n", "\\n")
    return f"{outcome} {took:.4f} {escaped}"


def main(words: "list[str]") -> None:
    """Answer all questions at once: the seconds that each has, then four words each; behind `-` they are read.

    Secrets are read: what a program is started with, everybody sees.
    """
    import os
    from threading import Thread

    if words[1:] == ["-"]:
        words = [words[0], *sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\n")[:-1]]

    def ask(number: int, question: "list[str]") -> None:
        os.write(1, f"{number} {_answer(question, float(words[0]))}\n".encode("utf-8", "replace"))

    os.write(1, b"python3\n")
    asked = [words[at : at + 4] for at in range(1, len(words), 4)]
    threads = [Thread(target=ask, args=each) for each in enumerate(asked, 1)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


if __name__ == "__main__":
    main(sys.argv[1:])
