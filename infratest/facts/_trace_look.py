"""By which routers an address is reached: of datagrams that may pass one router, two, three, each says where it ended.

The fact `trace` calls it for the controller, and sends its text, behind that of `_outside`, to hosts that have
python3: Python 3.6 and later, nothing newer. No right is needed: Linux keeps what ICMP says of a socket's datagrams in
its error queue (IP_RECVERR of ip(7)). Ports are those of traceroute(8), at which nobody is expected to listen; as
somebody may, and would keep a datagram without a word, each try has one of its own.
"""

import _socket
import sys
from time import monotonic

from infratest.facts import _outside as out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Routers at most, as of traceroute(8); datagrams at once, so few that no router's limit of ICMP answers stops them
#: (Linux lets six pass, net/ipv4/icmp.c); the first port. Seconds that each has to be answered, try by try: a Linux
#: that cannot reach what is asked for says so once in two seconds, if nobody asks in between (net/ipv4/route.c).
MOST, AT_ONCE, PORT = 30, 3, 33434
WAITS = (0.5, 2.2, 0.6)
#: Routers without an answer behind the last that has one, from which on nobody is expected to.
GAP = 4

#: linux/in.h, linux/in6.h: of IPv4 and IPv6 the level, what has errors kept, and how many routers may be passed.
OPTIONS = {_socket.AF_INET: (0, 11, 2), _socket.AF_INET6: (41, 25, 16)}
#: linux/errqueue.h: bytes of an error, behind which stands who says so; where it comes from. ICMP's types of time
#: exceeded, and of unreachable with the code of a port that is: RFC 792, RFC 4443.
ERROR, ICMP, ICMP6 = 16, 2, 3
EXCEEDED = {ICMP: 11, ICMP6: 3}
NO_PORT = {ICMP: (3, 3), ICMP6: (1, 4)}
EMPTY = "*"


def trace(host: str, port: int, seconds: float) -> "tuple[str, float, str]":
    """Return by which routers the first place of a host's name is reached.

    Returns:
        The outcome: `open` where it answers, `stopped` where a router says that the way ends, `silent`; the seconds it
        took; and the addresses with blanks between them, `*` for one that does not answer, and behind `|` why not.
    """
    began = monotonic()
    try:
        if not hasattr(_socket, "MSG_ERRQUEUE"):
            raise OSError(0, "this system keeps no ICMP errors for who asks: only Linux does")
        (family, _, _, _, place), *_ = out._places("udp", host, port or PORT, "")
    except OSError as error:
        if isinstance(error, _socket.gaierror):
            outcome, words = out._unresolved(error)
        else:
            outcome, words = out.FAILED, error.strerror or str(error)
        return outcome, monotonic() - began, f"|{words}"
    try:
        outcome, hops, words = _traced(family, place, began + seconds)
    except OSError as error:
        outcome, hops, words = out.FAILED, {}, (error.strerror or str(error)).lower()
    last = max(hops) if hops else 0
    addresses = " ".join(hops.get(ttl, EMPTY) for ttl in range(1, last + 1))
    return outcome, monotonic() - began, f"{addresses}|{words}"


def _traced(family: int, place: "Any", end: float) -> "tuple[str, dict[int, str], str]":
    hops: dict[int, str] = {}
    for first in range(1, MOST + 1, AT_ONCE):
        seen = _sent(family, place, range(first, min(first + AT_ONCE, MOST + 1)), end)
        last = min((ttl for ttl, (_, outcome, _) in seen.items() if outcome), default=MOST + 1)
        hops.update({ttl: address for ttl, (address, _, _) in seen.items() if ttl <= last})
        if last <= MOST:
            return seen[last][1], hops, seen[last][2]
        if monotonic() >= end:
            return out.SILENT, hops, "the time was over before the end of the way"
        if first + AT_ONCE - 1 - max(hops, default=0) >= GAP:
            return out.SILENT, hops, "nobody answers behind it"
    return out.SILENT, hops, f"it is more than {MOST} hops away"


def _sent(family: int, place: "Any", ttls: "range", end: float) -> "dict[int, tuple[str, str, str]]":
    """Send a datagram for each number of routers, and return who answered: its address, and the outcome with its words.

    Raises OSError: this machine has no way there.
    """
    import select

    level, errors, _ = OPTIONS[family]
    sockets: dict[int, tuple[int, Any]] = {}
    seen: dict[int, tuple[str, str, str]] = {}
    poll = select.poll()
    try:
        for number, wait in enumerate(WAITS):
            # Where the last is known, one before it may have been it as well, and its answer lost.
            last = min((ttl for ttl, (_, outcome, _) in seen.items() if outcome), default=MOST + 1)
            silent = {ttl for ttl in ttls if ttl not in seen and ttl < last}
            until = min(end, monotonic() + wait)
            for ttl in silent:
                one = _socket_to(family, place, ttl, ttl + number * MOST)
                sockets[one.fileno()] = (ttl, one)
                poll.register(one.fileno(), select.POLLIN)
                _send(one)
            while not silent <= set(seen):
                left = until - monotonic()
                if left <= 0:
                    break
                for told, _ in poll.poll(max(1, int(left * 1000))):
                    ttl, one = sockets[told]
                    answer = _ended(one, level, errors, place)
                    if answer:
                        seen.setdefault(ttl, answer)
                        poll.unregister(told)
    finally:
        for _, one in sockets.values():
            one.close()
    return seen


def _socket_to(family: int, place: "Any", ttl: int, further: int) -> "Any":
    """Return a socket whose datagrams may pass so many routers, at a port so much behind the first."""
    level, errors, limit = OPTIONS[family]
    one = _socket.socket(family, _socket.SOCK_DGRAM)
    try:
        one.setsockopt(level, errors, 1)
        one.setsockopt(level, limit, ttl)
        one.setblocking(False)
        one.connect((place[0], place[1] + further if place[1] == PORT else place[1], *place[2:]))
    except OSError:
        one.close()
        raise
    return one


def _send(one: "Any") -> None:
    """Send a datagram. Raises OSError: this machine has no way there."""
    try:
        one.send(b"infratest")
    except OSError as error:
        if error.errno not in out.BARRED and error.errno not in out.TURNED_AWAY:  # what was queued before: it is read
            raise


def _ended(one: "Any", level: int, errors: int, place: "Any") -> "tuple[str, str, str] | None":
    """Return what came of a datagram: the address of who answers, and the outcome with its words where the way ends."""
    try:
        _, rows, _, _ = one.recvmsg(0, 512, _socket.MSG_ERRQUEUE)
    except OSError:
        try:
            one.recv(1)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno not in out.TURNED_AWAY:
                return None
        return place[0], out.OPEN, ""  # somebody listens at that port
    for number, kind, data in rows:
        if (number, kind) == (level, errors) and len(data) > ERROR:
            code, (origin, sort, detail) = int.from_bytes(data[:4], sys.byteorder), data[4:7]
            address = _sender(data[ERROR:])
            if origin in (ICMP, ICMP6) and sort == EXCEEDED[origin]:
                return address, "", ""
            if origin in (ICMP, ICMP6) and (sort, detail) == NO_PORT[origin] and address == place[0].partition("%")[0]:
                return address, out.OPEN, ""
            import os

            return address, out.STOPPED, os.strerror(code).lower()
    return None


def _sender(data: bytes) -> str:
    """Return the address of who says so: a sockaddr of IPv4 or IPv6."""
    family = int.from_bytes(data[:2], sys.byteorder)
    if family == _socket.AF_INET:
        return _socket.inet_ntop(family, data[4:8])
    return _socket.inet_ntop(family, data[8:24]) if family == _socket.AF_INET6 else EMPTY


out.ANSWERS["trace"] = trace
