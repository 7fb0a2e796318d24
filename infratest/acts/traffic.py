"""Traffic dropped: `traffic to "db:5432" is dropped`, by a table of nftables of its own: no other rule is touched."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from infratest.acts._fault import refuse_shared_network, token
from infratest.acts.base import Access, Act, succeeded
from infratest.cleaning import decoded
from infratest.deadline import Deadline
from infratest.errors import ActError, UserError

#: $1: the table. Fine where it is gone.
DELETE = 'nft list table inet "$1" >/dev/null 2>&1 || exit 0; exec nft delete table inet "$1"'


@dataclass(frozen=True)
class DropAct(Act):
    """What the host sends to an address, dropped without a word to anybody."""

    to: str = field(metadata={"description": "a name or an address, with a port behind a colon or without"})
    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    def __post_init__(self) -> None:
        self._place()

    def guard(self, access: Access, deadline: Deadline) -> None:
        """Refuse the network of the machine that infratest runs on, and the way by which the undo comes."""
        refuse_shared_network(access, deadline)
        connection = decoded(access.run(["sh", "-c", 'echo "$SSH_CONNECTION"'], deadline).stdout).split()
        if connection and connection[0] in self._addresses(access, deadline):
            raise ActError(f"traffic to {self.to} is how {access.host} answers infratest itself: it is left alone")

    def apply(self, access: Access, deadline: Deadline) -> str:
        _, port = self._place()
        addresses = self._addresses(access, deadline)
        rules = [f"add table inet {self._table}"]
        rules.append(f"add chain inet {self._table} out {{ type filter hook output priority -300; policy accept; }}")
        for address in addresses:
            family = "ip6" if ":" in address else "ip"
            for ports in (f" tcp dport {port}", f" udp dport {port}") if port else ("",):
                rules.append(f"add rule inet {self._table} out {family} daddr {address}{ports} counter drop")
        succeeded(access.run(["nft", "; ".join(rules)], deadline), "nft")
        return f"traffic to {', '.join(addresses)} is dropped"

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", DELETE, "sh", self._table)

    @property
    def _table(self) -> str:
        return f"infratest_{self.id}"

    def _place(self) -> tuple[str, int]:
        """Return the name or address, and the port or 0. Raises ActError: it is neither."""
        name, colon, port = self.to.rpartition(":")
        if not colon or (":" in name.strip("[]") and not self.to.startswith("[")):
            name, port = self.to, ""
        name = name.strip("[]")
        if not name or name.startswith("-") or (port and not (port.isdigit() and 0 < int(port) < 65536)):
            raise UserError(
                f"traffic to {self.to!r}: write a name or an address, and a port behind a colon, as db:5432"
            )
        return name, int(port or 0)

    def _addresses(self, access: Access, deadline: Deadline) -> list[str]:
        """Return the addresses that the name has on the host. Raises ActError: it has none."""
        name, _ = self._place()
        result = access.run(["getent", "ahosts", name], deadline)
        found = dict.fromkeys(row.split()[0] for row in decoded(result.stdout).splitlines() if row.strip())
        addresses = [str(ipaddress.ip_address(one.partition("%")[0])) for one in found]
        if not addresses:
            raise ActError(f"traffic to {self.to!r}: {access.host} knows no address of {name!r} (getent ahosts)")
        return addresses
