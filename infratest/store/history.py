"""What was last known of every scenario on every host: since when it is in its state, and how old that knowledge is.

Kept by the verbs that judge (`check`, `test`, `heal`) in the state directory, one file for each place. Read by
the gates of heal, which ask how much of a group is sick, and by outputs through `Result.since`.
"""

from __future__ import annotations

from infratest.errors import StateError
from infratest.json_text import dumps, loads
from infratest.model import file_name
from infratest.record import Record
from infratest.states import CRITICAL, EXIT, OK, WAIVED, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.model import Place, Report, Result
    from infratest.store.directory import StateDir

#: Seconds after which what nobody has asked again (a scenario renamed, a host gone) is forgotten.
FORGET = 7 * 86400.0
SCHEMA = 1

#: States of a result for which the scenario's subjects were looked at.
LOOKED = (OK, WARNING, CRITICAL, WAIVED)


class Last(Record):
    """The last result of one scenario on one host.

    Args:
        blocked: something stood in the way, so the state (unknown) is not the subject's own.
        since: seconds since the epoch when this state began. time: when it was last seen. began: when the last run
        that has looked began (one that was blocked, or could not, has not), or else the first; 0 where that is unknown.
    """

    id: str
    host: str
    groups: tuple[str, ...]
    state: str
    blocked: bool
    since: float
    time: float
    began: float = 0.0


def last(state: StateDir, place: Place) -> dict[str, Last]:
    """Return the last results by id; none where none were kept, or the file is not one of ours.

    Raises:
        StateError: there is a file and it cannot be read.
    """
    path = state.file(_file(place))
    try:
        with open(path, "rb") as file:
            data = loads(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except ValueError:  # damaged by something else: what it held is old the moment a new run ends
        return {}
    except OSError as error:
        raise StateError(
            f"state directory: {path} could not be read: {error.strerror}; name another with --state"
        ) from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(data.get("results"), list):
        return {}
    found = [_read(item) for item in data["results"]]
    return {item.id: item for item in found if item is not None}


def with_since(report: Report, history: Mapping[str, Last], now: float) -> Report:
    """Return the report with each result's `since`: as before where its state is the same, else now."""
    results = [result.changed(since=_since(result, history, now)) for result in report.results]
    return report.changed(results=results)


def updated(history: Mapping[str, Last], report: Report, now: float, looked: float | None = None) -> dict[str, Last]:
    """Return the history after a report: its results are new, the others stay until they are too old.

    Args:
        looked: when its results were, in seconds since the epoch, where that is not now: what was seen later stays.
    """
    kept = {id: item for id, item in history.items() if abs(now - item.time) <= FORGET}
    at = now if looked is None else min(looked, now)
    # What lies in the future is of a clock that was set back since.
    later = {id for id, item in kept.items() if at < item.time <= now}
    return kept | {
        result.id: Last(
            id=result.id,
            host=result.host,
            groups=tuple(result.groups),
            state=result.state,
            blocked=result.blocked_by is not None,
            since=_since(result, history, at),
            time=at,
            began=_began(result, history, report),
        )
        for result in report.results
        if result.id not in later
    }


def save(state: StateDir, report: Report, now: float) -> None:
    """Put a report into the state directory's history; runs of other features at the same time lose nothing.

    Raises:
        StateError: not writable, or the disk is full.
    """
    save_all(state, [(report, now)], now)


def save_all(state: StateDir, looks: Sequence[tuple[Report, float]], now: float) -> None:
    """Put several reports of one environment into the history, at once. looks: each with when it was looked at.

    Raises:
        StateError: as `save`.
    """
    if not looks:
        return
    place = looks[0][0].place
    name = _file(place)
    with state.lock_of(name):
        items = last(state, place)
        for report, looked in looks:
            items = updated(items, report, now, looked)
        results = ",\n".join([dumps(items[id].as_dict()) for id in sorted(items)])
        state.write(name, f'{{"schema": {SCHEMA}, "results": [\n{results}\n]}}\n')


def members(history: Mapping[str, Last], group: str) -> dict[str, list[Last]]:
    """Return the last results of each host of a group, by host."""
    found: dict[str, list[Last]] = {}
    for item in history.values():
        if group in item.groups:
            found.setdefault(item.host, []).append(item)
    return found


def _since(result: Result, history: Mapping[str, Last], now: float) -> float:
    before = history.get(result.id)
    same = before is not None and (before.state, before.blocked) == (result.state, result.blocked_by is not None)
    # Where the clock was set back, what was written before lies in the future: nothing has been so since then.
    return min(before.since, now) if before is not None and same else now


def _began(result: Result, history: Mapping[str, Last], report: Report) -> float:
    from infratest import rfc3339

    before = history.get(result.id)
    if before is not None and before.began > 0 and result.state not in LOOKED:
        return before.began
    return rfc3339.seconds(report.started)


def began(history: Mapping[str, Last]) -> dict[str, float]:
    """Return when the last run that has looked began, or else the first, by the id of the result."""
    return {item.id: item.began for item in history.values() if item.began > 0}


def _read(item: Any) -> Last | None:
    """Return one stored result, or None where it is not whole."""
    try:
        found = Last(**item)
        whole = found.state in EXIT and isinstance(found.id, str) and isinstance(found.host, str)
        if not whole:
            return None
        typed: Last = found.changed(
            groups=tuple(found.groups), since=float(found.since), time=float(found.time), began=float(found.began)
        )
        return typed
    except (TypeError, ValueError):
        return None


def _file(place: Place) -> str:
    return f"last-{file_name(place)}.json"
