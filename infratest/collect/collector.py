"""Needs to facts: one script a host (two where sudo is asked for), all hosts at once, the controller beside them.

What comes back is a table of values and failures; nothing is judged here. A host that cannot be asked at all is told
apart from a fact that could not be read: the first blocks results, the second makes one unknown.
"""

from __future__ import annotations

from functools import partial
from time import monotonic

from infratest.check import CONTROLLER
from infratest.cleaning import clean, decoded
from infratest.collect.asked import SNIPPET_SECONDS, Facts, as_failure, asks, fewer, questions
from infratest.collect.here import look_here
from infratest.collect.script import build, read
from infratest.errors import ConnectionLost, FactError, InfratestError, TransportError
from infratest.facts.base import LooksFromController
from infratest.plugins import builtin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future, ThreadPoolExecutor

    from infratest.collect.asked import Ask, Batch, OnBatch
    from infratest.collect.connections import Connections
    from infratest.deadline import Deadline
    from infratest.facts.base import Connect, Need
    from infratest.model import Cost
    from infratest.transports.base import CommandResult, Transport


#: Seconds after which who is still asked counts no more among the hosts at once: it waits, and costs nothing.
PATIENCE = 1.0

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

    @property
    def cost(self) -> Cost:
        """What all connections have cost so far."""
        return self._connections.cost

    def collect(
        self, needs: Mapping[str, Iterable[Need]], deadline: Deadline, on_batch: OnBatch | None = None
    ) -> Facts:
        """Ask everything at every location and return what came back by the deadline.

        Args:
            on_batch: called with each batch as soon as it is complete, while others are still waited for.
        """
        facts = Facts()
        work: list[Callable[[], Batch]] = []
        for location, wanted in needs.items():
            if location != CONTROLLER:
                work.append(partial(self._host, location, list(wanted), deadline, facts))
        for need in needs.get(CONTROLLER, ()):
            work.append(partial(self._controller, need, deadline, facts))
        if len(work) == 1:
            work[0]()  # threads are for those who wait for each other, and cost more to import than to log in
            return facts
        for batch in self._together(work):
            if on_batch is not None:
                on_batch(batch, facts)
        return facts

    def _together(self, work: Sequence[Callable[[], Batch]]) -> Iterator[Batch]:
        """Do all of this work, so much at once as there are hosts to be asked at once; yield what is done."""
        from _queue import Empty, SimpleQueue

        ended: SimpleQueue[Future[Batch]] = SimpleQueue()
        began: dict[Future[Batch], float] = {}
        left = iter(work)
        following = next(left, None)
        while began or following is not None:
            patient = monotonic() - PATIENCE
            busy = sum(moment > patient for moment in began.values())
            while following is not None and busy < self._jobs:
                future = self._threads().submit(following)
                began[future] = monotonic()
                future.add_done_callback(ended.put)
                following, busy = next(left, None), busy + 1
            try:
                future = ended.get(timeout=PATIENCE if following is not None else None)
            except Empty:
                continue
            del began[future]
            yield future.result()

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="infratest")
        return self._pool

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _host(self, name: str, needs: Sequence[Need], deadline: Deadline, facts: Facts) -> Batch:
        wanted = asks(needs)
        if name in self._here:
            wanted = look_here(name, wanted, facts)
        sudo = self._sudo.get(name, False)
        for as_root in (False, True):
            part = [ask for ask in wanted if (sudo and not ask.unprivileged) == as_root]
            if part and name not in facts.blocked:
                self._ask(name, part, as_root, deadline, facts)
        return name

    def _ask(self, name: str, wanted: Sequence[Ask], sudo: bool, deadline: Deadline, facts: Facts) -> None:
        """Ask all of these by one script; what is to be asked once more by a second."""
        seconds = max(1, round(min(SNIPPET_SECONDS, deadline.left - 1)))
        asking = questions(name, wanted, facts, seconds)
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

    def _controller(self, need: Need, deadline: Deadline, facts: Facts) -> Batch:
        fact = builtin("fact", need.fact)()
        values = facts.at(CONTROLLER)
        if not isinstance(fact, LooksFromController):
            values[need] = FactError(f"{need.fact} cannot be looked at from the controller; leave `from` out")
            return need
        try:
            values[need] = fact.look([need.argument], deadline, self._connect)[need.argument]
        except Exception as error:  # noqa: BLE001 - a fact's own bug is unknown, and must not end the others
            values[need] = as_failure(need.fact, error)
        return need
