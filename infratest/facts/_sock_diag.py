"""Sockets that wait, asked of the kernel by netlink: what `ss` asks. For the facts `socket` and `unix-socket`.

Formats: sock_diag(7), rtnetlink(7), linux/inet_diag.h, linux/unix_diag.h; numbers are in this machine's byte order,
ports and addresses in the network's.
"""

from __future__ import annotations

import _socket
import sys

from infratest.cleaning import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
HEADER = 16

TCP, UDP = 6, 17
#: States of net/tcp_states.h, as bits: a TCP socket that listens, one without a peer, and one that has been sent to.
LISTEN, CLOSE, ESTABLISHED = 1 << 10, 1 << 7, 1 << 1

INET_MESSAGE, INET_DIAG_SKV6ONLY = 72, 11
UNIX_MESSAGE, UNIX_DIAG_NAME, UNIX_DIAG_VFS, UNIX_DIAG_PEER, UDIAG_SHOW = 16, 0, 1, 2, 1 | 2 | 4
UNIX_LISTEN = 10

NETLINK_ROUTE, RTM_GETADDR = 0, 22
ADDRESS_MESSAGE, IFA_ADDRESS, IFA_LOCAL = 8, 1, 2


#: What is seen of a port: `tcp` or `udp`, address, port, 4 or 6, whether an IPv6 wildcard takes no IPv4 (None where
#: that is no question), and the one interface that it is bound to, or an empty text.
Port = tuple[str, str, int, int, bool | None, str]
#: What is seen of a unix socket: its name, `@` for each NUL in it, and its file as device and inode, or None.
Unix = tuple[str, tuple[int, int] | None]


def ports() -> list[Port]:
    """Return what waits for TCP and UDP in this network namespace.

    Raises:
        OSError: the kernel, or what guards it, does not answer such questions.
    """
    found = []
    channel = _channel(NETLINK_SOCK_DIAG)
    try:
        for kind, protocol, states in (("udp", UDP, CLOSE), ("tcp", TCP, LISTEN)):
            for family in (_socket.AF_INET, _socket.AF_INET6):
                request = _inet_request(family, protocol, states)
                found += [_inet(kind, message) for message in _dump(channel, request)]
    finally:
        channel.close()
    return found


def addresses() -> list[tuple[str, str]]:
    """Return each interface's name with each of its addresses. Raises OSError, as `ports`."""
    return [(name, address) for name, address, _ in networks()]


def networks() -> list[tuple[str, str, int]]:
    """Return each interface's name with each of its addresses and the bits of its network. Raises OSError."""
    channel = _channel(NETLINK_ROUTE)
    try:
        found = []
        for message in _dump(channel, bytes(ADDRESS_MESSAGE), RTM_GETADDR):
            family, index = message[0], _number(message[4:8])
            data = message[ADDRESS_MESSAGE:]
            # Of a link to one peer the address is the peer's, and the local one is ours.
            for value in [*_attributes(data, IFA_LOCAL), *_attributes(data, IFA_ADDRESS)][:1]:
                found.append((_interface(index), _socket.inet_ntop(family, bytes(value)), message[1]))
        return found
    finally:
        channel.close()


def _interface(index: int) -> str:
    try:
        return _socket.if_indextoname(index)
    except OSError:
        return f"if{index}"


def unix_names() -> list[Unix]:
    """Return the unix sockets that wait in this network namespace and have a name. Raises OSError, as `ports`."""
    channel = _channel(NETLINK_SOCK_DIAG)
    try:
        return [one for message in _dump(channel, _unix_request()) for one in _unix(message)]
    finally:
        channel.close()


def _channel(protocol: int) -> _socket.socket:
    return _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW | _socket.SOCK_CLOEXEC, protocol)


def _dump(channel: _socket.socket, request: bytes, kind: int = SOCK_DIAG_BY_FAMILY) -> Iterator[memoryview]:
    """Ask, and return the body of each message of the answer."""
    flags = NLM_F_REQUEST | NLM_F_DUMP
    head = _bytes(HEADER + len(request), 4) + _bytes(kind, 2) + _bytes(flags, 2) + bytes(8)
    channel.send(head + request)
    while True:
        data = memoryview(channel.recv(65536))
        if not data:
            raise OSError("the kernel's answer ended early")
        while data:
            length, answer = _number(data[:4]), _number(data[4:6])
            if answer == NLMSG_DONE:
                return
            if answer == NLMSG_ERROR or not HEADER <= length <= len(data):
                raise OSError("the kernel does not answer questions about sockets")
            yield data[HEADER:length]
            data = data[_aligned(length) :]


def _inet_request(family: int, protocol: int, states: int) -> bytes:
    # struct inet_diag_req_v2: family, protocol, extensions, padding, states, and an empty socket id.
    return bytes((family, protocol, 0, 0)) + _bytes(states, 4) + bytes(48)


def _unix_request() -> bytes:
    # struct unix_diag_req: family, protocol, padding, states, inode, what to show, cookie.
    return (
        bytes((_socket.AF_UNIX, 0, 0, 0))
        + _bytes(LISTEN | CLOSE | ESTABLISHED, 4)
        + bytes(4)
        + _bytes(UDIAG_SHOW, 4)
        + bytes(8)
    )


def _inet(kind: str, message: memoryview) -> Port:
    # struct inet_diag_msg: family, state, timer, retransmissions, port, peer's port, address, peer's address, interface
    port, index = int.from_bytes(message[4:6], "big"), _number(message[40:44])
    interface = _interface(index) if index else ""
    if message[0] == _socket.AF_INET:
        return kind, _socket.inet_ntop(_socket.AF_INET, message[8:12]), port, 4, None, interface
    address = _socket.inet_ntop(_socket.AF_INET6, message[8:24])
    only6 = any(bytes(value) == b"\1" for value in _attributes(message[INET_MESSAGE:], INET_DIAG_SKV6ONLY))
    return kind, address, port, 6, only6 if address == "::" else None, interface


def _unix(message: memoryview) -> Iterator[Unix]:
    # struct unix_diag_msg: family, type, state ... A datagram socket waits once it is bound, whatever state others that
    # send to it have put it in, unless it has a peer of its own: then it hears that one alone.
    if message[1] == _socket.SOCK_DGRAM:
        if any(True for _ in _attributes(message[UNIX_MESSAGE:], UNIX_DIAG_PEER)):
            return
    elif message[2] != UNIX_LISTEN:
        return
    file = None
    for value in _attributes(message[UNIX_MESSAGE:], UNIX_DIAG_VFS):
        # struct unix_diag_vfs: inode, device. The kernel keeps a device's minor number in the low 20 bits.
        device = _number(value[4:8])
        file = (made_device(device >> 20, device & 0xFFFFF), _number(value[:4]))
    for value in _attributes(message[UNIX_MESSAGE:], UNIX_DIAG_NAME):
        name = bytes(value)
        # An abstract name begins with a NUL and may hold more of them: `ss` writes each as @. A path ends with one.
        shown = name.replace(b"\0", b"@") if name.startswith(b"\0") else name.partition(b"\0")[0]
        if shown:
            yield decoded(shown), file


def made_device(major: int, minor: int) -> int:
    """Return the number of a device as stat(2) tells it on Linux: makedev(3)."""
    return (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32


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
