"""Why a result is to be left alone: the caller says so, or people do, to the monitor of this state directory.

Called by the heal engine's means, before every act. Whoever plans a downtime, or says that they have a problem, is at
work on it, and a heal would be at work beside them. A monitor or a database that hangs holds up a run once, and for no
more than a part of its time. What people want of another environment says nothing of this one: the ids are the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from infratest.alerting.problems import Suppression, acknowledged, in_downtime
from infratest.deadline import Deadline
from infratest.errors import InfratestError, NoStore, StateError
from infratest.heal.means import NotKnown
from infratest.model import Result
from infratest.project import monitor_store
from infratest.project.drifted import part_of
from infratest.project.session import Session
from infratest.store import monitor_socket
from infratest.store.database import people, statuses
from infratest.store.database.place import FILE

#: The words of questions to the monitor: what people want, and how it does, which says whose it is, too.
WORD, WHOSE = "left alone", "health"
#: Seconds for an answer, of the monitor or of its store.
SECONDS = 5.0


def left_alone(session: Session, caller: str, deadline: Deadline | None = None) -> Callable[[Result], str]:
    """Return what tells why a result is to be left alone, empty where it may be healed.

    Args:
        caller: why the caller wants nothing healed, as `DOWNTIME`; empty or zeros where it may be: `00` is what
        Nagios says of a host and of a service of which neither is in a downtime. deadline: of the run.
    """
    if caller.strip("0"):
        return lambda result: f"suppressed by the caller ({caller}), as in a downtime"
    if monitor_store.in_file(session) and not Path(session.state.file(FILE)).exists():
        return lambda result: ""  # no monitor has ever kept anything here
    return _People(session, deadline)


def words(reason: str) -> str:
    """Return a monitor's reason as a gate says it; empty where there is none."""
    return f"left alone: {reason}" if reason else ""


class _People:
    """What people want, by the monitor that runs here, or else by what one has kept.

    Who has not answered once is not asked again: that nobody knows holds for the rest of the run.
    """

    def __init__(self, session: Session, deadline: Deadline | None) -> None:
        self._session, self._deadline = session, deadline
        self._place = session.stack.place
        #: Whether there is a monitor that answers, and is of this environment; None while that is not known.
        self._asks_monitor: bool | None = None
        self._unknown = ""

    def __call__(self, result: Result) -> str:
        if not self._unknown:
            try:
                return words(self._wanted(result.id))
            except InfratestError as error:
                self._unknown = NotKnown(f"whether it is in a downtime, or acknowledged, is not known: {error}")
        return self._unknown

    def _wanted(self, id: str) -> str:
        """Return why people want a result left alone. Raises InfratestError: nobody can say."""
        if self._asks_monitor is not False:
            try:
                if self._asks_monitor is None:
                    self._asks_monitor = self._monitor({"word": WHOSE}).get("place", self._place) == self._place
                if self._asks_monitor:
                    return str(self._monitor({"word": WORD, "place": self._place, "ids": [id]}).get(id, ""))
            except monitor_socket.Nobody:
                self._asks_monitor = False
            except (monitor_socket.Silence, AttributeError) as error:
                raise StateError(f"the monitor cannot be asked: {error}") from None
        return _within(self._seconds(), lambda: _kept(self._session, id))

    def _monitor(self, question: dict[str, Any]) -> Any:
        return monitor_socket.asked(str(self._session.state.path), question, self._seconds())

    def _seconds(self) -> float:
        """Return the seconds that an answer may take. Raises StateError: the run has none left."""
        seconds = round(part_of(self._deadline, SECONDS).left, 1)
        if seconds <= 0:
            raise StateError("there was no time left to ask; give the run more with --timeout")
        return seconds


def _kept(session: Session, id: str) -> str:
    """Return why a result is to be left alone by what a monitor of its own has kept; empty where none ever did."""
    try:
        store = monitor_store.looked_into(session)
    except NoStore:
        return ""
    with store:
        watched = bool(monitor_store.working(store))
        with store.sight() as t:
            why: Suppression | None = in_downtime(id, people.downtimes(t), time.time())
            # Where nobody watches, nobody has seen whether what somebody had is over.
            if why is None and watched and (status := statuses.status(t, id)) is not None:
                why = acknowledged(status)
    return "" if why is None else why.reason


def _within(seconds: float, look: Callable[[], str]) -> str:
    """Return what a look finds, or raise what it raises; StateError where it takes longer than so many seconds.

    What a database, a resolver or a disk does not answer can be waited for, and not ended: that thread is left.
    """
    found: list[str] = []
    raised: list[Exception] = []

    def run() -> None:
        try:
            found.append(look())
        except Exception as error:  # noqa: BLE001 - raised again by who waits
            raised.append(error)

    thread = Thread(target=run, name="left alone", daemon=True)
    thread.start()
    thread.join(seconds)
    if found:
        return found[0]
    if raised:
        raise raised[0]
    raise StateError(f"the monitor's store did not answer in {seconds:g} s")
