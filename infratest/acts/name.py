"""A name that is not resolved: `the name "db" is not resolved`, by /etc/hosts nor by a name server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from infratest.acts._fault import KEPT, token
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import UserError

HOSTS, RESOLVER = "/etc/hosts", "/etc/resolv.conf"
#: $1: the name, $2, $3: copies. In place: in a container both files are mounts. Port 53 of this address is nobody's.
BREAK = r"""cat /etc/hosts >"$2" && cat /etc/resolv.conf >"$3" || exit
awk -v name="$1" '{ for (i = 2; i <= NF; i++) if ($i == name) next; print }' "$2" >/etc/hosts || exit
printf 'nameserver 127.255.255.254\noptions timeout:1 attempts:1\n' >/etc/resolv.conf || exit
! getent ahosts "$1" >/dev/null || { echo "it is resolved still, by another service of nsswitch.conf" >&2; exit 1; }"""
MEND = """s=0
[ ! -s "$1" ] || cat "$1" >/etc/hosts || s=1
[ ! -e "$2" ] || cat "$2" >/etc/resolv.conf || s=1
[ $s = 0 ] && rm -f -- "$1" "$2\""""
NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?")


@dataclass(frozen=True)
class NameAct(Act):
    """A name that the host cannot resolve; every name that only name servers know goes with it."""

    name: str = field(metadata={"description": "the name"})
    id: str = field(default_factory=token, init=False, compare=False)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise UserError(f"{self.name!r} is no name of a host")

    def apply(self, access: Access, deadline: Deadline) -> str:
        command = ["sh", "-c", BREAK, "sh", self.name, *self._copies]
        return succeeded(access.run(command, deadline), f"the name {self.name}")

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", MEND, "sh", *self._copies)

    @property
    def _copies(self) -> tuple[str, str]:
        return f"{KEPT}{self.id}.hosts", f"{KEPT}{self.id}.resolv"
