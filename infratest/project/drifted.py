"""Which files that a scenario looks at were changed since it was last green: asked of the host before a heal acts.

By the time at which the host's file system noted the last change of a file's content or mode (ctime), which nobody sets
by hand; the host's clock is asked with it, and when the scenario was green is known by the events that checks keep.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.gherkin.select import CHECK
from infratest.heal.gates import moment
from infratest.model import Place, Result, is_of
from infratest.plan.tasks import CheckStep
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.stack.open import opened
from infratest.states import OK
from infratest.store import events

#: Seconds that the host has to answer, and files that it is asked about.
SECONDS, MANY = 15.0, 100
#: A line for each that is there, and the host's clock. One that is away is what failed.
SCRIPT = """LC_ALL=C stat -L -c '%Z %F|%n' -- "$@" 2>/dev/null; date +%s"""
#: Seconds within which the host's clock and ours are the same.
SAME = 3.0


def drifted(
    session: Session, green: Callable[[str], float | None] | None = None, deadline: Deadline | None = None
) -> Callable[[Result], tuple[str, ...]]:
    """Return what tells of a result which files were changed, a phrase each; what cannot be known is one, too.

    Args:
        green: when a result was last seen to hold, in seconds since the epoch; None asks the events alone. deadline: of
        the run, of whose rest a host that does not answer gets a part.
    """
    known: dict[str, tuple[str, ...]] = {}

    def look(result: Result) -> tuple[str, ...]:
        if result.id not in known:
            try:
                limit = part_of(deadline, SECONDS)
                known[result.id] = _looked(session, result, None if green is None else green(result.id), limit)
            except InfratestError as error:
                known[result.id] = (
                    f"nobody knows which files were changed on {result.host}: {clean(str(error), 300)}",
                )
        return known[result.id]

    return look


def last_green(session: Session, id: str) -> float | None:
    """Return when a result was last ok by the events that are kept, in seconds since the epoch. Raises StateError."""
    state, place = session.state, session.stack.place
    told = (*state.read(events.OLD_FILE), *state.read(events.FILE)) if state.exists else ()
    return max(
        (float(one["time"]) for one in told if is_result(one, place, id) and one.get("value") == OK), default=None
    )


def is_result(event: Any, place: Place, id: str) -> bool:
    """Whether an event is of the state of this result there: ids are the same in all environments."""
    labels = event.get("labels", {})
    return bool(labels.get("id") == id and labels.get("kind") == events.RESULT and is_of(labels, place))


def part_of(deadline: Deadline | None, seconds: float) -> Deadline:
    """Return the time that one question outside has: so many seconds, and no more than half of what a run has left."""
    return Deadline(seconds) if deadline is None else deadline.at_most(min(seconds, deadline.left / 2))


def _looked(session: Session, result: Result, seen: float | None, deadline: Deadline) -> tuple[str, ...]:
    prepared = prepare(session, Request(of_ids=[result.feature], face=CHECK), deadline=deadline)
    steps = [step for task in prepared.plan.tasks if task.id == result.id for step in task.steps]
    needs = [need for step in steps if isinstance(step, CheckStep) for _, need in step.needed]
    firsts = [need.argument[0] for need in needs if isinstance(need.argument, tuple) and need.argument]
    paths = list(dict.fromkeys(one for one in firsts if isinstance(one, str) and one.startswith("/")))[:MANY]
    if not paths or result.host not in prepared.plan.hosts:
        return ()
    green = last_green(session, result.id) if seen is None else seen
    if green is None:
        return ("nobody knows when it was last green: whether its files were changed since is not known",)
    host = prepared.plan.hosts[result.host]
    transport = opened(host, deadline)
    try:
        words = ["sh", "-c", SCRIPT, "sh", *paths]
        answer = transport.run(words, deadline, sudo=host.sudo).stdout.decode(errors="replace")
    finally:
        transport.close()
    return _changed(answer.splitlines(), green, time.time())


def _changed(lines: Sequence[str], green: float, now: float) -> tuple[str, ...]:
    if not lines or not lines[-1].isdigit():
        return ("nobody knows which files were changed: the host's answer cannot be read",)
    # Its clock is read to the second: one that is as ours has no part of a second less than ours.
    ahead = int(lines[-1]) - now
    ahead = 0.0 if -SAME < ahead < SAME else ahead + 1
    found = []
    for line in lines[:-1]:
        about, _, path = line.partition("|")
        at, _, kind = about.partition(" ")
        if at.isdigit() and kind.startswith("regular") and int(at) - ahead > green:
            when = moment(int(at) - ahead)
            found.append(
                f"{clean(path, 200)} was changed at {when}, and the scenario was last green at {moment(green)}"
            )
    return tuple(found)
