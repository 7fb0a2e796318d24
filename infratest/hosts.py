"""A host as the engine, the transports and the remedies see it: named, grouped, and reached by its endpoints.

Made by a provider (from the stack file and what is up), read by everyone after. A value: it holds no connection.
"""

from __future__ import annotations

from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

RUNNING, STOPPED, PAUSED = "running", "stopped", "paused"

#: A host that its provider is about to run: it was asked for, and does not run yet.
STARTING = "starting"
#: A host that its provider has given up, whether it was ever up or not; `Host.reason` is why.
FAILED = "failed"

#: A host that is not there: it was removed by somebody else, or nobody has made it yet.
GONE, NOT_MADE = "gone", "not made"
ABSENT = (GONE, NOT_MADE)

#: What a provider says of a host that cannot answer.
DOWN = (STOPPED, PAUSED, FAILED, *ABSENT)


class Host(Record):
    """One machine of a stack.

    Args:
        address: where it is in its stack's network. routed: whether the controller reaches that address as it is.
        endpoints: its port -> (address, port) as the controller reaches it, for the ports that are published.
        transport: the transport's name. options: that transport's options, as the user would write them.
        sudo: facts are collected as root by sudo. state: one of those above, by its provider's word.
        reason: why it is in that state, in its provider's words, where it says so.
    """

    name: str
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    address: str = ""
    routed: bool = True
    endpoints: Mapping[int, tuple[str, int]] = {}
    transport: str = "ssh"
    options: Mapping[str, Any] = {}
    sudo: bool = False
    state: str = RUNNING
    reason: str = ""

    def endpoint(self, port: int) -> tuple[str, int] | None:
        """Return how the controller reaches a port, or None where it cannot (neither published nor routed)."""
        if port in self.endpoints:
            return self.endpoints[port]
        return (self.address, port) if self.routed and self.address else None
