"""A name that is not resolved: `the name "db" is not resolved`, by /etc/hosts nor by a name server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from infratest.acts._fault import KEPT_ON_DISK, token
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.errors import UserError

#: $1: the name, $2: what copies' names begin with, $3: the hosts, $4: the name servers, $5: whom programs ask, where
#: there is such a file (not with musl). In place: in a container two are mounts. Of a name that is in no file nobody
#: else is asked by the C library, so that there is no such name; who asks name servers himself has none: port 53 of
#: this address is nobody's.
BREAK = r"""keep() { cat "$1" >"$2.part" && mv -- "$2.part" "$2"; }
keep "$3" "$2.hosts" && keep "$4" "$2.resolv" || exit
[ ! -f "$5" ] || keep "$5" "$2.services" || exit
awk -v name="$1" '{ for (i = 2; i <= NF; i++) if ($i == name) next; print }' "$2.hosts" >"$3" || exit
printf 'nameserver 127.255.255.254\noptions timeout:1 attempts:1\n' >"$4" || exit
[ ! -f "$5" ] || awk '/^[ \t]*hosts[ \t]*:/ { next } { print } END { print "hosts: files" }' "$2.services" >"$5" || exit
! getent ahosts "$1" >/dev/null || { echo "it is resolved still: by a cache of names (nscd)?" >&2; exit 1; }"""
#: As above, without the name.
MEND = """s=0
back() {
  rm -f -- "$2.part"
  [ ! -e "$2" ] || { cat "$2" >"$1" && rm -f -- "$2"; } || s=1
}
back "$2" "$1.hosts"
back "$3" "$1.resolv"
back "$4" "$1.services"
exit $s"""
NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?")


@dataclass(frozen=True)
class NameAct(Act):
    """A name that the host cannot resolve; every name that is in no file of it goes with it."""

    name: str = field(metadata={"description": "the name"})
    hosts: str = field(default="/etc/hosts", metadata={"description": "the file of names and addresses"})
    resolver: str = field(default="/etc/resolv.conf", metadata={"description": "the file of name servers"})
    services: str = field(
        default="/etc/nsswitch.conf", metadata={"description": "the file of whom programs ask for names"}
    )
    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise UserError(f"{self.name!r} is no name of a host")

    def apply(self, access: Access, deadline: Deadline) -> str:
        command = ["sh", "-c", BREAK, "sh", self.name, *self._files]
        return succeeded(access.run(command, deadline), f"the name {self.name}")

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", MEND, "sh", *self._files)

    @property
    def _files(self) -> tuple[str, ...]:
        return f"{KEPT_ON_DISK}{self.id}", self.hosts, self.resolver, self.services
