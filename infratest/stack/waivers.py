"""The waivers of a stack, as values: their dates read, and what no schema can say looked at. Called by `stack.file`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from infratest.stack.document import Document
from infratest.stack.problems import Faults
from infratest.waivers import Waiver


def waivers(document: Document, faults: Faults) -> tuple[Waiver, ...]:
    """Return the waivers of a stack in its environment, in the file's order.

    Args:
        faults: told what is wrong; what is returned then is of no use.
    """
    found = []
    for number, entry in enumerate(document.data.get("waivers", ())):
        key = ("waivers", number)
        try:
            until = _end(date.fromisoformat(entry["until"]))
        except ValueError:
            faults.add((*key, "until"), f"{entry['until']!r} is no day of the calendar")
            continue
        for name in ("id", "why"):
            if not entry[name].strip():
                faults.add((*key, name), "is blank")
        found.append(
            Waiver(
                id=entry["id"],
                why=entry["why"],
                until=until,
                date=entry["until"],
                by=entry.get("by", ""),
                file=document.path.name,
                line=document.place(key).line,
            )
        )
    return tuple(found)


def _end(day: date) -> float:
    """Return the end of a day in UTC, in seconds since the epoch; of the last that can be written, too."""
    return datetime.combine(day, time(), UTC).timestamp() + timedelta(days=1).total_seconds()
