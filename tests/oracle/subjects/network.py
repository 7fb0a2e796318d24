"""Interfaces, bridges and routes in this world's own network, as they are made here by hand with ip."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds, quoted

MADE = """\
link add inner address 02:00:00:00:00:01 mtu 1400 type veth peer name outer
link add bridged type bridge
link add lonely type bridge
link add idle type veth peer name idler
link set outer master bridged
link set inner up
link set outer up
link set bridged up
addr add 10.77.0.2/24 dev inner
addr add 10.77.5.1/32 peer 10.77.5.2 dev inner
addr add 2001:db8:77::2/64 dev inner nodad
route add default via 10.77.0.1 metric 100
route add default via 10.77.0.9 metric 50
route add 10.78.0.0/16 nexthop via 10.77.0.3 dev inner nexthop via 10.77.0.4 dev inner
route add 10.79.0.0/16 via 10.77.0.5 src 10.77.5.1
route add blackhole 10.80.0.0/16
route add unreachable 10.81.0.0/16
route add throw 10.82.0.0/16
-6 route add default via 2001:db8:77::1 dev inner
"""

#: Interface -> whether it is up, its MTU and some of its addresses; None where there is no such.
INTERFACES: dict[str, tuple[bool, int, tuple[str, ...]] | None] = {
    "lo": (True, 65536, ("127.0.0.1/8", "::1/128")),
    "inner": (True, 1400, ("10.77.0.2/24", "10.77.5.1/32", "2001:db8:77::2/64")),
    "outer": (True, 1500, ()),
    "idle": (False, 1500, ()),
    "bridged": (True, 1500, ()),
    "lonely": (False, 1500, ()),
    "nosuch": None,
}
ADDRESSES = (
    "127.0.0.1/8",
    "::1/128",
    "10.77.0.2/24",
    "10.77.5.1/32",
    "2001:db8:77::2/64",
    "10.77.0.2/16",
    "10.77.0.3/24",
)
BRIDGES = {"bridged": ("outer",), "lonely": ()}

#: Destination -> its gateways and interfaces; None where there is no such route, empty where it leads nowhere.
ROUTES: dict[str, tuple[tuple[str, ...], tuple[str, ...]] | None] = {
    "0.0.0.0/0": (("10.77.0.9",), ("inner",)),
    "::/0": (("2001:db8:77::1",), ("inner",)),
    "10.77.0.0/24": ((), ("inner",)),
    "10.77.5.2": ((), ("inner",)),
    "10.78.0.0/16": (("10.77.0.3", "10.77.0.4"), ("inner",)),
    "10.79.0.0/16": (("10.77.0.5",), ("inner",)),
    "10.80.0.0/16": ((), ()),
    "10.81.0.0/16": ((), ()),
    "10.82.0.0/16": ((), ()),
    "10.77.0.0/16": None,
    "10.0.0.0/8": None,
}
#: Address -> gateway, interface and source of the way to it; None where there is none.
WAYS: dict[str, tuple[str, str, str] | None] = {
    "203.0.113.7": ("10.77.0.9", "inner", "10.77.0.2"),
    "10.79.1.1": ("10.77.0.5", "inner", "10.77.5.1"),
    "10.77.0.44": ("", "inner", "10.77.0.2"),
    "127.0.0.1": ("", "lo", "127.0.0.1"),
    "10.77.0.2": ("", "lo", "10.77.0.2"),
    "2001:db8:99::1": ("2001:db8:77::1", "inner", "2001:db8:77::2"),
    "10.80.0.1": None,
    "10.81.0.1": None,
}


def objects(place: Path) -> Path:
    """Make the interfaces and routes."""
    for row in MADE.splitlines():
        subprocess.run(["ip", *row.split()], check=True)
    return place


def questions(place: Path) -> Iterator[Question]:
    """Ask all sentences of interfaces, bridges, routes and traffic."""
    for name, right in INTERFACES.items():
        yield from _of_interface(name, right)
    for name in INTERFACES:
        yield from _of_bridge(name, BRIDGES.get(name))
    for name, route in ROUTES.items():
        yield from _of_route(f"the route to {quoted(name)}", route)
    yield from _of_route("the default route", ROUTES["0.0.0.0/0"])
    yield from both('the default route goes by "2001:db8:77::1"', 'the default route does not go by "2001:db8:77::1"',
                    True, "IPv6's")  # fmt: skip
    for address, way in WAYS.items():
        yield from _of_way(f"traffic to {quoted(address)}", way)


def _of_interface(name: str, right: tuple[bool, int, tuple[str, ...]] | None) -> Iterator[Question]:
    subject, about = f"the interface {quoted(name)}", f"{name}: {right}"
    yield from both(f"{subject} exists", f"{subject} does not exist", right is not None, about)
    yield from both(f"{subject} is up", f"{subject} is not up", ABSENT if right is None else right[0], about)
    yield from bounds(f"{subject} has an MTU of {{}}", ABSENT if right is None else right[1], about)
    own = (right or (0, 0, ()))[2]
    known = {*own, *(each.partition("/")[0] for each in own)}
    for address in ADDRESSES:
        for written in (address, address.partition("/")[0]):
            yield from _has(subject, f"the address {quoted(written)}", ABSENT if right is None else written in known)
        beginning = "^" + address.partition("/")[0].replace(".", "[.]") + "/"
        forms = (f"{subject} has an address matching {quoted(beginning)}",
                 f"{subject} has no address matching {quoted(beginning)}")  # fmt: skip
        yield from both(*forms, ABSENT if right is None else address.partition("/")[0] in known, about)
    folder = Path("/sys/class/net", name)
    for mac in ("02:00:00:00:00:01", "02:00:00:00:00:0A"):
        there = right is not None and (folder / "address").read_text().strip() == mac
        yield from _has(subject, f"the MAC address {quoted(mac)}", ABSENT if right is None else there)
    forms = (f'{subject} uses the driver "veth"', f'{subject} does not use the driver "veth"')
    yield from both(*forms, ABSENT, about)  # none of these has a device behind it
    # veth and bridges that are up tell a speed; what is down, and the loopback, none.
    speed = _speed(folder) if right else ABSENT
    yield from bounds(f"{subject} has a speed of {{}} Mbit/s", speed, about)
    if name in ("idle", "lonely", "nosuch"):  # nothing ever went over them
        yield from bounds(f"{subject} has {{}} errors", 0 if right else ABSENT, about)
        yield from bounds(f"{subject} has {{}} dropped packets", 0 if right else ABSENT, about)


def _speed(folder: Path) -> int | str:
    try:
        speed = int((folder / "speed").read_text())
    except OSError:
        return UNKNOWN
    return speed if speed > 0 else UNKNOWN


def _of_bridge(name: str, members: tuple[str, ...] | None) -> Iterator[Question]:
    subject = f"the bridge {quoted(name)}"
    yield from both(f"{subject} exists", f"{subject} does not exist", members is not None, name)
    for member in ("outer", "inner", "lonely"):
        yield from _has(subject, f"the interface {quoted(member)}", ABSENT if members is None else member in members)


def _has(subject: str, what: str, right: bool | str) -> Iterator[Question]:
    yield from both(f"{subject} has {what}", f"{subject} does not have {what}", right, f"{subject}: {what}: {right}")


def _of_route(subject: str, route: tuple[tuple[str, ...], tuple[str, ...]] | None) -> Iterator[Question]:
    about = f"{subject}: {route}"
    right = ABSENT if route == ((), ()) else route is not None
    yield from both(f"{subject} exists", f"{subject} does not exist", right, about)
    for gateway in ("10.77.0.1", "10.77.0.9", "10.77.0.4", "10.77.0.5", "2001:0db8:77:0::1"):
        if ":" in gateway and subject == "the default route":
            continue
        written = gateway.replace("0db8", "db8").replace(":0::", "::")
        right = ABSENT if route is None else written in route[0]
        forms = (f"{subject} goes by {quoted(gateway)}", f"{subject} does not go by {quoted(gateway)}")
        yield from both(*forms, right, about)
    for interface in ("inner", "outer", "lo"):
        right = ABSENT if route is None else interface in route[1]
        forms = (f"{subject} goes over {quoted(interface)}", f"{subject} does not go over {quoted(interface)}")
        yield from both(*forms, right, about)


def _of_way(subject: str, way: tuple[str, str, str] | None) -> Iterator[Question]:
    about = f"{subject}: {way}"
    yield from both(f"{subject} has a route", f"{subject} has no route", way is not None, about)
    gateway, interface, source = way or ("", "", "")
    for each in ("10.77.0.9", "10.77.0.1", "2001:db8:77::1"):
        forms = (f"{subject} goes by {quoted(each)}", f"{subject} does not go by {quoted(each)}")
        yield from both(*forms, each == gateway if way else ABSENT, about)
    for each in ("inner", "lo", "in"):
        forms = (f"{subject} goes over {quoted(each)}", f"{subject} does not go over {quoted(each)}")
        yield from both(*forms, each == interface if way else ABSENT, about)
    for each in ("10.77.0.2", "10.77.5.1", "127.0.0.1", "::1"):
        forms = (f"{subject} has the source {quoted(each)}", f"{subject} does not have the source {quoted(each)}")
        yield from both(*forms, each == source if way else ABSENT, about)
