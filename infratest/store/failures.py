"""Failures in a row of each scenario on each host, as `counts.json` keeps them. `confirm` and the ladder read them.

Every check run records its report exactly once, whoever hands it in again: a report that started no later than what is
stored for an id says nothing new about it. Unknown, blocked and skipped results are no failures: they break a row, but
they do not end a problem, only ok does. Environments share a state directory, and stacks may, so each place has its own
rows.
"""

from __future__ import annotations

from infratest import rfc3339
from infratest.errors import StateError, UserError
from infratest.json_text import dumps, loads
from infratest.record import Record
from infratest.states import CRITICAL, OK, WAIVED, WARNING
from infratest.store import drilling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from infratest.model import Place, Report, Result
    from infratest.store.directory import StateDir

FILE = "counts.json"
#: Two failures further apart than this are no row: a daily check still confirms, last month's failure does not.
ROW_GAP = 2 * 86400.0
#: What nobody has looked at for so long is forgotten, so that the file does not grow with scenarios long gone.
FORGET = 30 * 86400.0
#: How the id of a host's way in begins.
WAY = "reachable@"
#: How looks are written, and how many are kept: as many as a rule may ask for.
LETTERS, LOOKS = {CRITICAL: "c", WARNING: "w"}, 100
#: Seconds that a row may lie in the future, by clocks that differ.
AHEAD = 60.0


class Row(Record):
    """What is known about one id.

    Args:
        state: of the last result. failures: how often in a row it was this failing state. since: when the problem
        began (the first failure after the last ok), or None. last: when the last result was looked at. looks: the
        newest that said how it is, the newest at the end: `c` critical, `w` warning, `.` well; none where all was well.
        drill: the problem began by what a drill broke: the first look after that begins anew. earlier: when the
        problems began that are over and whose failures are among these looks, the newest at the end.
    """

    state: str = OK
    failures: int = 0
    since: float | None = None
    last: float = 0.0
    looks: str = ""
    drill: bool = False
    earlier: tuple[float, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it for the file, which has a row of all that is well, too: what few of them have is left out."""
        return {name: value for name, value in super().as_dict().items() if value or name not in ("drill", "earlier")}

    def failed(self, state: str, of: int) -> int:
        """Return how many of the newest looks, so many, have failed so."""
        return self.looks[-of:].count(LETTERS[state])

    def problems(self, of: int) -> tuple[float, ...]:
        """Return when the problems began whose failures are among the newest looks, so many."""
        known = self.earlier if self.since is None else (*self.earlier, self.since)
        return _newest(known, _runs(self.looks[-of:]))


def started(report: Report) -> float:
    """Return when a report's run began, in seconds since the epoch.

    Raises:
        UserError: the report holds no such time.
    """
    try:
        return rfc3339.seconds(report.started)
    except (AttributeError, TypeError, ValueError):
        raise UserError(f"report: started is {report.started!r}, expected RFC 3339 as 2026-01-31T12:00:00Z") from None


def counted(rows: Mapping[str, Row], report: Report, drill: bool = False) -> dict[str, Row]:
    """Return the rows after this report; unchanged where it was counted before or is older than what is stored.

    Args:
        drill: it is of a time at which a drill had something broken.
    """
    at = started(report)
    after = dict(rows)
    for result in report.results:
        row = rows.get(result.id, Row())
        if at > row.last:
            after[result.id] = _next(row, result, at, drill)
    # That a host can be reached is no result of its own: whatever else was seen there says it.
    answering = {one.host for one in report.results if one.blocked_by is None and one.state in (OK, WARNING, CRITICAL)}
    answering -= {one.host for one in report.results if one.id.startswith(WAY)}
    for id, row in rows.items():
        if id.startswith(WAY) and id.removeprefix(WAY) in answering and row.state != OK and at > row.last:
            after[id] = Row(last=at)
    return after


def _next(row: Row, result: Result, at: float, drill: bool) -> Row:
    if row.drill and not drill:
        row = Row(last=row.last)  # what a drill has broken confirms nothing afterwards
    recent = at - row.last <= ROW_GAP
    looks, earlier = (row.looks, row.earlier) if recent else ("", ())
    if result.blocked_by is None and result.state in (OK, WAIVED):  # an accepted failure is none in a row
        looks, over = f"{looks}."[-LOOKS:], () if row.since is None else (row.since,)
        earlier = _newest((*earlier, *over), _runs(looks))
        return Row(last=at, looks=looks, drill=row.drill, earlier=earlier) if looks.strip(".") else Row(last=at)
    if result.blocked_by is not None or result.state not in LETTERS:
        return Row(state=result.state, since=row.since, last=at, looks=looks, drill=row.drill, earlier=earlier)
    failures = row.failures + 1 if row.state == result.state and recent else 1
    since, looks = at if row.since is None else row.since, f"{looks}{LETTERS[result.state]}"[-LOOKS:]
    drill = drill and (row.drill or row.since is None)  # one that lasts since before the drill is real
    earlier = _newest(earlier, _runs(looks) - 1)
    return Row(
        state=result.state, failures=failures, since=since, last=at, looks=looks, drill=drill, earlier=earlier
    )  # fmt: skip


def _runs(looks: str) -> int:
    """Return how often it failed anew."""
    return len(looks.replace(".", " ").split())


def _newest(times: tuple[float, ...], most: int) -> tuple[float, ...]:
    return times[-most:] if most > 0 else ()


def load(state: StateDir, place: Place) -> dict[str, Row]:
    """Return the rows of a place (`model.place_of`); none where nothing was ever recorded."""
    try:
        return {id: _row(row) for id, row in _document(state).get(place, {}).items()}
    except (TypeError, AttributeError):
        raise _unreadable(state) from None


def _row(row: Any) -> Row:
    return Row(**row | {"earlier": tuple(row["earlier"])} if "earlier" in row else row)


def record_run(state: StateDir, report: Report, now: float, drill: bool = False) -> dict[str, Row]:
    """Count a report, once, and return the rows of its place.

    Args:
        now: seconds since the epoch. drill: it is the drill's own; what others see while one has something broken is
        known for that, too.
    Raises:
        StateError: the state directory cannot be written.
    """
    return record_runs(state, report.place, (report,), now, drill)


def record_runs(
    state: StateDir, place: Place, reports: Iterable[Report], now: float, drill: bool = False
) -> dict[str, Row]:
    """Count reports of one place in their order, all or none of them; else as `record_run`."""
    with state.lock_of(FILE):
        rows = load(state, place)
        # A row in the future is of a clock that was set back since: it would hold up every count until then.
        after = {id: row for id, row in rows.items() if row.last <= now + AHEAD}
        for report in reports:
            after = counted(after, report, drill or drilling.during(state, place, started(report)))
        after = {id: row for id, row in after.items() if now - row.last <= FORGET}
        if after != rows:
            _save(state, place, after)
    return after


def settle(state: StateDir, place: Place, id: str, at: float) -> None:
    """Begin a healed id anew: the next single failure confirms nothing, and the ladder starts at its mildest rung."""
    with state.lock_of(FILE):
        _save(state, place, {**load(state, place), id: Row(last=at)})


def _save(state: StateDir, place: Place, rows: Mapping[str, Row]) -> None:
    document = _document(state) | {place: {id: row.as_dict() for id, row in rows.items()}}
    state.write(FILE, dumps(document) + "\n")


def _document(state: StateDir) -> dict[str, Any]:
    path = state.file(FILE)
    try:
        with open(path, encoding="utf-8") as file:
            document = loads(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise StateError(f"state directory: {path} could not be read: {error.strerror}") from error
    except ValueError:
        raise _unreadable(state) from None
    if not isinstance(document, dict):
        raise _unreadable(state)
    return document


def _unreadable(state: StateDir) -> StateError:
    return StateError(
        f"state directory: {state.file(FILE)} does not hold what infratest writes there; "
        "remove it to start counting failures anew"
    )
