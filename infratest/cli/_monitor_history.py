"""`infratest monitor history` and `events`: what happened, from the store, whether a monitor runs or not."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from infratest.cleaning import clean
from infratest.cli import _monitor
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.errors import UnknownName
from infratest.lifecycle.budget import moment
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.units import human, plain

#: Seconds between two looks at the store while it is followed.
FOLLOW = 1.0


@click.command("history", cls=VerbCommand, short_help="Show how a result, or a number, was over time.")
@click.argument("name", metavar="ID|KEY")
@click.option("--since", default="24h", metavar="TIME", help="From when on, as 24h (default) or '2026-11-29 03:00'.")
@click.option("--format", "form", type=click.Choice(["table", "spark", "csv", "json"]), default="table",
              help="table (default), spark (one line), csv or json.")  # fmt: skip
@with_session(require_env=True, made_up=UNASKED)
def history(session: Session, name: str, since: str, form: str) -> int:
    """Show how a result changed, by its ID, or the numbers of a metric, by its KEY; the table of a result names its
    keys. In a spark line of states C is critical, ? unknown, w warning, a point ok, and a blank not watched.

    Exit status: 0 shown, 3 there is no such result or metric, or nothing is kept.
    """
    from infratest.monitor import past, story
    from infratest.monitor.times import past as time_of
    from infratest.project.monitor_store import looked_into

    now = time.time()
    begin = time_of(since, now)
    with looked_into(session) as store:
        _monitor.tell_standby(session, store)
        with store.sight() as t:
            ids, keys = past.known(t), story.keys_of(t)
            if name not in ids and name not in keys:
                raise UnknownName(_monitor.unknown_id(name, [*ids, *keys], "id or key"))
            state = name in ids
            rows = story.of_result(t, name, begin, now) if state else story.of_number(t, name, begin, now)
            beside = story.keys_of(t, name) if state else {}
    if form == "json":
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif form == "csv":
        _csv(rows, ("time", "before", "after", "reason") if state else ("time", "value"))
    elif form == "spark":
        drawn = story.drawn_states if state else story.drawn_numbers
        click.echo(f"{drawn(rows, begin, now)}  {clean(name, 500)}{_range(rows, keys.get(name, ''))}")
    else:
        lines = [_change(row) if state else _number(row, keys[name]) for row in rows]
        _monitor.write(
            [*(lines or ["nothing in that time"]), *(f"number: {key} ({unit})" for key, unit in beside.items())]
        )
    return 0


@click.command("events", cls=VerbCommand, short_help="Show what happened: changes, notices, notes.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(["result", "told", "note", "lifecycle", "heal"]),
              help="Only these; repeatable.")  # fmt: skip
@click.option("--since", default="1h", metavar="TIME", help="From when on, as 1h (default) or '2026-11-29 03:00'.")
@click.option("--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text",
              help="text (default) or json, an object a line.")  # fmt: skip
@with_session(require_env=True, made_up=UNASKED)
def events(session: Session, kinds: tuple[str, ...], since: str, follow: bool, form: str) -> int:
    """Show what happened, the earliest first: changes of hard states, what became of notices, notes, heals, and when a
    monitor began and ended.

    Exit status: 0 shown, 3 nothing is kept.
    """
    from infratest.monitor import story
    from infratest.monitor.times import past as time_of
    from infratest.project.monitor_store import looked_into

    begin = time_of(since, time.time())
    place = _monitor.place(session).replace("/", ".")
    with looked_into(session) as store:
        _monitor.tell_standby(session, store)
        while True:
            end = time.time() - (FOLLOW if follow else 0.0)  # what is written just now may be of a moment ago
            with store.sight() as t:
                found = story.events(t, kinds, begin, end, place)
            for each in found:
                click.echo(json.dumps(each, ensure_ascii=False) if form == "json" else clean(_line(each), 2000))
            if not follow:
                return 0
            sys.stdout.flush()
            begin = max(begin, end)
            time.sleep(FOLLOW)


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row[name] for name in columns] for row in rows)


def _range(rows: Sequence[Mapping[str, Any]], unit: str) -> str:
    values = [row["value"] for row in rows if "value" in row]
    return f"  {human(min(values), unit)} to {human(max(values), unit)}" if values else ""


def _change(row: Mapping[str, Any]) -> str:
    before = "watched from then on" if row["before"] == "-" else row["before"]
    return f"{moment(row['time'])}  {before} -> {row['after']}" + (f"  {row['reason']}" if row["reason"] else "")


def _number(row: Mapping[str, Any], unit: str) -> str:
    return f"{moment(row['time'])}  {plain(row['value'])}{unit}"


def _line(event: Mapping[str, Any]) -> str:
    labels, when = event["labels"], moment(event["time"])
    match labels["kind"]:
        case "result":
            why = f": {labels['reason']}" if labels["reason"] else ""
            return f"{when}  result  {labels['id']}: {labels['before']} -> {event['value']}{why}"
        case "told":
            return f"{when}  told  {labels['receiver']}: {labels['what']} of {labels['id']}: {event['value']}"
        case kind:
            about = "" if labels["host"] == "-" else f" of {labels['host']}"
            return f"{when}  {kind}  {labels['author']}{about}: {event['value']}"
