"""Needs to facts: one script a host (two where sudo is asked for), all hosts at once, the controller beside them.

What comes back is a table of values and failures; nothing is judged here. A host that cannot be asked at all is told
apart from a fact that could not be read: the first blocks results, the second makes one unknown.
"""

from __future__ import annotations

from time import monotonic

from infratest.check import CONTROLLER
from infratest.cleaning import clean, decoded
from infratest.collect.asked import Facts, InTurn, as_failure, asks, fewer, questions
from infratest.collect.here import look_here
from infratest.collect.script import build, read
from infratest.errors import ConnectionLost, FactError, InfratestError, TransportError
from infratest.facts.base import LooksFromController
from infratest.plugins import builtin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from concurrent.futures import ThreadPoolExecutor

    from infratest.collect.asked import Ask, Batch
    from infratest.collect.connections import Connections
    from infratest.collect.trips import Trips
    from infratest.deadline import Deadline
    from infratest.facts.base import Connect, Need
    from infratest.model import Cost
    from infratest.transports.base import CommandResult, Transport


#: Threads that may wait for hosts. A thread that waits holds some 50 KiB.
THREADS = 1000


class Collector:
    """Collects for one run.

    Args:
        sudo: hosts that are asked as root by sudo. here: names of hosts that are this machine.
        connect: how the controller reaches an address. jobs: hosts at once, but for those that keep us waiting: a host
        that is dead or hangs holds up no other.
    """

    def __init__(
        self,
        connections: Connections,
        sudo: Mapping[str, bool],
        connect: Connect,
        jobs: int = 16,
        here: Collection[str] = (),
    ) -> None:
        self._here = here
        self._connections = connections
        self._sudo = sudo
        self._connect = connect
        self._jobs = jobs
        self._pool: ThreadPoolExecutor | None = None
        self._trips: list[Trips] = []

    @property
    def cost(self) -> Cost:
        """What all connections have cost so far."""
        return self._connections.cost

    def trips(self, places: int) -> InTurn | Trips:
        """Return what makes round trips, to all of so many places at once."""
        if places == 1:
            return InTurn(self.collect)
        from infratest.collect.trips import Trips

        self._trips.append(Trips(self._work, self._threads(), self._jobs))
        return self._trips[-1]

    def collect(self, needs: Mapping[str, Iterable[Need]], deadline: Deadline) -> Facts:
        """Ask everything at every location once and return what came back by the deadline."""
        batches: dict[Batch, Iterable[Need]] = {place: wanted for place, wanted in needs.items() if place != CONTROLLER}
        batches |= {need: (need,) for need in needs.get(CONTROLLER, ())}
        facts = Facts()
        if len(batches) < 2:
            for batch, wanted in batches.items():
                self._work(batch, wanted, deadline, facts)
            return facts
        trips = self.trips(len(batches))
        for batch, wanted in batches.items():
            trips.begin(batch, wanted, deadline)
        for _ in batches:
            ended = trips.ended(None)
            if ended is not None:
                facts.take(ended[0], ended[1])
        return facts

    def _work(self, batch: Batch, needs: Iterable[Need], deadline: Deadline, facts: Facts) -> None:
        if isinstance(batch, str):
            self._host(batch, list(needs), deadline, facts)
        else:
            self._controller(next(iter(needs)), deadline, facts)

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="infratest")
        return self._pool

    def close(self) -> None:
        if self._pool is not None:
            # Who was given up is waited for by nobody.
            self._pool.shutdown(wait=not any(each.lost for each in self._trips), cancel_futures=True)

    def _host(self, name: str, needs: Sequence[Need], deadline: Deadline, facts: Facts) -> None:
        wanted = asks(needs)
        if name in self._here:
            wanted = look_here(name, wanted, facts)
        sudo = self._sudo.get(name, False)
        for as_root in (False, True):
            part = [ask for ask in wanted if (sudo and not ask.unprivileged) == as_root]
            if part and name not in facts.blocked:
                self._ask(name, part, as_root, deadline, facts)

    def _ask(self, name: str, wanted: Sequence[Ask], sudo: bool, deadline: Deadline, facts: Facts) -> None:
        """Ask all of these by one script; what is to be asked once more by a second."""
        asking = questions(name, wanted, facts, deadline.left)
        script = build([question for _, question in asking])
        started = monotonic()
        failure: TransportError | None = None
        sent = [started]  # anew where a connection that was lost is opened once more

        def send(transport: Transport) -> CommandResult:
            sent.append(monotonic())
            return transport.run_script(script.text, deadline, sudo, [script.nonce])

        try:
            result = self._connections.ask(name, deadline, send)
            output, words = result.stdout, clean(decoded(result.stderr), 300)
        except TransportError as error:
            failure, output, words = error, error.partial, ""
        answers = read(script, output)
        if failure is not None and all(isinstance(answer, InfratestError) for answer in answers):
            facts.blocked[name] = failure
            return
        ended = monotonic()
        took = ended - started

        def why(error: InfratestError) -> InfratestError:
            cut = isinstance(error, ConnectionLost)  # a transport that did not see the loss names no host
            lost = failure or (ConnectionLost(f"{name}: {error}") if cut else error)
            return type(lost)(f"{lost}{f': {words}' if words else ''}")

        for (ask, _), answer in zip(asking, answers, strict=True):
            facts.received(name, ask, answer, took, why, (sent[-1], ended))
        again = facts.unread(name)
        if fewer(again, wanted) and failure is None and not deadline.passed:
            self._ask(name, again, sudo, deadline, facts)

    def _controller(self, need: Need, deadline: Deadline, facts: Facts) -> None:
        fact = builtin("fact", need.fact)()
        values = facts.at(CONTROLLER)
        if not isinstance(fact, LooksFromController):
            values[need] = FactError(f"{need.fact} cannot be looked at from the controller; leave `from` out")
            return
        if need.seconds:
            fact.bear(need.seconds)
        try:
            values[need] = fact.look([need.argument], deadline, self._connect)[need.argument]
        except Exception as error:  # noqa: BLE001 - a fact's own bug is unknown, and must not end the others
            values[need] = as_failure(need.fact, error)
