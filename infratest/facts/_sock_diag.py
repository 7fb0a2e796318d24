"""Sockets that wait, asked of the kernel by netlink: what `ss` asks. For the facts `socket` and `unix-socket`.

Formats: sock_diag(7), linux/inet_diag.h, linux/unix_diag.h; numbers are in this machine's byte order, ports and
addresses in the network's.
"""

from __future__ import annotations

import _socket
import sys

from infratest.cleaning import decoded
from infratest.found import Listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
HEADER = 16

TCP, UDP = 6, 17
#: States of net/tcp_states.h, as bits: a TCP socket that listens, and one without a peer.
LISTEN, CLOSE = 1 << 10, 1 << 7

INET_MESSAGE, INET_DIAG_SKV6ONLY = 72, 11
UNIX_MESSAGE, UNIX_DIAG_NAME, UDIAG_SHOW_NAME = 16, 0, 1


def ports() -> list[Listener]:
    """Return what waits for TCP and UDP in this network namespace.

    Raises:
        OSError: the kernel, or what guards it, does not answer such questions.
    """
    found = []
    channel = _channel()
    try:
        for kind, protocol, states in (("udp", UDP, CLOSE), ("tcp", TCP, LISTEN)):
            for family in (_socket.AF_INET, _socket.AF_INET6):
                request = _inet_request(family, protocol, states)
                found += [_inet(kind, message) for message in _dump(channel, request)]
    finally:
        channel.close()
    return found


def unix_names() -> list[Listener]:
    """Return the unix sockets that wait in this network namespace and have a name. Raises OSError, as `ports`."""
    channel = _channel()
    try:
        return [one for message in _dump(channel, _unix_request()) for one in _unix(message)]
    finally:
        channel.close()


def _channel() -> _socket.socket:
    return _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)


def _dump(channel: _socket.socket, request: bytes) -> Iterator[memoryview]:
    """Ask, and return the body of each message of the answer."""
    flags = NLM_F_REQUEST | NLM_F_DUMP
    head = _bytes(HEADER + len(request), 4) + _bytes(SOCK_DIAG_BY_FAMILY, 2) + _bytes(flags, 2) + bytes(8)
    channel.send(head + request)
    while True:
        data = memoryview(channel.recv(65536))
        if not data:
            raise OSError("the kernel's answer ended early")
        while data:
            length, kind = _number(data[:4]), _number(data[4:6])
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR or not HEADER <= length <= len(data):
                raise OSError("the kernel does not answer questions about sockets")
            yield data[HEADER:length]
            data = data[_aligned(length) :]


def _inet_request(family: int, protocol: int, states: int) -> bytes:
    # struct inet_diag_req_v2: family, protocol, extensions, padding, states, and an empty socket id.
    return bytes((family, protocol, 0, 0)) + _bytes(states, 4) + bytes(48)


def _unix_request() -> bytes:
    # struct unix_diag_req: family, protocol, padding, states, inode, what to show, cookie.
    return (
        bytes((_socket.AF_UNIX, 0, 0, 0)) + _bytes(LISTEN | CLOSE, 4) + bytes(4) + _bytes(UDIAG_SHOW_NAME, 4) + bytes(8)
    )


def _inet(kind: str, message: memoryview) -> Listener:
    # struct inet_diag_msg: family, state, timer, retransmissions, port, peer's port, address ...
    port = int.from_bytes(message[4:6], "big")
    if message[0] == _socket.AF_INET:
        return Listener(kind, _socket.inet_ntop(_socket.AF_INET, message[8:12]), port, 4)
    address = _socket.inet_ntop(_socket.AF_INET6, message[8:24])
    only6 = any(bytes(value) == b"\1" for value in _attributes(message[INET_MESSAGE:], INET_DIAG_SKV6ONLY))
    return Listener(kind, address, port, 6, only6 if address == "::" else None)


def _unix(message: memoryview) -> Iterator[Listener]:
    for value in _attributes(message[UNIX_MESSAGE:], UNIX_DIAG_NAME):
        name = bytes(value)
        # An abstract name begins with a NUL and may hold more of them: `ss` writes each as @. A path ends with one.
        shown = name.replace(b"\0", b"@") if name.startswith(b"\0") else name.partition(b"\0")[0]
        if shown:
            yield Listener("unix", decoded(shown))


def _attributes(data: memoryview, wanted: int) -> Iterator[memoryview]:
    while len(data) >= 4:
        length = max(4, _number(data[:2]))
        if _number(data[2:4]) == wanted:
            yield data[4:length]
        data = data[_aligned(length) :]


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _number(data: memoryview) -> int:
    return int.from_bytes(data, sys.byteorder)


def _bytes(number: int, size: int) -> bytes:
    return number.to_bytes(size, sys.byteorder)
