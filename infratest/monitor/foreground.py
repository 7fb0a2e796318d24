"""A monitor in the foreground: its socket, its signals and systemd's watchdog; or all looked at once, and then its end.

TERM and INT end it, HUP has it read its project anew. Called by `infratest monitor run`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from threading import Thread, Timer
from types import FrameType
from typing import Any

from infratest.alerting.moments import Moment
from infratest.errors import StateError
from infratest.lifecycle import lease
from infratest.monitor import service
from infratest.monitor.asked import Asked
from infratest.monitor.control import Control
from infratest.monitor.hinting import hints_of
from infratest.monitor.leases import StackLease
from infratest.monitor.monitor import Call, Monitor
from infratest.monitor.presence import Presence
from infratest.project.session import Session
from infratest.states import EXIT, UNKNOWN
from infratest.store.database.lease import Lease
from infratest.store.directory import StateDir

#: Seconds that what is in hand has after a signal. What it loses then is lost to a kill as well: nothing.
LAST_WORDS = 4.0
#: Of the time that systemd waits for a word, the part after which it has one.
OFTEN = 0.25


def stay(monitor: Monitor, session: Session, healing: ExitStack | None = None) -> None:
    """Work until a signal ends it.

    Args:
        healing: given, what is found is healed, as the rules of the stack file allow; and what waits for an act that is
        under way is put there, to be called once the monitor is closed: meanwhile another one may work.
    """
    watchdog, kept, hosts = _watchdog(monitor), StackLease(session), Presence(monitor)

    def turned() -> None:
        watchdog()
        kept.tend(monitor.timepiece.now())
        hosts.tend(monitor.timepiece.now())

    hints = hints_of(monitor, session, lambda: hosts.soon(monitor.timepiece.now()))
    with _reachable(monitor, session.state), hints:
        service.notify(service.READY, f"STATUS=watching {len(monitor.book.subjects)} results")
        with _healing(monitor, healing) if healing is not None else nullcontext():
            monitor.run(turned)
        service.notify(service.STOPPING)


@contextmanager
def _healing(monitor: Monitor, behind: ExitStack) -> Iterator[None]:
    """Have what is found healed while the block runs."""
    from infratest.monitor.healing import Healing

    healing = Healing(monitor)
    behind.callback(healing.wait, LAST_WORDS)  # or until the signal's own end of it
    monitor.heal(healing)
    try:
        yield
    finally:
        healing.end()


def once(monitor: Monitor, session: Session) -> None:
    """Look at everything once, hand over what is owed now, and end.

    Raises:
        StateError: a signal ended it before.
    """
    lease.renew(session.state, session.stack.name, session.stack.env)
    with _reachable(monitor, session.state, EXIT[UNKNOWN]) as ended:
        begun, book = monitor.timepiece.now(), monitor.book
        book.hint([id for id, each in book.subjects.items() if each.looked_at], begun)
        monitor.turn(0)
        while not ended() and not _done(monitor, begun):
            monitor.turn(0.2)
        if ended():
            raise StateError("monitor: ended by a signal before everything was looked at; what is so is not known")


def standing_by(told: Callable[[str], None]) -> Callable[[Lease], None]:
    """Return what is called while another monitor works, and gives systemd its word meanwhile.

    From here on HUP ends nobody: it is followed once it is this one's turn. To be called by the main thread, before
    anything that may wait.

    Args:
        told: who works, whenever that is another one.
    """
    holders: list[str] = []
    signal.signal(signal.SIGHUP, _Later())

    def waiting(lease: Lease) -> None:
        if holders[-1:] != [lease.holder]:
            holders.append(lease.holder)
            told(lease.holder)
            service.notify(service.READY, f"STATUS=waiting: {lease.holder} works")
        service.notify(service.ALIVE)

    return waiting


class _Later:
    """Hears of HUP while nothing can be read anew. A handler, for children would ignore what is ignored here."""

    heard = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.heard = True


def _done(monitor: Monitor, begun: Moment) -> bool:
    """Whether all was looked at since a moment, and nobody is owed anything at once."""
    book = monitor.book
    if monitor.busy or book.stirred:
        return False
    if monitor.writing.store.ours and book.messages((), monitor.timepiece.now()):
        return False
    looked_at = (book.asked.get(id) for id, each in book.subjects.items() if each.looked_at)
    return all(one is not None and one.begun is not None and one.begun >= begun.steady for one in looked_at)


@contextmanager
def _reachable(monitor: Monitor, state: StateDir, status: int = 0) -> Iterator[Callable[[], bool]]:
    """Serve the socket and obey signals; give what says whether one has ended it.

    Args:
        status: of this process, where what is in hand at a signal does not end by itself.
    """
    ended: list[int] = []
    given_up: list[Timer] = []

    def end(number: int, frame: FrameType | None) -> None:
        if not ended:
            ended.append(number)
            # Whoever hangs (a host, a receiver, a provider) must not keep it: what is kept is whole at any moment.
            given_up.append(_daemon(Timer(LAST_WORDS, os._exit, (status,))))
        monitor.end()

    def reload(number: int, frame: FrameType | None) -> None:
        Thread(target=_read_anew, args=(monitor,), name="reload", daemon=True).start()

    control = Control(state.path, Asked(monitor))
    handlers: dict[int, Any] = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: reload}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    if isinstance(later := before[signal.SIGHUP], _Later) and later.heard:
        later.heard = False
        reload(signal.SIGHUP, None)
    try:
        yield lambda: bool(ended)
    finally:
        control.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def _daemon(timer: Timer) -> Timer:
    timer.daemon = True
    timer.start()
    return timer


def _read_anew(monitor: Monitor) -> None:
    service.notify(service.RELOADING)
    adopt = monitor.reading()

    def adopted(monitor: Monitor) -> None:
        adopt(monitor)
        service.notify(service.READY, f"STATUS=watching {len(monitor.book.subjects)} results")

    monitor.inbox.put(Call(adopted, lambda answer: None))


def _watchdog(monitor: Monitor) -> Callable[[], None]:
    """Return what is called after each turn, and gives systemd its word in time."""
    waited = service.watchdog()
    last = [monitor.timepiece.now().steady]

    def turned() -> None:
        now = monitor.timepiece.now().steady
        if waited is not None and now - last[0] >= waited * OFTEN:
            last[0] = now
            service.notify(service.ALIVE)

    return turned
