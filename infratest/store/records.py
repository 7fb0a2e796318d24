"""What the records of a journal say: what is live, what was made or asked for and not removed, which runs died.

Pure: each of these reads records as `Journal.records` returns them, of which `store/journal.py` has the forms. Called
by the lifecycle, by `status`, and by whoever opens a stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infratest.providers._aside import aside_name
from infratest.providers.base import Resource
from infratest.store.terms import expires

DONE, FAILED, INTERRUPTED = "done", "failed", "interrupted"

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Held:
    """A resource that the journal holds as live."""

    kind: str
    id: str
    name: str
    stack: str
    env: str
    since: float


@dataclass(frozen=True, kw_only=True)
class Aside:
    """A host that was set aside for a successor, or is to be put back.

    Args:
        name: the host in whose place it stood. time: when that was said last. until: when it need not be kept any
        longer, None while its successor has not proven itself; both in seconds since the epoch. back: it is to stand in
        its place again.
    """

    id: str
    name: str
    time: float
    until: float | None = None
    back: bool = False


@dataclass(frozen=True, kw_only=True)
class Undo:
    """A command that takes a fault back, not known to have run."""

    id: str
    host: str
    command: str
    stack: str
    env: str


@dataclass(frozen=True, kw_only=True)
class Begun:
    """An operation that began and of which no end is written: its process is at it still, or died."""

    op: str
    verb: str
    stack: str
    env: str
    pid: int
    time: float


def live(records: Iterable[Record]) -> dict[str, Held]:
    """Return what is held as live, by the provider's id, in the order it was made."""
    begun: dict[str, Record] = {}
    ended: set[str] = set()
    made: dict[str, Record] = {}
    for record in records:
        what = record.get("what")
        if what == "begin":
            begun[str(record.get("op"))] = record
        elif what == "end" and record.get("outcome") == DONE:
            ended.add(str(record.get("op")))
        elif what == "made":
            made[str(record.get("id"))] = record
        elif what in ("removing", "removed"):
            made.pop(str(record.get("id")), None)
        elif what in ("aside", "back") and str(record.get("id")) in made:
            id = str(record["id"])
            made[id] = {**made[id], "name": _called(record)}
    held = {}
    for id, record in made.items():
        start = begun.get(str(record.get("op")))
        if start is not None and record.get("op") in ended:
            held[id] = Held(
                kind=record["kind"],
                id=id,
                name=record["name"],
                stack=start["stack"],
                env=start["env"],
                since=record["time"],
            )
    return held


def not_removed(records: Iterable[Record], stack: str, env: str) -> list[Resource]:
    """Return what was made in an environment, or began to be removed, and is not known to be removed whole."""
    ours: set[str] = set()
    found: dict[str, Resource] = {}
    for record in records:
        what = record.get("what")
        if what == "begin" and (record.get("stack"), record.get("env")) == (stack, env):
            ours.add(str(record.get("op")))
        elif what in ("made", "removing") and record.get("op") in ours:
            found[record["id"]] = Resource(kind=record["kind"], id=record["id"], name=record["name"])
        elif what in ("aside", "back") and record.get("id") in found:
            found[record["id"]] = replace(found[record["id"]], name=_called(record))
        elif what == "removed":
            found.pop(str(record.get("id")), None)
    return list(found.values())


def standing(records: Iterable[Record], stack: str, env: str) -> dict[str, Resource]:
    """Return what was made in an environment and not begun to be removed, live or not, by the provider's id."""
    ours: set[str] = set()
    found: dict[str, Resource] = {}
    for record in records:
        what = record.get("what")
        if what == "begin" and (record.get("stack"), record.get("env")) == (stack, env):
            ours.add(str(record.get("op")))
        elif what == "made" and record.get("op") in ours:
            found[record["id"]] = Resource(kind=record["kind"], id=record["id"], name=record["name"])
        elif what in ("aside", "back") and record.get("id") in found:
            found[record["id"]] = replace(found[record["id"]], name=_called(record))
        elif what in ("removing", "removed"):
            found.pop(str(record.get("id")), None)
    return found


def asides(records: Iterable[Record]) -> dict[str, Aside]:
    """Return, by the provider's id, what was ever set aside and was not begun to be removed."""
    found: dict[str, Aside] = {}
    for record in records:
        what, id = record.get("what"), str(record.get("id"))
        if what in ("aside", "back"):
            found[id] = Aside(
                id=id, name=record["name"], time=record["time"], until=record.get("until"), back=what == "back"
            )
        elif what in ("removing", "removed"):
            found.pop(id, None)
    return found


def _called(record: Record) -> str:
    """Return what a host is called since it was set aside, or put back."""
    name = str(record["name"])
    return aside_name(name) if record["what"] == "aside" else name


def made_by_others(records: Sequence[Record], stack: str, env: str, makers: Sequence[str]) -> dict[str, list[str]]:
    """Return what may stand in an environment by the word of other makers, as `host web-1`, by maker.

    Args:
        makers: a provider and each place where it looks, in words. Records of earlier versions have none.
    """
    found: dict[str, dict[str, None]] = {}
    for record in records:
        other = record.get("maker", makers[0])
        if record["what"] != "begin" or other in makers or (record["stack"], record["env"]) != (stack, env):
            continue
        made = [(one.kind, one.name) for one in made_by(records, record["op"])]
        for kind, name in [*made, *sorted(pending(records, record["op"]))]:
            found.setdefault(other, {})[f"{kind} {name}"] = None
    return {other: list(names) for other, names in found.items()}


def made_by(records: Sequence[Record], op: str) -> list[Resource]:
    """Return what an operation made and nobody has removed whole since."""
    gone = removed(records)
    made = [record for record in records if record.get("op") == op and record.get("what") == "made"]
    return [Resource(kind=one["kind"], id=one["id"], name=one["name"]) for one in made if one["id"] not in gone]


def removed(records: Iterable[Record]) -> set[str]:
    """Return the ids of what was removed whole."""
    return {str(record["id"]) for record in records if record.get("what") == "removed"}


def unanswered(records: Sequence[Record], stack: str, env: str) -> set[tuple[str, str, str]]:
    """Return operation, kind and name of what was asked for and not answered, and may have been made all the same.

    However long ago: an operation that ended may not have come to know it, and what exists can be forgotten by a
    listing at any time. The journal drops these records once nothing is left over (`Journal.tidy`).
    """
    ops = [
        record["op"]
        for record in records
        if record.get("what") == "begin" and (record.get("stack"), record.get("env")) == (stack, env)
    ]
    return {(op, *each) for op in ops for each in pending(records, op)}


def asked(records: Iterable[Record], op: str) -> bool:
    """Return whether an operation asked a provider for anything."""
    return any(record.get("op") == op and record.get("what") == "asked" for record in records)


def pending(records: Iterable[Record], op: str) -> set[tuple[str, str]]:
    """Return kind and name of what an operation asked for and has no answer about."""
    found: set[tuple[str, str]] = set()
    for record in records:
        if record.get("op") == op and record.get("what") == "asked":
            found.add((record["kind"], record["name"]))
        elif record.get("op") == op and record.get("what") == "made":
            found.discard((record["kind"], record["name"]))
    return found


def begun(records: Iterable[Record]) -> list[Begun]:
    """Return the operations without an end."""
    found: dict[str, Begun] = {}
    for record in records:
        if record.get("what") == "begin":
            fields = {name: record[name] for name in ("op", "verb", "stack", "env", "pid", "time")}
            found[record["op"]] = Begun(**fields)
        elif record.get("what") == "end":
            found.pop(str(record.get("op")), None)
    return list(found.values())


def account(records: Iterable[Record], stack: str, env: str) -> str:
    """Return who owns what was made in an environment; empty where nobody said, as earlier versions never did."""
    found = ""
    for record in records:
        if record.get("what") == "account" and (record.get("stack"), record.get("env")) == (stack, env):
            found = str(record.get("account", ""))
    return found


def open_undos(records: Iterable[Record]) -> list[Undo]:
    """Return the undos that are not known to have run, the last one asked first."""
    found: dict[str, Undo] = {}
    for record in records:
        if record.get("what") == "undo-asked":
            fields = {name: str(record[name]) for name in ("id", "host", "command", "stack", "env")}
            found[fields["id"]] = Undo(**fields)
        elif record.get("what") == "undo-done":
            found.pop(str(record.get("id")), None)
    return list(reversed(found.values()))


def stays(record: Record, records: list[dict[str, Any]], stack: str, env: str) -> bool:
    """Whether a record still says something, once this environment holds nothing but what is live."""
    ours = {r["op"] for r in records if r["what"] == "begin" and (r["stack"], r["env"]) == (stack, env)}
    held = live(records)
    what, op = record["what"], record.get("op")
    if what in ("aside", "back"):
        same = [r for r in records if r["what"] in ("aside", "back") and r["id"] == record["id"]]
        return record["id"] in held and record is same[-1]
    if what in ("provisioned", "snapshot", "placed"):
        mark = (what, record["id"], record.get("snapshot"))
        same = [r for r in records if (r["what"], r.get("id"), r.get("snapshot")) == mark]
        return record["id"] in held and record is same[-1]
    if what in ("undo-asked", "undo-done"):
        return any(undo.id == record["id"] for undo in open_undos(records))
    if what == "lease":
        if (record["stack"], record["env"]) != (stack, env):
            return True
        return record["expires"] == expires(records, stack, env) and any(
            (one.stack, one.env) == (stack, env) for one in held.values()
        )
    if what in ("budget", "account"):
        if (record["stack"], record["env"]) != (stack, env):
            return True
        same = [r for r in records if r["what"] == what and (r["stack"], r["env"]) == (stack, env)]
        return record is same[-1] and any((one.stack, one.env) == (stack, env) for one in held.values())
    if op not in ours:
        return True
    if what in ("begin", "end"):
        return any(r["what"] == "made" and r.get("op") == op and r["id"] in held for r in records)
    return what == "made" and record["id"] in held
