"""One open transport a host and run: opened when first needed, used by one thread at a time, closed at the end."""

from __future__ import annotations

from _thread import allocate_lock, get_ident  # of `threading`, without what else that module imports
from contextlib import contextmanager
from time import sleep

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

#: Seconds between two closings of what is being opened: one that comes before there is anything to close is lost.
AGAIN = 0.02

#: Who may use connections: anybody, nobody, else the thread of this number (no thread's is so).
ANYBODY, NOBODY = -1, 0


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
        self._opening: dict[str, Transport] = {}
        self._spent = Cost()
        self._for = ANYBODY

    @contextmanager
    def use(self, name: str, deadline: Deadline) -> Iterator[Transport]:
        """Hand out a host's open transport; one that breaks in use is closed, and the next use logs in again.

        Raises:
            Unreachable: its provider says it is stopped or gone, or it cannot be reached. TransportError: as `open`.
            ConnectionLost: they are closed.
        """
        host = self._hosts[name]
        if host.state in (STOPPED, GONE):
            verb = "start it with `infratest up`" if host.state == STOPPED else "make it with `infratest up`"
            raise Unreachable(f"{name} is {host.state}, by its provider's word; {verb}")
        with self._locks[name]:
            self._refuse_closed(name)
            transport = self._open.get(name)
            if transport is None:
                transport = self._login_to(host, deadline)
            try:
                yield transport
            except (ConnectionLost, DeadlineExceeded):
                self._drop(name)
                raise

    def _refuse_closed(self, name: str) -> None:
        if self._for not in (ANYBODY, get_ident()):
            raise ConnectionLost(f"{name}: the run has ended; it is not connected to any more")

    def _login_to(self, host: Host, deadline: Deadline) -> Transport:
        transport = self._make(host)
        # Held from before it is open, so that `close` ends a login that hangs.
        self._open[host.name] = self._opening[host.name] = transport
        allowed = deadline.at_most(self._login)
        try:
            self._refuse_closed(host.name)
            transport.open(allowed)
            self._refuse_closed(host.name)
        except BaseException as error:
            self._drop(host.name)
            transport.close()  # one that was closed while it was being opened may be open all the same
            if isinstance(error, Unreachable) and allowed.passed and allowed.seconds < TIME_TO_ANSWER:
                left = human(allowed.seconds, "s")
                raise DeadlineExceeded(
                    f"{host.name} did not answer within the {left} that this run had left, too little to call it "
                    "unreachable; give it more with --timeout (-t)"
                ) from error
            raise
        finally:
            self._opening.pop(host.name, None)
        return transport

    def forget(self, name: str) -> None:
        """Close a host's connection, if there is one, as before a reboot."""
        with self._locks[name]:
            self._drop(name)

    def close(self) -> None:
        """Close all for good, from whichever thread: who uses one, or logs in, sees it lost, and `use` refuses."""
        self._end(NOBODY)

    def close_to_others(self) -> None:
        """Close all, likewise, and from now on serve this thread alone: it has something to undo, and logs in anew."""
        self._end(get_ident())

    def _end(self, served: int) -> None:
        self._for = served
        for name in list(self._open):
            self._drop(name)
        while self._opening:
            for transport in list(self._opening.values()):
                transport.close()
            sleep(AGAIN)

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
