"""Events: the one record that results, metrics, lifecycle and heals all become; and their file in the state directory.

Made from a report (pure) or by the lifecycle and the heal engine, written by the verbs, read by the monitor, the
history of graphs and whoever reads `events.jsonl`. A key is for graphs: its parts are joined by dots, and whatever is
no letter, digit, `_` or `-` inside a part becomes `_`. Identity is in the labels.
"""

from __future__ import annotations

import fcntl
import os

from infratest import rfc3339
from infratest.errors import StateError, UserError
from infratest.record import Record
from infratest.store.directory import kept_age, kept_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from infratest.model import Report, Result
    from infratest.store.directory import StateDir

NO_LABELS: Mapping[str, str] = {}
RESULT, METRIC, LIFECYCLE, HEAL = "result", "metric", "lifecycle", "heal"
#: The label of what a drill has seen of what it broke: when it did so, in seconds since the epoch. And what it says
#: of itself, before it does so, and once that is undone.
DRILL, BROKE, OVER = "drill", "broke", "over"

FILE = "events.jsonl"
#: The one file that is kept of what came before.
OLD_FILE = "events.1.jsonl"
#: Bytes after which a new file is begun.
SIZE = 16 * 2**20


class Event(Record):
    """One thing that was so, or happened.

    Args:
        time: seconds since the epoch. key: dotted, for graphs.
        value: a number, or a word: of a result its state (`ok`, `warning`, `critical`, `unknown`, `skipped`; blocked
        is `unknown` with the label `blocked_by`), of a heal its outcome.
        unit: `s`, `B`, `%` or empty. labels: stack, env, host, feature, scenario, id, kind, and what else is known.
    """

    time: float
    key: str
    value: float | str
    unit: str = ""
    labels: Mapping[str, str] = {}

    def __init__(
        self, time: float, key: str, value: float | str, unit: str = "", labels: Mapping[str, str] = NO_LABELS
    ) -> None:
        # By hand: all that a monitor is sent becomes these, and a record's own way takes twice as long.
        self.time, self.key, self.value, self.unit, self.labels = time, key, value, unit, labels  # type: ignore[misc]

    def as_dict(self) -> dict[str, Any]:
        return {
            "time": self.time,
            "key": self.key,
            "value": self.value,
            "unit": self.unit,
            "labels": dict(self.labels),
        }


def of_report(report: Report, drill: float | None = None) -> list[Event]:
    """Return one event for each result's state, and one for each number that was reached.

    Args:
        drill: when a drill broke something before this was seen, in seconds since the epoch.
    Raises:
        UserError: the report's start is no time (it was not made by us).
    """
    time = ended(report)
    of_a_drill = {} if drill is None else {DRILL: f"{drill:.3f}"}
    events = []
    for result in report.results:
        labels = _labels(report.stack, report.env, result) | of_a_drill
        more = {"blocked_by": result.blocked_by} if result.blocked_by is not None else {}
        key = _result_key(report.stack, report.env, result)
        events.append(Event(time=time, key=f"{key}.state", value=result.state, labels=labels | {"kind": RESULT} | more))
        for step in result.steps:
            for seen in step.observations:
                if seen.value is not None:
                    named = labels | {"kind": METRIC, "name": seen.name}
                    events.append(
                        Event(time=time, key=f"{key}.{part(seen.name)}", value=seen.value, unit=seen.unit, labels=named)
                    )
    # What a result has seen twice is one event; two results whose keys are the same are two.
    return list({(event.key, event.labels["id"]): event for event in reversed(events)}.values())[::-1]


def series(stack: str, env: str, result: Result, name: str) -> tuple[str, dict[str, str]]:
    """Return the key and the labels of a number that a result has seen, as `of_report` gives them."""
    labels = _labels(stack, env, result) | {"kind": METRIC, "name": name}
    return f"{_result_key(stack, env, result)}.{part(name)}", labels


def ended(report: Report) -> float:
    """Return when a run ended, in seconds since the epoch."""
    try:
        return round(rfc3339.seconds(report.started) + report.duration, 3)
    except ValueError:
        raise UserError(f"report: started {report.started!r} is not a time as 2026-01-31T12:00:00Z") from None


def lifecycle(
    stack: str, env: str, verb: str, host: str, seconds: float, time: float, outcome: str = "done", **more: str
) -> Event:
    """Return the event of a verb on a host (`-` for the stack as a whole): how long it took and how it ended.

    Args:
        verb: up, provision, halt, destroy ... outcome: `done` or `failed`. more: labels, as `error`.
    """
    labels = {"stack": stack, "env": env, "host": host, "kind": LIFECYCLE, "verb": verb, "outcome": outcome}
    key = ".".join(part(text) for text in (stack, env, host, LIFECYCLE, verb))
    return Event(time=time, key=key, value=round(seconds, 3), unit="s", labels=labels | more)


def heal(stack: str, env: str, result: Result, outcome: str, time: float, **more: str) -> Event:
    """Return the event of a heal of a result.

    Args:
        outcome: `healed`, `failed`, `refused` ... more: labels, as `rule`, `remedy`, `reason`, `mode`.
    """
    labels = _labels(stack, env, result) | {"kind": HEAL}
    return Event(time=time, key=f"{_result_key(stack, env, result)}.heal", value=outcome, labels=labels | more)


def part(text: str) -> str:
    """Return text as one part of a key: `disk / used` is `disk_used`; nothing at all is `-`."""
    if text in ("", "-"):
        return "-"
    made = "".join(character if character.isalnum() or character in "_-" else " " for character in text)
    return "_".join(made.split()) or "_"


def _labels(stack: str, env: str, result: Result) -> dict[str, str]:
    return {
        "stack": stack,
        "env": env,
        "host": result.host,
        "feature": result.feature,
        "scenario": result.scenario,
        "id": result.id,
    }


def _result_key(stack: str, env: str, result: Result) -> str:
    feature = result.feature.removeprefix("features/").removesuffix(".feature")
    slug = result.id.partition("#")[2].rpartition("@")[0] or result.scenario
    # A folder is a part of its own: else `a/b.feature` and `a_b.feature` would be one series.
    folders = [part(name) for name in feature.split("/")]
    return ".".join([part(stack), part(env), part(result.host), *folders, part(slug.replace("-", "_"))])


def append(state: StateDir, events: Iterable[Event]) -> None:
    """Add events to the state directory's file; a file that has grown over its size is kept as the old one.

    Raises:
        StateError: not writable, or the disk is full.
    """
    records = [event.as_dict() for event in events]
    if records:
        _rotate(state, float(records[-1]["time"]))
        state.append(FILE, *records)


def _rotate(state: StateDir, now: float) -> None:
    path = state.file(FILE)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return  # `append` makes it, or says why it cannot
    except OSError as error:
        raise StateError(_words(path, "read", error)) from error
    try:
        if not state.outgrown(FILE, kept_size(SIZE), kept_age(), now):
            return
        # Of two processes that see the large file only one renames it, or the second would throw the first's away.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), os.stat(path)):
            os.replace(path, state.file(OLD_FILE))
    except (BlockingIOError, FileNotFoundError):
        return  # another process is at it
    except OSError as error:
        raise StateError(_words(path, "renamed", error)) from error
    finally:
        os.close(handle)


def _words(path: str, verb: str, error: OSError) -> str:
    return f"state directory: {path} could not be {verb}: {error.strerror}; name another with --state"
