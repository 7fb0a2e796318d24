"""The fact `interface`: a network interface, its addresses and, of a bond or a bridge, its members.

Argument: its name. All but the addresses is read from /sys/class/net, without spawning anything; the addresses of all
are asked of one `ip` (iproute2's or busybox's), on this machine of the kernel by netlink. Formats: sysfs-class-net and
bonding.rst of Linux, ip-address(8).
"""

from __future__ import annotations

import os

from infratest.cleaning import cited, decoded
from infratest.errors import FactError, UserError
from infratest.facts import _machine, _sock_diag
from infratest.facts._shell import ONE_LINE, PUT, lines, number
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PLACE = "/sys/class/net"
NO_PLACE = f"{PLACE} is not there on this host: is /sys mounted?"

#: Bit of an interface's flags: it is switched on (IFF_UP, linux/if.h).
SWITCHED_ON = 1

#: Files of an interface that hold one number or word.
VALUES = ("flags", "operstate", "mtu", "speed", "address")
COUNTERS = ("rx_errors", "tx_errors", "rx_dropped", "tx_dropped")


class Interface(Record):
    """A network interface.

    Args:
        there: whether the host has it. on: whether it is switched on. operational: the kernel's word for its state:
        up, down, unknown (of one that cannot tell) and others. speed: in Mbit/s; None where it tells none.
        addresses: with their bits, `10.0.0.2/24`; None where the host could not say. driver: empty where it has none.
        kind: `bond`, `bridge` or empty. members: of these. members_up: of a bond, those whose link is up.
    """

    there: bool
    on: bool = False
    operational: str = ""
    mtu: int = 0
    speed: int | None = None
    mac: str = ""
    errors: int = 0
    dropped: int = 0
    driver: str = ""
    addresses: tuple[str, ...] | None = ()
    kind: str = ""
    mode: str = ""
    members: tuple[str, ...] = ()
    members_up: tuple[str, ...] = ()

    @property
    def up(self) -> bool:
        """Whether it is switched on and its link is up, as far as it has one."""
        return self.on and self.operational in ("up", "unknown")

    def in_words(self) -> str:
        if not self.there:
            return "does not exist"
        listed = "addresses not known" if self.addresses is None else ", ".join(self.addresses) or "no address"
        return f"{'on' if self.on else 'off'}, link {self.operational}, MTU {self.mtu}, {listed}"


def interface_name(name: str) -> str:
    """Return an interface's name. Raises UserError where it can be none's: dev_valid_name() of the kernel."""
    if not 0 < len(name.encode()) < 16 or name in (".", "..") or not name.isprintable() or set(name) & set("/: *?,"):
        raise UserError(f'the interface "{name}": a name has 1 to 15 characters, no blank, slash, colon or wildcard')
    return name


def is_mac(text: str) -> bool:
    """Whether a text is written as an address on a link is: pairs of hexadecimal digits, parted by colons."""
    return all(len(pair) == 2 and not pair.strip("0123456789abcdefABCDEF") for pair in text.split(":"))


# Lines: of each `interface N`, and where it is there `KEY VALUE` of its files; `addresses` and what ip says; `done`.
SNIPPET = r"""
[ -d PLACE ] || { echo 'NO_PLACE' >&2; exit NO_TOOL; }
one() {
  [ -r "$2" ] && read -r line <"$2" && put "$1 $line$nl"
} 2>/dev/null
n=0
for name in "$@"; do
  n=$((n + 1))
  echo "interface $n"
  place=PLACE/$name
  [ -e "$place" ] || continue
  for key in VALUES; do
    one "$key" "$place/$key"
  done
  for key in COUNTERS; do
    one "$key" "$place/statistics/$key"
  done
  if [ -h "$place/device/driver" ]; then
    line=$(readlink "$place/device/driver")
    put "driver ${line##*/}$nl"
  fi
  if [ -d "$place/bonding" ]; then
    echo 'kind bond'
    one mode "$place/bonding/mode"
    for member in "$place"/lower_*; do
      [ -e "$member" ] || continue
      put "member ${member##*/lower_}$nl"
      one mii "$member/bonding_slave/mii_status"
    done
  elif [ -d "$place/bridge" ]; then
    echo 'kind bridge'
    for member in "$place"/brif/*; do
      [ -e "$member" ] && put "member ${member##*/}$nl"
    done
  fi
  echo there
done
if command -v ip >/dev/null 2>&1; then
  echo addresses
  ip -o addr show || exit 1
fi
echo done
"""
for _mark, _text in (
    ("NO_PLACE", NO_PLACE),
    ("PLACE", PLACE),
    ("VALUES", " ".join(VALUES)),
    ("COUNTERS", " ".join(COUNTERS)),
    ("NO_TOOL", str(NO_TOOL)),
):
    SNIPPET = SNIPPET.replace(_mark, _text)


class InterfaceFact(LooksForEach, LooksHere):
    """Network interfaces."""

    def snippet(self) -> str:
        return ONE_LINE + PUT + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (interface_name(argument[0]),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if not rows or rows[-1] != "done":
            raise FactError(f"the answer about interfaces is not understood: {cited(answer.out, 80)}")
        end = rows.index("addresses") if "addresses" in rows else len(rows) - 1
        addresses = _listed(rows[end + 1 : -1]) if "addresses" in rows else None
        told: dict[int, list[tuple[str, str]]] = {}
        index = 0
        for row in rows[:end]:
            key, _, value = row.partition(" ")
            if key == "interface":
                index = number(value, "an index")
                told[index] = []
            else:
                told.setdefault(index, []).append((key, value))
        if sorted(told) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} interfaces asked for, {len(told)} were answered")
        return {argument: _interface(argument[0], told[at], addresses) for at, argument in enumerate(arguments, 1)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        if not os.path.isdir(PLACE):
            raise FactError(NO_PLACE)
        try:
            addresses: dict[str, list[str]] = {}
            for name, address, bits in _sock_diag.networks():
                addresses.setdefault(name, []).append(f"{address}/{bits}")
        except OSError:
            return None
        names = [interface_name(argument[0]) for argument in arguments]
        return {(name,): _interface(name, _told_here(f"{PLACE}/{name}"), addresses) for name in names}


def _listed(rows: Sequence[str]) -> dict[str, list[str]]:
    """Return what lines as `2: eth0    inet 10.0.0.1/24 brd ...` say: interface -> addresses.

    Raises:
        FactError: a line is not understood.
    """
    found: dict[str, list[str]] = {}
    for row in rows:
        fields = row.split()
        if len(fields) < 4 or not fields[0].endswith(":"):
            raise FactError(f"ip answers what is not understood: {cited(row, 120)}")
        if fields[2] not in ("inet", "inet6"):
            continue  # `link/ether ...` of busybox
        address, _, bits = fields[3].partition("/")
        if fields[4:5] == ["peer"]:
            bits = fields[5].partition("/")[2]
        found.setdefault(fields[1].partition("@")[0], []).append(f"{address}/{bits or (128 if ':' in address else 32)}")
    return found


def _interface(name: str, told: Sequence[tuple[str, str]], addresses: Mapping[str, Sequence[str]] | None) -> Interface:
    """Return an interface out of the values of its files.

    Raises:
        FactError: what every interface has is missing.
    """
    if not told:
        return Interface(there=False)
    values = dict(told)
    if missing := [key for key in ("flags", "operstate", "mtu", *COUNTERS, "there") if key not in values]:
        raise FactError(f"the host does not tell {', '.join(missing)} of the interface {name}")
    speed = number(values.get("speed", "-1"), "a speed")
    members, up = [], []
    for key, value in told:
        if key == "member":
            members.append(value)
        elif key == "mii" and value == "up":
            up.append(members[-1])
    try:
        flags = int(values["flags"], 16)
    except ValueError:
        raise FactError(f"the flags of the interface {name} are not understood: {cited(values['flags'], 80)}") from None
    counters = {key: number(values[key], key) for key in COUNTERS}
    return Interface(
        there=True,
        on=bool(flags & SWITCHED_ON),
        operational=values["operstate"],
        mtu=number(values["mtu"], "an MTU"),
        speed=speed if speed > 0 else None,
        mac=values.get("address", ""),
        errors=counters["rx_errors"] + counters["tx_errors"],
        dropped=counters["rx_dropped"] + counters["tx_dropped"],
        driver=values.get("driver", ""),
        addresses=None if addresses is None else tuple(sorted(addresses.get(name, ()))),
        kind=values.get("kind", ""),
        mode=values.get("mode", "").partition(" ")[0],
        members=tuple(sorted(members)),
        members_up=tuple(sorted(up)),
    )


def _told_here(place: str) -> list[tuple[str, str]]:
    """Return the values of an interface's files on this machine, as the snippet tells them."""
    if not os.path.exists(place):
        return []
    told = [*_values(place, VALUES), *_values(f"{place}/statistics", COUNTERS)]
    if os.path.islink(f"{place}/device/driver"):
        told.append(("driver", os.readlink(f"{place}/device/driver").rpartition("/")[2]))
    if os.path.isdir(f"{place}/bonding"):
        told += [("kind", "bond"), *_values(f"{place}/bonding", ("mode",))]
        for member in _machine.listed(place):
            if member.startswith("lower_"):
                told.append(("member", member.removeprefix("lower_")))
                told += [("mii", value) for _, value in _values(f"{place}/{member}/bonding_slave", ("mii_status",))]
    elif os.path.isdir(f"{place}/bridge"):
        told += [("kind", "bridge"), *(("member", member) for member in _machine.listed(f"{place}/brif"))]
    return [*told, ("there", "")]


def _values(folder: str, keys: Sequence[str]) -> list[tuple[str, str]]:
    """Return the first lines of files; one that cannot be read, as the speed of a link that is down, is left out."""
    found = []
    for key in keys:
        try:
            text = decoded(_machine.whole(f"{folder}/{key}"))
        except OSError:
            continue
        if text.endswith("\n"):
            found.append((key, text.partition("\n")[0].strip()))
    return found
