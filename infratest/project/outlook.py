"""What lies outside of a result when it may be healed: whether we see well, what hosts share, what people are changing.

Called by the heal engine's means, before every act.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.heal.gates import Changes, moment
from infratest.lifecycle.provisioned import live_ids
from infratest.model import Result
from infratest.monitor.witness import ask_all, cut_off
from infratest.paths import path_of
from infratest.project.drifted import drifted, part_of
from infratest.project.session import Session
from infratest.stack.declared import HealRule
from infratest.stack.monitor import Monitor
from infratest.store.journal import Journal

#: Seconds that a witness has to answer, and that what they said stands for.
SECONDS, STANDS = 3.0, 5.0


def witness(addresses: Sequence[str], deadline: Deadline | None = None) -> Callable[[], tuple[bool, str]]:
    """Return what asks the declared witnesses whether we see well: it is enough that one of them answers.

    Args:
        addresses: URLs, or HOST:PORT, which is connected to alone. deadline: of the run, of whose rest they get a part.
    """
    last: list[tuple[float, tuple[bool, str]]] = []

    def look() -> tuple[bool, str]:
        if not addresses:
            return True, "no witness is declared"
        if not last or time.monotonic() - last[0][0] > STANDS:
            limit = part_of(deadline, SECONDS)
            if limit.passed:
                return False, "whether a witness answers is not known: no time of this run was left to ask"
            why = cut_off(ask_all(addresses, limit))
            last[:] = [(time.monotonic(), (not why, why or "a witness answers"))]
        return last[0][1]

    return look


def other_monitors(monitor: Monitor | None) -> str:
    """Return which other monitor may heal the same hosts without this one's knowing, in words; empty for none.

    Of those that share a PostgreSQL only one watches at a time, but a check that heals does not ask whose lease it is.
    """
    if monitor is not None and monitor.alive is not None and monitor.alive.peer:
        return f"the monitor at {clean(monitor.alive.peer, 200)} (`alive: peer`)"
    if monitor is not None and monitor.store.url.startswith("postgres"):
        return "another one on the same PostgreSQL (`store: url`)"
    return ""


def traits(session: Session) -> Callable[[], Mapping[str, Mapping[str, str]]]:
    """Return what tells of each host, by its name, which image it was made from and which run has provisioned it."""
    found: list[Mapping[str, Mapping[str, str]]] = []

    def look() -> Mapping[str, Mapping[str, str]]:
        if not found:
            images = {spec.name: {"image": str(spec.option("image"))} for spec in session.stack.hosts
                      if spec.option("image")}  # fmt: skip
            runs = {name: {"provisioned": moment(at)} for name, (at, _) in provisioned(session).items()}
            found.append({name: images.get(name, {}) | runs.get(name, {}) for name in {*images, *runs}})
        return found[0]

    return look


def provisioned(session: Session) -> dict[str, tuple[float, float]]:
    """Return when each live host was last provisioned, by its name: when that run began, and when the host was done.

    In seconds since the epoch. Raises StateError: the journal is damaged.
    """
    if not session.state.exists:
        return {}
    records = Journal(session.state).records()
    ids = live_ids(records, session.stack.name, session.stack.env)
    found: dict[str, tuple[float, float]] = {}
    began = 0.0
    for record in records:
        if record["what"] == "begin":
            began = float(record["time"])
        elif record["what"] == "provisioned" and ids.get(str(record["name"])) == record["id"]:
            found.pop(str(record["name"]), None)
            if record.get("digest"):
                found[str(record["name"])] = (began, float(record["time"]))
    return found


def changes(
    session: Session, green: Callable[[str], float | None] | None = None, deadline: Deadline | None = None
) -> Callable[[HealRule, Result], Changes]:
    """Return what tells what people are changing, as a rule's `freeze:` asks.

    Args:
        green: when a result was last seen to hold, where somebody knows better than the events that checks keep.
        deadline: of the run.
    """

    since_green = drifted(session, green, deadline)

    def look(rule: HealRule, result: Result) -> Changes:
        files = since_green(result) if any(one.drift for one in rule.freeze) else ()
        paths = {one.file: path_of(session.stack.folder, one.file) for one in rule.freeze if one.file}
        locks = [words for file, path in paths.items() for words in _lock(path, file)]
        runs = provisioned(session) if any(one.provisioned for one in rule.freeze) else {}
        done = runs[result.host][1] if result.host in runs else None
        return Changes(locks=tuple(locks), provisioned=done, drifted=files)

    return look


def _lock(path: Path, name: str) -> list[str]:
    """Say that somebody deploys, while there is this file; one that cannot be looked at may be there."""
    try:
        since = path.lstat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        return [f"nobody knows whether there is a file {clean(name, 200)}: {error}"]
    return [f"somebody deploys: there is a file {clean(name, 200)} since {moment(since)}"]
