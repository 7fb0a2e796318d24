"""Why a result is to be left alone: the caller says so, or people do, to the monitor of this state directory.

Called by the heal engine's means, before every act. Whoever plans a downtime, or says that they have a problem, is at
work on it, and a heal would be at work beside them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from infratest.alerting.problems import Suppression, acknowledged, in_downtime
from infratest.errors import InfratestError, StateError
from infratest.model import Result
from infratest.project import monitor_store
from infratest.project.session import Session
from infratest.store import monitor_socket
from infratest.store.database import people, statuses
from infratest.store.database.place import FILE

#: The word of a question to the monitor, and seconds for its answer.
WORD, SECONDS = "left alone", 5.0


def left_alone(session: Session, caller: str) -> Callable[[Result], str]:
    """Return what tells why a result is to be left alone, empty where it may be healed.

    Args:
        caller: why the caller wants nothing healed, as `DOWNTIME`; empty or zeros where it may be: `00` is what
        Nagios says of a host and of a service of which neither is in a downtime.
    """
    if caller.strip("0"):
        return lambda result: f"suppressed by the caller ({caller}), as in a downtime"
    if monitor_store.in_file(session) and not Path(session.state.file(FILE)).exists():
        return lambda result: ""  # no monitor has ever kept anything here

    def look(result: Result) -> str:
        try:
            return words(_wanted(session, result.id))
        except InfratestError as error:
            return f"whether it is in a downtime, or acknowledged, is not known: {error}"

    return look


def words(reason: str) -> str:
    """Return a monitor's reason as a gate says it; empty where there is none."""
    return f"left alone: {reason}" if reason else ""


def _wanted(session: Session, id: str) -> str:
    """Return why people want a result left alone, by the monitor that runs here, or else by what one has kept."""
    try:
        answer = monitor_socket.asked(str(session.state.path), {"word": WORD, "ids": [id]}, SECONDS)
        return str(answer.get(id, ""))
    except monitor_socket.Nobody:
        pass
    except (monitor_socket.Silence, AttributeError) as error:
        raise StateError(f"the monitor cannot be asked: {error}") from None
    with monitor_store.looked_into(session) as store:
        watched = bool(monitor_store.working(store))
        with store.sight() as t:
            why: Suppression | None = in_downtime(id, people.downtimes(t), time.time())
            # Where nobody watches, nobody has seen whether what somebody had is over.
            if why is None and watched and (status := statuses.status(t, id)) is not None:
                why = acknowledged(status)
    return "" if why is None else why.reason
