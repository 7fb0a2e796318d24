"""One open transport a host and run: opened when first needed, used by one thread at a time, closed at the end.

Who runs again and again (`watch`) holds them from one run to the next in a `Held`.
"""

from __future__ import annotations

from _thread import allocate_lock, get_ident  # of `threading`, without what else that module imports
from contextlib import contextmanager
from time import sleep

from infratest.errors import ConnectionLost, DeadlineExceeded, TransportError, Unreachable
from infratest.hosts import ABSENT, DOWN, FAILED, GONE
from infratest.model import Cost
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeVar

    from infratest.deadline import Deadline
    from infratest.hosts import Host
    from infratest.transports.base import Transport

    #: Opens nothing: makes the transport of a host, ready to be opened.
    TransportFactory = Callable[[Host], Transport]
    T = TypeVar("T")

#: Seconds that a host must have been given to answer before its silence is its own fault and not our deadline's: a
#: lost SYN is sent again after 1 s (RFC 6298).
TIME_TO_ANSWER = 2.0

#: Seconds between two closings of what is being opened: one that comes before there is anything to close is lost.
AGAIN = 0.02

#: Who may use connections: anybody, nobody, else the thread of this number (no thread's is so).
ANYBODY, NOBODY = -1, 0


#: Seconds that a host has to answer over a connection that was held, before it is given up for a new one.
PROOF = 5.0


class Held:
    """Open transports between two runs, by host. Used by one thread."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Host, Transport]] = {}

    def fit(self, hosts: Mapping[str, Host]) -> None:
        """Close those of hosts that are gone, or are not what they were."""
        self.drop([name for name, (host, _) in self._held.items() if hosts.get(name) != host])

    def take(self, name: str) -> Transport | None:
        """Return a host's, no longer held here."""
        return self._held.pop(name, (None, None))[1]

    def give(self, host: Host, transport: Transport) -> None:
        self._held[host.name] = (host, transport)

    def drop(self, names: Iterable[str]) -> None:
        """Close those of these hosts."""
        for name in names:
            transport = self.take(name)
            if transport is not None:
                transport.close()

    def close(self) -> None:
        """Close all."""
        self.drop(list(self._held))


class Connections:
    """The transports of a run.

    Args:
        hosts: by name. make: makes a host's transport. login: seconds that one login may take. held: where open ones
        are taken from, and go to by `keep`.
    """

    def __init__(
        self, hosts: Mapping[str, Host], make: TransportFactory, login: float = 10.0, held: Held | None = None
    ) -> None:
        self._hosts = hosts
        self._make = make
        self._login = login
        self._locks = {name: allocate_lock() for name in hosts}
        self._open: dict[str, Transport] = {}
        self._opening: dict[str, Transport] = {}
        self._spent = Cost()
        self._for = ANYBODY
        self._held = held
        self._unproven: set[str] = set()
        if held is not None:
            held.fit(hosts)

    @contextmanager
    def use(self, name: str, deadline: Deadline, proven: bool = True) -> Iterator[Transport]:
        """Hand out a host's open transport; one that breaks in use is closed, and the next use logs in again.

        Args:
            proven: one that was held must have answered before.
        Raises:
            Unreachable: its provider says it is stopped or gone, or it cannot be reached. TransportError: as `open`.
            ConnectionLost: they are closed.
        """
        host = self._hosts[name]
        if host.state in DOWN:
            raise Unreachable(_down(host))
        with self._locks[name]:
            self._refuse_closed(name)
            transport = self._open.get(name) or self._taken(name)
            if transport is not None and proven and name in self._unproven:
                transport = self._proven(name, transport, deadline)
            if transport is None:
                transport = self._login_to(host, deadline)
            try:
                yield transport
            except (ConnectionLost, DeadlineExceeded):
                self._drop(name)
                raise
            self._unproven.discard(name)

    def ask(self, name: str, deadline: Deadline, work: Callable[[Transport], T]) -> T:
        """Return what work returns that only looks at a host; done again where a held connection had died before.

        Raises:
            TransportError: as `use`.
        """
        try:
            with self.use(name, deadline, proven=False) as transport:
                return work(transport)
        except ConnectionLost as error:
            if error.begun or name not in self._unproven:
                raise
        self._unproven.discard(name)
        with self.use(name, deadline) as transport:
            return work(transport)

    def _taken(self, name: str) -> Transport | None:
        transport = self._held.take(name) if self._held is not None else None
        if transport is not None:
            self._open[name] = transport
            self._unproven.add(name)
        return transport

    def _proven(self, name: str, transport: Transport, deadline: Deadline) -> Transport | None:
        """Return a transport that was held, unless it does not answer any more."""
        self._unproven.discard(name)
        try:
            transport.run(["true"], deadline.at_most(PROOF))
        except TransportError:
            self._drop(name)
            return None
        return transport

    def keep(self) -> None:
        """Hold what is open and worth it for the next run, where somebody wants that. Nobody uses any now."""
        if self._held is None:
            return
        for name in [name for name, transport in self._open.items() if transport.keeps]:
            transport = self._open.pop(name)
            self._spent += transport.cost.taken()
            self._held.give(self._hosts[name], transport)

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
                    "unreachable; give it more with --timeout"
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


def _down(host: Host) -> str:
    """Return why a host that its provider calls down is not asked anything, and what to do."""
    if host.state == GONE and host.reason:
        return f"{host.name} is gone: {host.reason}"
    if host.state in ABSENT:
        verb = "make it with `infratest up`"
    elif host.state == FAILED:
        verb = f"`destroy` of its stack with --host {host.name}, then `up`, make it anew"
    else:
        verb = "start it with `infratest up`"
    words = f" ({host.reason})" if host.reason else ""
    return f"{host.name} is {host.state}{words}, by its provider's word; {verb}"
