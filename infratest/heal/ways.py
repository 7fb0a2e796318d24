"""What the heal engine works with: a connection to a host, the healing mark there, what a remedy is given.

Between how it looks (`looking`) and what it does (`acts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf

from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.heal.audit import Audit
from infratest.heal.environment import hook_environment
from infratest.heal.gates import Stored
from infratest.heal.looking import Looks
from infratest.heal.mark import Mark, healer
from infratest.heal.means import Means
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.remedies.base import Remedy, Surroundings
from infratest.stack.declared import HealRule
from infratest.store import failures as counts
from infratest.store.directory import StateDir
from infratest.transports.base import Transport

#: Seconds in which a connection for a remedy must come about, and that another healer is waited for.
OPENING, PATIENCE = 15.0, 10.0
#: Seconds at the end of a run in which nothing is begun: how things ended is written down in them.
ENDING = 0.5


@dataclass(frozen=True, kw_only=True)
class Way:
    """A connection to a host, or why there is none; and the mark that is put there."""

    mark: Mark
    transport: Transport | None = None
    error: InfratestError | None = None


class Ways(Looks):
    """What one run of the engine works with and writes to, under the stack's lock."""

    def __init__(
        self,
        report: Report,
        state: StateDir,
        means: Means,
        audit: Audit,
        rows: Mapping[str, counts.Row],
        history: Mapping[str, Stored],
        dry_run: bool,
    ) -> None:
        super().__init__(report, means, history)
        self._state = state
        self._audit = audit
        self._rows = dict(rows)
        self._dry = dry_run

    def _left(self) -> float:
        """Return the seconds left for acts, the last ones of the run kept for writing down how they ended."""
        deadline = self._means.deadline
        return inf if deadline is None else max(0.0, deadline.left - ENDING)

    def _last(self) -> Deadline:
        """Return the deadline for what is left behind on a host, although the time of this run may be over."""
        return Deadline(min(PATIENCE, self._left() + ENDING))

    @contextmanager
    def _connection(self, host: Host, rule: HealRule, limit: Deadline) -> Iterator[Way]:
        """Connect to the host: for the healing mark, and for a remedy that works there."""
        name = f"{self._report.stack} {self._report.env} {host.name}"
        marked = (host, name, rule.name, healer(self._state), self._means.marks, partial(self._opened, host))
        try:
            transport = self._means.open_transport(host, limit)
        except InfratestError as error:
            yield Way(mark=Mark(None, *marked), error=error)
            return
        try:
            yield Way(mark=Mark(transport, *marked), transport=transport)
        finally:
            transport.close()

    def _opened(self, host: Host, deadline: Deadline) -> Transport:
        """Return a new connection to a host as it is now."""
        return self._means.open_transport(self._means.now(host, deadline), deadline)

    def _surroundings(
        self, result: Result, remedy: Remedy, way: Way, number: str, settle: float = 0.0, settles: float = 0.0
    ) -> Surroundings:
        """Return what a remedy works with, for the try of that number.

        Args:
            settle: seconds that it has to take effect. settles: of these, what its rule says for its rung.
        """

        def connect(deadline: Deadline) -> Transport:
            opened = self._opened(host, deadline)
            way.mark.follow(opened, settles)
            return opened

        means, host = self._means, self._means.hosts[result.host]
        failures = self._rows.get(result.id, counts.Row()).failures
        environment = hook_environment(self._report.stack, self._report.env, result, failures, True)
        return Surroundings(
            host=host,
            transport=way.transport if remedy.on_host else None,
            folder=means.folder,
            provision=means.provision,
            environment={**means.variables, **environment},
            began=lambda pid: self._audit.process(number, pid),
            connect=connect,
            start=lambda deadline: means.start(host.name, deadline),
            power=means.power(host.name),
            replacing=means.replacing(host.name),
            proven=lambda deadline: self._why_not_well(result, settle, deadline),
        )
