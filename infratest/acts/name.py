"""A name that is not resolved: `the name "db" is not resolved`, by /etc/hosts nor by a name server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from infratest.acts._fault import KEPT, token
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import UserError

#: $1: the name, $2, $3: copies of $4, the hosts, and $5, the name servers. In place: in a container both are mounts.
#: Port 53 of this address is nobody's.
BREAK = r"""cat "$4" >"$2" && cat "$5" >"$3" || exit
awk -v name="$1" '{ for (i = 2; i <= NF; i++) if ($i == name) next; print }' "$2" >"$4" || exit
printf 'nameserver 127.255.255.254\noptions timeout:1 attempts:1\n' >"$5" || exit
! getent ahosts "$1" >/dev/null || { echo "it is resolved still, by another service of nsswitch.conf" >&2; exit 1; }"""
#: $1, $2: the copies, of $3 and $4.
MEND = """s=0
[ ! -s "$1" ] || cat "$1" >"$3" || s=1
[ ! -e "$2" ] || cat "$2" >"$4" || s=1
[ $s = 0 ] && rm -f -- "$1" "$2\""""
NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?")


@dataclass(frozen=True)
class NameAct(Act):
    """A name that the host cannot resolve; every name that only name servers know goes with it."""

    name: str = field(metadata={"description": "the name"})
    hosts: str = field(default="/etc/hosts", metadata={"description": "the file of names and addresses"})
    resolver: str = field(default="/etc/resolv.conf", metadata={"description": "the file of name servers"})
    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise UserError(f"{self.name!r} is no name of a host")

    def apply(self, access: Access, deadline: Deadline) -> str:
        command = ["sh", "-c", BREAK, "sh", self.name, *self._copies, self.hosts, self.resolver]
        return succeeded(access.run(command, deadline), f"the name {self.name}")

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", MEND, "sh", *self._copies, self.hosts, self.resolver)

    @property
    def _copies(self) -> tuple[str, str]:
        return f"{KEPT}{self.id}.hosts", f"{KEPT}{self.id}.resolv"
