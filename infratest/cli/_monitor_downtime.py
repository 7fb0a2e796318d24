"""`infratest monitor downtime`: planned silences, once or again and again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import click

from infratest.cli import _monitor
from infratest.cli._monitor_looking import form_option
from infratest.cli._monitor_people import say
from infratest.cli._verb import ListedFirst, VerbCommand
from infratest.cli.session import Time, Whole, with_session
from infratest.errors import UserError
from infratest.lifecycle.budget import moment
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.units import counted, human


@click.group("downtime", cls=ListedFirst, short_help="Plan a silence: add, list, end.")
def downtime() -> None:
    """Plan that nobody is told of what is not well: once, or again and again. Looks go on, and what is so is shown.

    \b
    infratest monitor downtime add move --host db --for 2h --comment "new racks"
    infratest monitor downtime add backup --tags "@db" --every "0 2 * * 0" --for 1h --comment weekly
    """


@downtime.command("add", cls=VerbCommand, short_help="Plan a silence.")
@click.argument("name")
@click.argument("id", required=False)
@click.option("--tags", multiple=True, type=Whole(), metavar="EXPRESSION", help="What has these tags, as '@web'.")
@click.option("--for", "seconds", type=Time(), required=True, metavar="TIME", help="So long, or so long each time.")
@click.option("--from", "begin", metavar="TIME", help="From when on, as '2026-11-29 22:00' (UTC) or 2h (default: now).")
@click.option("--every", metavar="CRON", help="Again and again: five fields, as '0 2 * * 0'.")
@click.option("--zone", metavar="NAME", help="Of --every: whose clock, as Europe/Berlin (default: UTC).")
@click.option("--comment", required=True, metavar="TEXT", help="Why.")
@with_session(require_env=True, made_up=UNASKED)
def add(
    session: Session, name: str, id: str | None, tags: tuple[str, ...], seconds: float, begin: str | None,
    every: str | None, zone: str | None, comment: str,
) -> int:  # fmt: skip
    """Plan a silence for what is watched now and chosen by --host, by --tags (both must hold), or by its ID.

    Once, from now or --from on; or with --every again and again, by the clock of --zone with its summer time. What is
    watched only later is not meant.

    Exit status: 0 done, 3 not done.
    """
    from infratest.monitor.kept import as_planned
    from infratest.monitor.times import instant

    if (id is not None) == bool(session.host or tags):
        raise UserError("downtime: say for what, by an ID, or by --host, --tags or both")
    if every and begin:
        raise UserError("downtime: --every says when it begins; leave --from out")
    if zone and not every:
        raise UserError(
            "downtime: --zone is for --every; --from may have a zone of its own, as '2026-11-29 22:00+01:00'"
        )
    given = {
        "name": name, "id": id or "", "host": _selector(session.host), "tags": " and ".join(f"({one})" for one in tags),
        "for": seconds, "every": every or "", "zone": zone or "UTC", "comment": comment,
        "from": None if begin is None else instant(begin, time.time(), 1),
    }  # fmt: skip
    say(
        session, "downtime", given, f"downtime {{name}}: {_when(given)}, by {{by}}", None if id else as_planned(session)
    )
    return 0


@downtime.command("list", cls=VerbCommand, short_help="List what is planned.")
@form_option
@with_session(require_env=True, made_up=UNASKED)
def list_(session: Session, form: str) -> int:
    """List what is planned, and whether it holds just now.

    Exit status: 0 shown, 3 neither a monitor nor its store is there.
    """
    from infratest.monitor.kept import asked

    found = asked(session, "downtimes")
    if form == "json":
        click.echo(json.dumps(found.answer, indent=2, ensure_ascii=False))
    else:
        _monitor.write([line for each in found.answer for line in _lines(each)] or ["nothing is planned"])
    return 0


@downtime.command("end", cls=VerbCommand, short_help="End a downtime: what is so then is told.")
@click.argument("name")
@with_session(require_env=True, made_up=UNASKED)
def end(session: Session, name: str) -> int:
    """End a downtime, whether it has begun or not; what is so then is told.

    Exit status: 0 done, 3 not done.
    """
    say(session, "downtime end", {"name": name}, "downtime {name} is ended")
    return 0


def _selector(patterns: tuple[str, ...]) -> str:
    """Return the texts of --host as one of the selector language: lists in it are joined by commas there."""
    return " or ".join(f"({one})" if " " in one or "=" in one else " or ".join(one.split(",")) for one in patterns)


def _when(given: Mapping[str, Any]) -> str:
    lasts = f"for {human(given['for'], 's')}"
    if given.get("every"):
        return f"each time {given['every']!r} comes in {given['zone']}, {lasts}"
    return lasts if given["from"] is None else f"from {moment(given['from'])} on, {lasts}"


def _lines(each: Mapping[str, Any]) -> list[str]:
    if "every" in each:
        when = f"each time {each['every']!r} comes in {each['zone']}, for {human(each['for'], 's')}"
    else:
        when = f"{moment(each['begin'])} to {moment(each['end'])}"
    active = each["active_until"]
    now = f"holds until {moment(active)}" if active is not None else "is over" if each["over"] else "does not hold now"
    ids, few = each["ids"], _monitor.FEW
    more = f" and {len(ids) - few} more" if len(ids) > few else ""
    return [
        f"{each['name']}: {when}; {now}",
        f"  by {each['by'] or 'nobody'}: {each['comment']}",
        f"  for {counted(len(ids), 'result')}: {', '.join(ids[:few])}{more}",
    ]
