"""Hosts by their records in DNS: the targets of SRV records, else the addresses of a name, as a balancer's members.

Loaded by name for `from: [{dns: _web._tcp.shop.example}]`. Source: RFC 2782 for SRV, whose name begins with an
underscore. Its port is where a service listens, and nothing is logged in to there: it is not taken.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.inventories.base import Answer, Inventory, Listed
from infratest.options import WORD
from infratest.web_address import host_and_port

#: Seconds for which an answer serves, where nobody says otherwise: what a name says changes with no file.
MAX_AGE = 60.0
#: Seconds that a name server has at most.
PATIENCE = 10.0


@dataclass(frozen=True)
class Options:
    """Which name, and who is asked."""

    name: str = field(
        metadata={
            "short": True, "pattern": WORD, "title": "a name",
            "description": "A name with SRV records, as _web._tcp.shop.example, or one with addresses.",
        }
    )  # fmt: skip
    server: str = field(
        default="",
        metadata={
            "pattern": WORD, "title": "HOST or HOST:PORT",
            "description": "The name server that is asked; those of this machine's resolv.conf without it.",
        },
    )  # fmt: skip
    max_age: float = field(
        default=MAX_AGE,
        metadata={
            "dimension": "time", "above": 0,
            "description": "How long an answer serves before the name server is asked again (default 1min).",
        },
    )  # fmt: skip


class Dns(Inventory):
    """What a name server says of one name, asked anew each time. A name without records is an error, not no hosts."""

    options: Options

    def hosts(self, deadline: Deadline) -> Answer:
        name = self.options.name
        kinds = ("SRV",) if name.startswith("_") else ("A", "AAAA")
        limit, there = deadline.at_most(PATIENCE), set[str]()
        for kind in kinds:
            there = self._asked(name, kind, limit)
            if there:
                break
        if not there:
            raise self._odd(f"{name} has no {' and no '.join(kinds)} record")
        listed = (Listed(name=each, address=each, where=self.describe()) for each in sorted(there))
        return Answer(hosts=tuple(listed), asked=True)

    def _asked(self, name: str, kind: str, deadline: Deadline) -> set[str]:
        """Return the hosts that the records of one type name, none where there are none of it."""
        try:
            import dns.exception
            import dns.resolver
        except ImportError:
            raise self._odd("dnspython is not installed here: pip install 'infratest[dns]'") from None
        try:
            resolver = self._resolver(dns.resolver)
            answer = resolver.resolve(
                name, kind, lifetime=max(deadline.left, 0.01), search=False, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN:
            raise self._odd(f"there is no name {name}") from None
        except dns.resolver.NoNameservers as error:
            raise self._odd(f"{kind} records of {name}: every name server refused: {clean(str(error), 200)}") from None
        except dns.exception.Timeout:
            raise self._odd(f"{kind} records of {name}: no name server answered in time") from None
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise self._odd(f"{kind} records of {name}: {clean(str(error), 200) or type(error).__name__}") from None
        records = answer.rrset if answer.rrset is not None else ()
        found = {_host(record, kind) for record in records}
        if "" in found:  # RFC 2782: a target of "." is said of a service that is decidedly not there
            raise self._odd(f"{name} says that its service is at no host")
        return found

    def _resolver(self, module: Any) -> Any:
        """Return who asks. Raises OSError: the server that is named has no address."""
        if not self.options.server:
            return module.Resolver()
        found = host_and_port(self.options.server)
        if found is None:
            raise self._odd(f"server: {clean(repr(self.options.server), 80)} is neither HOST nor HOST:PORT")
        resolver = module.Resolver(configure=False)
        resolver.nameservers = [str(socket.getaddrinfo(found[0], None, type=socket.SOCK_DGRAM)[0][4][0])]
        resolver.port = found[1] or 53
        return resolver

    def _odd(self, words: str) -> InventoryError:
        return InventoryError(f"{self.describe()}: {words}")


def _host(record: Any, kind: str) -> str:
    return str(record.target).rstrip(".") if kind == "SRV" else str(record.address)
