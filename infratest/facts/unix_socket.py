"""The fact `unix-socket`: every unix socket that waits for others. It has no argument: all are told.

Asked of `ss`, else read from /proc/net/unix; on this machine asked of the kernel, as ss asks. An abstract name begins
with @. `ss` writes a line break in a name as it is: then all of them are unknown, unless what follows reads like one
more line of its. So whoever may run programs on a host can make up names of unix sockets there, but never a port.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts import _sock_diag
from infratest.facts._shell import lines
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.found import Listener, Listeners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# Flag 10000 accepts connections (__SO_ACCEPTCON of net/unix), type 0002 (datagram) needs no listening.
SNIPPET = r"""
if command -v ss >/dev/null 2>&1; then
  echo ss
  ss -H -l -n -x
elif [ -r /proc/net/unix ] && command -v awk >/dev/null 2>&1; then
  echo proc
  awk 'FNR > 1 && $8 != "" && ($4 == "00010000" || $5 == "0002")' /proc/net/unix
else
  echo "neither ss (iproute2) nor awk is installed on this host" >&2
  exit NO_TOOL
fi
""".replace("NO_TOOL", str(NO_TOOL))


class UnixSocketFact(LooksHere):
    """Listening unix sockets."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if not rows or rows[0] not in ("ss", "proc"):
            raise FactError(f"the answer about unix sockets is not understood: {answer.out[:80]!r}")
        reader = _ss if rows[0] == "ss" else _proc
        names = [reader(row) for row in rows[1:]]
        found = Listeners(Listener("unix", name) for name in names if name != "*")
        return dict.fromkeys(arguments, found)

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            return dict.fromkeys(arguments, Listeners(_sock_diag.unix_names()))
        except OSError:
            return None


def _ss(row: str) -> str:
    """Return the name in `Netid State Recv-Q Send-Q NAME INODE PEER INODE`: it may hold blanks, what follows not."""
    if not row.startswith("u_") or len(row.split()) < 8:
        raise FactError(f"ss answered a line that is not understood: {row[:120]!r}")
    return row.split(None, 4)[4].rsplit(None, 3)[0]


def _proc(row: str) -> str:
    """Return the name in `Num RefCount Protocol Flags Type St Inode NAME`."""
    return row.split(None, 7)[7]
