"""Listeners of every family, wildcard, mapping and device, held against the kernel: a connection is made, or is not.

UDP has no connection: each of its sockets is the twin of a listener of TCP, and answers where that does.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, quoted

#: Above the ports that subjects/kernel.py has this world give to who names none, and below those that Linux gives.
FIRST_PORT = 31001


class Bound(NamedTuple):
    """A socket to make: where it is bound, whether to IPv6 alone, over which interface, and whether it listens."""

    address: str
    only6: bool = False
    device: str = ""
    listens: bool = True


#: One port each. v0 and v2 are interfaces, whose other ends are in a namespace of a neighbour's.
PORTS = (
    [Bound("127.0.0.1")], [Bound("127.0.0.2")], [Bound("127.1.2.3")], [Bound("0.0.0.0")], [Bound("192.0.2.1")],
    [Bound("198.51.100.1")], [Bound("::1")], [Bound("::")], [Bound("::", only6=True)], [Bound("2001:db8::1")],
    [Bound("::ffff:127.0.0.1")], [Bound("::ffff:0.0.0.0")], [Bound("::ffff:192.0.2.1")],
    [Bound("0.0.0.0", device="v0")], [Bound("0.0.0.0", device="lo")], [Bound("::", device="v0")],
    [Bound("::", device="lo")], [Bound("::", only6=True, device="v0")], [Bound("0.0.0.0", device="v2")],
    [Bound("192.0.2.1", device="v0")], [Bound("127.0.0.1", device="lo")],
    [Bound("127.0.0.1"), Bound("127.0.0.2")], [Bound("127.0.0.1"), Bound("::1")],
    [Bound("127.0.0.1"), Bound("192.0.2.1")],
    [Bound("0.0.0.0"), Bound("::", only6=True)], [Bound("0.0.0.0", device="v0"), Bound("0.0.0.0", device="lo")],
    [Bound("127.0.0.1", listens=False)], [Bound("127.0.0.1"), Bound("127.0.0.2", listens=False)], [],
    [Bound("::", only6=True), Bound("127.0.0.1")],
)  # fmt: skip
LOCAL = ("127.0.0.1", "127.0.0.2", "127.1.2.3", "127.0.0.0", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1")
FAR = ("192.0.2.1", "198.51.100.1", "2001:db8::1", "::ffff:192.0.2.1")
#: Addresses of interfaces that have a neighbour.
OWN = {"v0": ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"), "v2": ("198.51.100.1",)}
WILDCARDS = ("0.0.0.0", "::")

ABSTRACT = ("@oracle", "@two words", "@über", "@silent", "@packets", "@nosuch", "@oracl", "/run/dbus/system_bus_socket")

SET_UP = """
ip link add v0 type veth peer name v1 netns {peer}
ip link add v2 type veth peer name v3 netns {peer}
ip address add 192.0.2.1/24 dev v0
ip address add 2001:db8::1/64 dev v0 nodad
ip address add 198.51.100.1/24 dev v2
ip link set v0 up
ip link set v2 up
nsenter --net=/proc/{peer}/ns/net sh -ec '
    ip link set lo up
    ip address add 192.0.2.2/24 dev v1
    ip address add 2001:db8::2/64 dev v1 nodad
    ip address add 198.51.100.2/24 dev v3
    ip link set v1 up
    ip link set v3 up'
"""
#: Run at the neighbour's: which of these let us in.
PROBE = """
import json, socket, sys
def connects(address, port):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, port)) == 0
print(json.dumps([connects(*place) for place in json.load(sys.stdin)]))
"""


class Objects(NamedTuple):
    """Which places let us in, by address and port; and the paths of unix sockets, each with whether it does."""

    lets_in: dict[tuple[str, int], bool]
    unix: dict[str, bool | str]
    hidden: str


#: They live as long as we do.
KEPT: list[object] = []


def objects(place: Path) -> Objects:
    """Make the interfaces and the sockets, and try each."""
    peer = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo .; exec sleep infinity"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)  # fmt: skip
    os.read(peer.stdout.fileno(), 1)  # type: ignore[union-attr] - it has a network of its own by now
    subprocess.run(["sh", "-ec", SET_UP.format(peer=peer.pid)], check=True)
    KEPT.append(peer)
    for port, specs in enumerate(PORTS, FIRST_PORT):
        for spec in specs:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                if spec.listens or kind == socket.SOCK_STREAM:
                    KEPT.append(_socket(spec, port, kind))
    connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connected.bind(("127.0.0.1", FIRST_PORT + len(PORTS)))
    connected.connect(("127.0.0.1", 9))
    KEPT.append(connected)
    ports = range(FIRST_PORT, FIRST_PORT + len(PORTS))
    local = {(one, port): _connects(one, port) for one in LOCAL for port in ports}
    asked = [(one.removeprefix("::ffff:"), port) for one in FAR for port in ports]
    words = ["nsenter", f"--net=/proc/{peer.pid}/ns/net", sys.executable, "-c", PROBE]
    done = subprocess.run(words, input=json.dumps(asked), capture_output=True, text=True, check=True)
    far = dict(zip([(one, port) for one in FAR for port in ports], json.loads(done.stdout), strict=True))
    # Of an overlay, as this world's root is, the kernel tells another device for a socket than for its file.
    shared = Path("/run/oracle")
    shared.mkdir()
    for name in ("oracle", "two words", "über"):
        _listening(f"\0{name}")
    _listening("\0silent", listens=False)
    _listening("\0packets", socket.SOCK_DGRAM)
    paths: dict[str, bool | str] = {path: _lets_in(path) for path in (*_unix(shared), *ABSTRACT)}
    paths |= {path: UNKNOWN if Path(path).name in ("hard", "moved on") else _lets_in(path) for path in _unix(place)}
    hidden = place / "hidden"
    hidden.mkdir(mode=0o700)
    _listening(str(hidden / "socket"))
    return Objects(local | far, paths, str(hidden / "socket"))


def _socket(spec: Bound, port: int, kind: int) -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in spec.address else socket.AF_INET, kind)
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, spec.only6)
    if spec.device:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, spec.device.encode())
    one.bind((spec.address, port))
    if kind == socket.SOCK_STREAM and spec.listens:
        one.listen(1000)
    return one


def _connects(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, port)) == 0


def _listening(path: str, kind: int = socket.SOCK_STREAM, listens: bool = True) -> socket.socket:
    one = socket.socket(socket.AF_UNIX, kind)
    one.bind(path)
    if listens and kind != socket.SOCK_DGRAM:
        one.listen(10)
    KEPT.append(one)
    return one


def _unix(folder: Path) -> list[str]:
    """Make unix sockets of every kind; return all the paths to ask about."""
    names = ("well", "two  words ino:1", "über", 'say "so"', "back\\slash", "-n", "star*")
    for name in names:
        _listening(str(folder / name))
    _listening(str(folder / "packets"), socket.SOCK_DGRAM)
    _listening(str(folder / "sequence"), socket.SOCK_SEQPACKET)
    _listening(str(folder / "of one peer"), socket.SOCK_DGRAM).connect(str(folder / "packets"))
    _listening(str(folder / "silent"), listens=False)
    _listening(str(folder / "unlinked"))
    (folder / "unlinked").unlink()
    _listening(str(folder / "closed")).close()
    _listening(str(folder / "again"))
    (folder / "again").unlink()
    _listening(str(folder / "again"), listens=False)
    _listening(str(folder / "moved"))
    (folder / "moved").rename(folder / "moved on")
    (folder / "linked").symlink_to("well")
    (folder / "dangling").symlink_to("nosuch")
    (folder / "hard").hardlink_to(folder / "well")
    (folder / "file").touch()
    (folder / "folder").mkdir()
    others = ("packets", "sequence", "of one peer", "silent", "unlinked", "closed", "again", "moved", "moved on",
              "linked", "dangling", "hard", "file", "folder", "nosuch", "folder/../well", "star")  # fmt: skip
    return [str(folder / name) for name in (*names, *others)]


def _lets_in(path: str) -> bool:
    """Whether a unix socket of a kind that waits is there."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as probe, contextlib.suppress(OSError):
            probe.settimeout(5)
            probe.connect(f"\0{path[1:]}" if path.startswith("@") else path)
            return True
    return False


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of ports at every address, and of sockets."""
    for port, specs in enumerate(PORTS, FIRST_PORT):
        here = [spec for spec in specs if spec.listens]
        for suffix, scheme in (("", "tcp"), ("/tcp", "tcp"), ("/udp", "udp")):
            yield from _of_port(port, suffix, here, objects)
            yield from _socket_sentences(port, scheme, here, objects)
    port = FIRST_PORT + len(PORTS)  # of a socket of UDP that has a peer, which takes from nobody else
    yield from both(f"port {port}/udp is listening", f"port {port}/udp is not listening", False, "connected UDP")
    for path, lets_in in objects.unix.items():
        subject = f"the socket {quoted(f'unix:{path}')}"
        yield from both(f"{subject} is listening", f"{subject} is not listening", lets_in, f"unix {path}")
    subject = f"the socket {quoted(f'unix:{objects.hidden}')}"
    yield from both(f"{subject} is listening", f"{subject} is not listening", True, "a hidden unix socket", UNKNOWN)


def _of_port(port: int, suffix: str, here: list[Bound], objects: Objects) -> Iterator[Question]:
    subject, about = f"port {port}{suffix}", f"port {port}: {[tuple(spec) for spec in here]}"
    yield from both(f"{subject} is listening", f"{subject} is not listening", bool(here), about)
    for family in (4, 6):
        words = f"listening at an IPv{family} address"
        of_it: bool | str = any(ip_address(_same(spec.address)).version == family for spec in here)
        if family == 4 and not of_it and any(spec.address == "::" and not spec.only6 for spec in here):
            of_it = ABSENT  # it is bound to an address of IPv6, and who connects by IPv4 gets in
        yield from both(f"{subject} is {words}", f"{subject} is not {words}", of_it, about)
    for address in (*LOCAL, *FAR, *WILDCARDS):
        forms = (f'{subject} is listening at "{address}"', f'{subject} is not listening at "{address}"')
        yield from both(*forms, _answers(here, address, port, objects), about)
        forms = (f'{subject} is listening only at "{address}"', f'{subject} is not listening only at "{address}"')
        only = bool(here) and all(_same(spec.address) == _same(address) for spec in here)
        yield from both(*forms, only, about)


def _socket_sentences(port: int, scheme: str, here: list[Bound], objects: Objects) -> Iterator[Question]:
    about = f"port {port}: {[tuple(spec) for spec in here]}"
    subject = f'the socket "{scheme}://{port}"'
    yield from both(f"{subject} is listening", f"{subject} is not listening", bool(here), about)
    for address in ("127.0.0.1", "::1", "192.0.2.1", "0.0.0.0"):
        written = f"[{address}]" if ":" in address else address
        subject = f'the socket "{scheme}://{written}:{port}"'
        right = _answers(here, address, port, objects)
        yield from both(f"{subject} is listening", f"{subject} is not listening", right, about)


def _answers(here: list[Bound], address: str, port: int, objects: Objects) -> bool | str:
    """Whether one gets in at an address. Nobody connects to a wildcard: of one it is asked whether it is bound.

    Over an interface alone, that is not known of another interface's address: a neighbour may send there by this one.
    """
    if address not in WILDCARDS:
        other = any(_is_wild(spec, address) and spec.device in OWN and address not in OWN[spec.device] for spec in here)
        lets_in = objects.lets_in[address, port]
        return UNKNOWN if not lets_in and other and address in FAR else lets_in
    alike = {"0.0.0.0": ("0.0.0.0", "::", "::ffff:0.0.0.0"), "::": ("::",)}[address]
    return any(
        spec.address in alike and spec.device in ("", "lo") and not (spec.only6 and address == "0.0.0.0")
        for spec in here
    )


def _is_wild(spec: Bound, address: str) -> bool:
    """Whether it is bound to a wildcard that an address comes under."""
    if _same(address).version == 4:
        return spec.address in ("0.0.0.0", "::ffff:0.0.0.0") or (spec.address == "::" and not spec.only6)
    return spec.address == "::"


def _same(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
