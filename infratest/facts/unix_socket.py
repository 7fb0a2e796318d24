"""The fact `unix-socket`: every unix socket that waits for others. It has no argument: all are told.

Asked of `ss`, else read from /proc/net/unix; on this machine asked of the kernel, as ss asks. An abstract name begins
with @ and has no file; a path may begin so, too, where it was bound from the folder that it is in. A path is what was
bound, as it was written then: which file that is, the kernel knows (`ss -e` tells), and one who connects gets to
whoever listens on the file that is at a path now. /proc/net/unix does not tell the file, so the path that was bound is
looked at there, which may be another's by now; of a path that two have bound it is not known.
`ss` writes a line break in a name as it is: then all of them are unknown, unless what follows reads like one
more line of its. So whoever may run programs on a host can make up names of unix sockets there, but never a port.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _sock_diag
from infratest.facts._shell import PUT, lines, number
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class UnixListener(Record):
    """A unix socket that waits for others and takes any peer.

    Args:
        address: its path as it was bound, or `@name`. file: its file, as device and inode; None where the host could
        not say, and of an abstract name.
    """

    address: str
    file: tuple[int, int] | None = None

    def in_words(self) -> str:
        return f"unix {self.address}"


class UnixListeners(tuple[UnixListener, ...]):
    """All unix sockets that wait on a host."""

    @derived
    def addresses(self) -> frozenset[str]:
        return frozenset([one.address for one in self])

    def in_words(self) -> str:
        return f"{len(self)} listening: {', '.join(sorted([one.in_words() for one in self]))}"


# Flag 10000 accepts connections (__SO_ACCEPTCON of net/unix), type 0002 (datagram) needs no listening. State 01 is
# without a peer: what a listener has accepted bears its name, too, and is left out. Behind a line of `=` device and
# inode of the sockets that are at these paths. A name is last in each line: it may hold blanks. Behind the headings of
# an ss that names none, /proc/net/unix is told; nothing behind `proc` where it names some that do not listen.
SNIPPET = r"""
if command -v ss >/dev/null 2>&1 && command -v grep >/dev/null 2>&1; then
  echo ss
  shown=$(ss -a -n -x -e) || exit 1
  kept=$(put "$shown$nl" | grep -v -E '^(u_str|u_seq) +(ESTAB|UNCONN) ')
  put "$kept$nl"
  case $kept in *"$nl"*) exit 0 ;; esac
  case $shown in
  *"$nl"*) echo proc ;;
  *)
    [ -r /proc/net/unix ] || exit 0
    echo proc
    { read -r headings; while read -r row; do put "$row$nl"; done; } </proc/net/unix
    ;;
  esac
  exit 0
elif [ -r /proc/net/unix ] && command -v awk >/dev/null 2>&1; then
  echo proc
  shown=$(awk 'FNR > 1 && $8 != "" && ($5 == "0002" || $6 == "01")' /proc/net/unix)
  put "$shown
=
"
  put "$shown
" | {
    set --
    while read -r number count protocol flags type state inode name; do
      case $name in /*) [ -S "$name" ] && set -- "$@" "$name" ;; esac
    done
    [ $# -eq 0 ] || stat -L -c '%d %i %n' -- "$@" 2>/dev/null
  }
  exit 0
else
  echo "neither ss (iproute2) nor awk is installed on this host" >&2
  exit NO_TOOL
fi
""".replace("NO_TOOL", str(NO_TOOL))


class UnixSocketFact(LooksHere):
    """Listening unix sockets."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return f"nl='\n'\n{PUT}{SNIPPET}"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if not rows or rows[0] not in ("ss", "proc"):
            raise FactError(f"the answer about unix sockets is not understood: {cited(answer.out, 80)}")
        from infratest.facts._ss_answer import told_by_ss  # a look at this machine asks no ss

        told = rows[1:] if rows[0] == "proc" else told_by_ss(rows)
        listeners = _proc(told) if rows[0] == "proc" else [one for row in told if (one := _ss(row)) is not None]
        return dict.fromkeys(arguments, UnixListeners(listeners))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            return dict.fromkeys(arguments, UnixListeners([UnixListener(*seen) for seen in _sock_diag.unix_names()]))
        except OSError:
            return None


def _ss(row: str) -> UnixListener | None:
    """Read `Netid State Recv-Q Send-Q NAME INODE PEER INODE <-> ino:1 dev:0/2 peers:`, NAME with any blanks.

    One without a name waits for nobody. A datagram socket waits once it is bound, whatever state others that send to
    it have put it in, unless it has a peer of its own: then it hears that one alone.
    """
    fields = row.split(None, 4)
    if not row.startswith("u_") or len(fields) < 5:
        raise FactError(f"ss answered a line that is not understood: {cited(row, 120)}")
    front, file = _file(fields[4])
    for mark in (" <->", " -->", " <--", " ---"):
        front = front.removesuffix(mark)
    parts = front.rsplit(None, 3)
    if len(parts) != 4:
        raise FactError(f"ss answered a line that is not understood: {cited(row, 120)}")
    name = parts[0]
    if name == "*" or (parts[3] != "0" if fields[0] == "u_dgr" else fields[1] != "LISTEN"):
        return None
    return UnixListener(name, file)


def _file(text: str) -> tuple[str, tuple[int, int] | None]:
    """Return what stands before the file of a socket, and the file; before what stands behind a socket without one."""
    text = text.rstrip()
    front, peers, behind = text.rpartition(" peers:")
    if peers and all(word.isdigit() for word in behind.split()):
        text = front.rstrip()
    front, mark, behind = text.rpartition(" ino:")
    inode, _, device = behind.partition(" dev:")
    major, slash, minor = device.partition("/")
    if not (mark and slash and inode.isdigit() and major.isdigit() and minor.isdigit()):
        return text, None
    # ss takes the kernel's number of a device, with the minor number in the low 20 bits, for the C library's.
    number = _sock_diag.made_device(int(major), int(minor))
    return front.rstrip(), (_sock_diag.made_device(number >> 20, number & 0xFFFFF), int(inode))


def _proc(rows: list[str]) -> list[UnixListener]:
    """Read lines of `Num RefCount Protocol Flags Type St Inode NAME`, and of `DEVICE INODE NAME` behind `=`."""
    if "=" not in rows:
        raise FactError("the answer about unix sockets is not understood: it ends early")
    middle = rows.index("=")
    bound = [row.split(None, 7) for row in rows[:middle] if row]
    files: dict[str, tuple[int, int]] = {}
    for row in rows[middle + 1 :]:
        device, inode, name = [*row.split(" ", 2), "", ""][:3]
        files[name] = (number(device, "a device"), number(inode, "an inode"))
    times: dict[str, int] = {}
    for fields in bound:
        if len(fields) != 8:
            raise FactError(f"/proc/net/unix holds a line that is not understood: {cited(' '.join(fields), 120)}")
        times[fields[7]] = times.get(fields[7], 0) + 1
    return [
        UnixListener(fields[7], file=files.get(fields[7]) if times[fields[7]] == 1 else None)
        for fields in bound
        if fields[3] == "00010000" or fields[4] == "0002"
    ]
