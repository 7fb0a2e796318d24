"""Numbers that are kept from run to run, for sentences about where they are heading: one file for each place.

Of each number (a host and a label) the readings of a month are kept, at most MOST of them, spread evenly over their
time. Written by the runs that judge; read before a run whose features ask for a trend, and by no other. A file that is
not ours or is damaged is begun anew, and what it would have said is unknown until there are readings again.
"""

from __future__ import annotations

from infratest.errors import StateError
from infratest.json_text import dumps, loads
from infratest.model import file_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from infratest.model import Place, Report
    from infratest.store.directory import StateDir

    #: Seconds since the epoch, and the number.
    Reading = tuple[float, float]
    #: By host and label, the oldest first.
    Readings = dict[tuple[str, str], tuple[Reading, ...]]

SCHEMA = 1
#: Seconds that a reading is kept.
AGE = 31 * 86400.0
#: Readings of one number.
MOST = 120
#: Bytes of the file that are read: those of more than five thousand numbers.
LARGEST = 32 * 2**20
#: Seconds that a reading may lie in the future, by clocks that differ; what is further off is of one set back since.
AHEAD = 60.0


class Damaged(Exception):
    """The file is there and does not hold what is written there."""


def load(state: StateDir, place: Place) -> Readings:
    """Return what is kept; nothing where nothing is.

    Raises:
        StateError: there is a file and it cannot be read. Damaged: it is not one of ours, or not whole.
    """
    path = state.file(_file(place))
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise StateError(f"state directory: {path} could not be read: {error.strerror}") from error
    try:
        document = loads(data) if len(data) <= LARGEST else None
        if not isinstance(document, dict) or document["schema"] != SCHEMA:
            raise Damaged(path)
        return {
            (str(host), str(label)): tuple([_reading(*each) for each in series])
            for host, numbers in document["readings"].items()
            for label, series in numbers.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Damaged(path) from None


def save(state: StateDir, report: Report, now: float) -> None:
    """Add what a report has seen of the numbers that it names as kept (`Report.trends`).

    Raises:
        StateError: not writable, or the disk is full.
    """
    seen = _seen(report)
    if not seen:
        return
    name = _file(report.place)
    with state.lock_of(name):
        try:
            kept = load(state, report.place)
        except Damaged:
            kept = {}
        for key, number in seen.items():
            kept[key] = (*kept.get(key, ()), (now, number))
        hosts: dict[str, dict[str, Any]] = {}
        for (host, label), series in sorted(kept.items()):
            left = thinned(series, now)
            if left:
                # Down to the second that has begun: a reading rounded up is one of the future for half a second.
                hosts.setdefault(host, {})[label] = [[int(time), number] for time, number in left]
        state.write(name, dumps({"schema": SCHEMA, "readings": hosts}) + "\n")


def thinned(series: Sequence[Reading], now: float) -> tuple[Reading, ...]:
    """Return a series without what is too old, or of the future; of more than MOST readings about half, evenly."""
    fresh = sorted([each for each in series if now - AGE <= each[0] <= now + AHEAD])
    if len(fresh) <= MOST:
        return tuple(fresh)
    gap = (fresh[-1][0] - fresh[0][0]) / (MOST // 2)
    kept = fresh[:1]
    for each in fresh[1:-1]:
        if each[0] - kept[-1][0] >= gap:
            kept.append(each)
    return (*kept[: MOST - 1], fresh[-1])


def _seen(report: Report) -> dict[tuple[str, str], float]:
    named = {(result, name): (host, label) for result, name, host, label in report.trends}
    return {
        named[result.id, seen.name]: seen.value
        for result in report.results
        for step in result.steps
        for seen in step.observations
        if seen.value is not None and (result.id, seen.name) in named
    }


def _reading(time: Any, number: Any) -> Reading:
    if isinstance(time, bool) or isinstance(number, bool) or number - number != 0 or time - time != 0:
        raise ValueError("neither infinity nor NaN nor a truth is a reading")
    return float(time), float(number)


def _file(place: Place) -> str:
    return f"readings-{file_name(place)}.json"
