"""A running monitor's intakes: opened as the stack declares them, and closed with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, cast

from infratest.alerting.subject import HOSTS
from infratest.errors import InfratestError, StateError, UnknownName, UserError, unknown
from infratest.exports._targets import NODE_EXPORTER, target_group
from infratest.intakes._arrivals import Arrivals
from infratest.intakes.base import House, Intake, opened
from infratest.monitor.exposition import Self, exposition
from infratest.monitor.hints.base import Hint
from infratest.monitor.monitor import Call, Monitor
from infratest.monitor.taking import Taking
from infratest.monitor.watched import Watched
from infratest.stack.monitor import Monitor as Declared
from infratest.states import UNKNOWN
from infratest.store.database import numbers
from infratest.store.database.base import Store
from infratest.store.events import part

#: Seconds that what is known may take to be told.
SECONDS = 5.0


def intakes(declared: Declared, folder: Path) -> list[Intake]:
    """Return what a stack has its monitor listen to, not listening yet. Raises UserError."""
    return [opened(entry.kind, entry.options, entry.where, folder) for entry in declared.listen]


@contextmanager
def listening(monitor: Monitor, store: Store, those: list[Intake], stack: str, env: str) -> Iterator[None]:
    """Have a monitor take what comes, while the block runs.

    Raises:
        UserError: an address is taken, or cannot be listened on.
    """
    own = f"{part(stack)}.{part(env)}."
    with store.sight() as t:
        known = numbers.keys_beside(t, own)
    arrivals = Arrivals(known, own, {"stack": stack, "env": env}, wake=lambda: monitor.inbox.put(None))
    monitor.taking = Taking(arrivals, lambda: cast(Watched, monitor.watched).monitor)

    def known_now(asked: Monitor) -> str:
        sent = asked.sending.figures() if asked.sending is not None else {}
        mine = Self(stack, env, asked.looks_waiting, asked.kept, store.path, sent)
        return exposition(asked.book, arrivals, mine, asked.timepiece.now())

    def hint(host: str) -> int:
        return int(_asked(monitor, lambda asked: _hinted(asked, host)))

    def damaged() -> bool:
        return bool(monitor.writing.damage)

    def targets(port: int | None) -> str:
        return _asked(monitor, lambda asked: targets_now(asked, stack, env, port or NODE_EXPORTER))

    house = House(arrivals, lambda: _asked(monitor, known_now), lambda: _age(monitor), hint, damaged, targets)
    with ExitStack() as all_:
        all_.callback(monitor.finish)  # the last of all
        for intake in those:
            try:
                intake.open(house)
            except UserError as error:
                raise UserError(f"monitor: {error}") from None
            all_.callback(intake.close)
        yield


def targets_now(monitor: Monitor, stack: str, env: str, port: int) -> str:
    """Return the hosts as Prometheus takes them by HTTP. Raises InfratestError: it is not known which there are."""
    known = monitor.book.statuses.get(HOSTS)
    if known is not None and known.state == UNKNOWN:
        raise StateError(f"monitor: {known.reason}")
    groups = (target_group(stack, env, host, port) for host in cast(Watched, monitor.watched).hosts.values())
    return json.dumps([group for group in groups if group is not None])


def _hinted(monitor: Monitor, host: str) -> int:
    """Have all that is watched on a host looked at now; how many results that are. Raises UnknownName."""
    watched = cast(Watched, monitor.watched)
    if host not in watched.hosts:
        raise UnknownName(unknown("host", host, sorted(watched.hosts)))
    ids = watched.hinted(Hint(host))
    monitor.book.hint(ids, monitor.timepiece.now())
    return len(ids)


def _asked(monitor: Monitor, ask: Any) -> str:
    """Return what the loop's thread answers. Raises InfratestError."""
    came: SimpleQueue[Any] = SimpleQueue()
    monitor.inbox.put(Call(ask, came.put))
    try:
        answer = came.get(timeout=SECONDS)
    except Empty:
        raise StateError(f"monitor: it is busy, and did not answer in {SECONDS:g} s") from None
    if isinstance(answer, InfratestError):
        raise answer
    return str(answer)


def _age(monitor: Monitor) -> float:
    return max(0.0, monitor.timepiece.now().steady - monitor.kept.steady)
