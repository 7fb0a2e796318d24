"""One open transport a host and run: opened when first needed, used by one thread at a time, closed at the end."""

from __future__ import annotations

from _thread import allocate_lock  # threading.Lock itself, without what else that module imports
from contextlib import contextmanager

from infratest.errors import ConnectionLost, DeadlineExceeded, Unreachable
from infratest.hosts import GONE, STOPPED
from infratest.model import Cost
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from infratest.deadline import Deadline
    from infratest.hosts import Host
    from infratest.transports.base import Transport

    #: Opens nothing: makes the transport of a host, ready to be opened.
    Maker = Callable[[Host], Transport]

#: Seconds that a host must have been given to answer before its silence is its own fault and not our deadline's: a
#: lost SYN is sent again after 1 s (RFC 6298).
TIME_TO_ANSWER = 2.0


class Connections:
    """The transports of a run.

    Args:
        hosts: by name. make: makes a host's transport. login: seconds that one login may take.
    """

    def __init__(self, hosts: Mapping[str, Host], make: Maker, login: float = 10.0) -> None:
        self._hosts = hosts
        self._make = make
        self._login = login
        self._locks = {name: allocate_lock() for name in hosts}
        self._open: dict[str, Transport] = {}
        self._spent = Cost()
        self._endings = 0

    @contextmanager
    def use(self, name: str, deadline: Deadline) -> Iterator[Transport]:
        """Hand out a host's open transport; one that breaks in use is closed, and the next use logs in again.

        Raises:
            Unreachable: its provider says it is stopped or gone, or it cannot be reached. TransportError: as `open`.
        """
        host = self._hosts[name]
        if host.state in (STOPPED, GONE):
            verb = "start it with `infratest up`" if host.state == STOPPED else "make it with `infratest up`"
            raise Unreachable(f"{name} is {host.state}, by its provider's word; {verb}")
        with self._locks[name]:
            transport = self._open.get(name)
            if transport is None:
                transport = self._login_to(host, deadline)
            try:
                yield transport
            except (ConnectionLost, DeadlineExceeded):
                self._drop(name)
                raise

    def _login_to(self, host: Host, deadline: Deadline) -> Transport:
        transport = self._make(host)
        # Held from before it is open, so that `close` ends a login that hangs.
        self._open[host.name] = transport
        allowed, begun = deadline.at_most(self._login), self._endings
        try:
            transport.open(allowed)
            if self._endings != begun:
                # What was closed while it was being opened may be open all the same: nobody would close it again.
                transport.close()
                raise ConnectionLost(f"{host.name}: the run ended while it logged in")
        except BaseException as error:
            self._drop(host.name)
            if isinstance(error, Unreachable) and allowed.passed and allowed.seconds < TIME_TO_ANSWER:
                left = human(allowed.seconds, "s")
                raise DeadlineExceeded(
                    f"{host.name} did not answer within the {left} that this run had left, too little to call it "
                    "unreachable; give it more with --timeout (-t)"
                ) from error
            raise
        return transport

    def forget(self, name: str) -> None:
        """Close a host's connection, if there is one, as before a reboot."""
        with self._locks[name]:
            self._drop(name)

    def close(self) -> None:
        """Close all, from whichever thread: who still uses one, or logs in, sees its connection lost."""
        self._endings += 1
        for name in list(self._open):
            self._drop(name)

    @property
    def cost(self) -> Cost:
        """What all connections of this run have cost so far."""
        total = self._spent
        for transport in list(self._open.values()):
            total += transport.cost
        return total

    def _drop(self, name: str) -> None:
        transport = self._open.pop(name, None)
        if transport is not None:
            self._spent += transport.cost
            transport.close()
