"""The fact `socket`: every TCP and UDP socket that waits for others. It has no argument: all are told.

Asked of `ss` (which knows whether an IPv6 wildcard takes IPv4 too), else read from /proc/net, where that is not told;
on this machine asked of the kernel, as ss asks. An ss that prints nothing says nothing: its headings prove that it
spoke. One that prints these alone is believed where /proc/net has no socket, either: it may not be allowed to ask the
kernel, and ends as if all were well.
`ss` writes `*:80` for a wildcard of both families, `0.0.0.0:80` and `[::]:80` for one, and `%eth0` behind an address
where the socket is bound to an interface, whose addresses are then asked of `ip`. Unix sockets are asked apart, by
the fact `unix-socket`: anybody may give one a name that reads like a port that listens.
"""

from __future__ import annotations

import _socket

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _sock_diag
from infratest.facts._shell import PUT, lines
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Listener(Record):
    """A socket that waits for others: listening TCP, or bound and unconnected UDP.

    Args:
        kind: `tcp` or `udp`. address: without scope. family: 4 or 6.
        only6: an IPv6 wildcard that takes no IPv4; None where the host could not say.
        interface: the only one it is reached over, empty where it is over any; None where the host could not say.
        reached: addresses of that interface; None where they are not known.
    """

    kind: str
    address: str
    port: int
    family: int
    only6: bool | None = None
    interface: str | None = ""
    reached: tuple[str, ...] | None = None

    def in_words(self) -> str:
        return f"{self.kind} {f'[{self.address}]' if ':' in self.address else self.address}:{self.port}"


class Listeners(tuple[Listener, ...]):
    """All that waits on a host."""

    @derived
    def _ports(self) -> dict[tuple[str, int], list[Listener]]:
        found: dict[tuple[str, int], list[Listener]] = {}
        for one in self:
            found.setdefault((one.kind, one.port), []).append(one)
        return found

    def on(self, kind: str, port: int) -> list[Listener]:
        """Return those of a kind on a port."""
        return self._ports.get((kind, port), [])

    def in_words(self) -> str:
        return f"{len(self)} listening: {', '.join(sorted([one.in_words() for one in self]))}"


# 0A is TCP_LISTEN, 07 an unconnected UDP socket (net/tcp_states.h). A host without IPv6 has no tcp6 and udp6.
SNIPPET = r"""
of_proc() {
  [ -r /proc/net/tcp ] && command -v awk >/dev/null 2>&1 || return 1
  echo proc
  set --
  for table in tcp tcp6 udp udp6; do
    [ -r "/proc/net/$table" ] && set -- "$@" "/proc/net/$table"
  done
  awk 'FNR == 1 { table = FILENAME; sub(".*/", "", table); next }
    $4 == (table ~ /^tcp/ ? "0A" : "07") { print table, $2 }' "$@"
}
if command -v ss >/dev/null 2>&1; then
  echo ss
  shown=$(ss -l -n -t -u) || exit 1
  put "$shown
"
  case $shown in
  *"$nl"*) ;;
  *) of_proc; exit 0 ;;
  esac
  case $shown in
  *%*)
    echo addresses
    ip -o addr show 2>/dev/null
    ;;
  esac
elif of_proc; then
  exit 0
else
  echo "neither ss (iproute2) nor awk is installed on this host" >&2
  exit NO_TOOL
fi
""".replace("NO_TOOL", str(NO_TOOL))


class SocketFact(LooksHere):
    """Listening sockets."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return f"nl='\n'\n{PUT}{SNIPPET}"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if not rows or rows[0] not in ("ss", "proc"):
            raise FactError(f"the answer about sockets is not understood: {cited(answer.out, 80)}")
        if rows[0] == "proc":
            return dict.fromkeys(arguments, Listeners(_proc(row) for row in rows[1:]))
        from infratest.facts._ss_answer import told_by_ss  # a look at this machine asks no ss

        end = rows.index("addresses") if "addresses" in rows else len(rows)
        listeners = [listener for row in told_by_ss(rows[:end]) if (listener := _ss(row)) is not None]
        if known := [pair for row in rows[end + 1 :] for pair in _addresses(row)]:
            listeners = _with_addresses(listeners, known)
        return dict.fromkeys(arguments, Listeners(listeners))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            listeners = [Listener(*seen) for seen in _sock_diag.ports()]
            if any(one.interface for one in listeners):
                listeners = _with_addresses(listeners, _sock_diag.addresses())
        except OSError:
            return None
        return dict.fromkeys(arguments, Listeners(listeners))


def _with_addresses(listeners: list[Listener], known: list[tuple[str, str]]) -> list[Listener]:
    """Return listeners with the addresses of the interface that each is bound to, given those of all interfaces."""
    return [
        one.changed(reached=tuple(sorted([address for name, address in known if name == one.interface])))
        if one.interface
        else one
        for one in listeners
    ]


def _ss(row: str) -> Listener | None:
    fields = row.split()
    if len(fields) < 6:
        raise FactError(f"ss answered a line that is not understood: {cited(row, 120)}")
    kind = {"tcp": "tcp", "udp": "udp"}.get(fields[0])
    if kind is None:
        return None
    address, _, port = fields[4].rpartition(":")
    address, _, interface = address.partition("%")
    address = address.strip("[]")
    if not port.isdigit():
        raise FactError(f"ss answered a port that is not understood: {cited(row, 120)}")
    if address == "*":
        return Listener(kind=kind, address="::", port=int(port), family=6, only6=False, interface=interface)
    family = 6 if ":" in address else 4
    only6 = True if address == "::" else None
    return Listener(kind, address, int(port), family, only6, interface.strip("[]"))


def _addresses(row: str) -> list[tuple[str, str]]:
    """Return what `2: eth0    inet 10.0.0.1/24 ...` tells: an interface and an address of it."""
    fields = row.split()
    if len(fields) < 4 or fields[2] not in ("inet", "inet6"):
        return []
    return [(fields[1].partition("@")[0], fields[3].partition("/")[0])]


def _proc(row: str) -> Listener:
    table, _, rest = row.partition(" ")
    address, _, port = rest.partition(":")
    try:
        return Listener(
            kind=table[:3],
            address=_address(address),
            port=int(port, 16),
            family=6 if table.endswith("6") else 4,
            interface=None,
        )
    except ValueError:
        raise FactError(f"/proc/net/{table} holds a line that is not understood: {cited(row, 120)}") from None


def _address(text: str) -> str:
    """Read an address of /proc/net: 32-bit words in hexadecimal, each in the byte order of the host.

    The host's byte order is taken for little-endian, as on every Linux that Debian, Fedora or Alpine ship but s390x;
    a wildcard is the same in both.
    """
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    return _socket.inet_ntop(_socket.AF_INET if len(text) == 8 else _socket.AF_INET6, b"".join(words))
