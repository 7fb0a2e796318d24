"""`infratest monitor explain ID`: why a result is as it is, who was told, by which rule, and who was not, and why."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import click

from infratest.cli import _monitor
from infratest.cli._monitor_looking import form_option
from infratest.cli._verb import VerbCommand
from infratest.cli.session import with_session
from infratest.errors import UnknownName
from infratest.lifecycle.budget import moment
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.states import OK
from infratest.units import counted, human

#: How a notice's end is told.
OUTCOMES = {
    "queued": "on its way", "attempted": "being handed over, or in doubt", "delivered": "delivered",
    "refused": "refused", "lost": "may have arrived",
}  # fmt: skip


@click.command("explain", cls=VerbCommand, short_help="Say why a result is as it is, who was told and who was not.")
@click.argument("id")
@click.option("--at", "at", metavar="TIME", help="As it was then: '2026-11-29 03:10' (UTC), or '2h ago'.")
@form_option
@with_session(require_env=True, made_up=UNASKED)
def explain(session: Session, id: str, at: str | None, form: str) -> int:
    """Say how a result is, by its ID: since when and why, how it is watched, what was seen, why nobody is told just
    now, who was told what and when and by which rule of the stack file, and who was not told and why.

    With --at the same of any time of the past, as far as the store has it. Where nobody watched then, it is unknown.

    Exit status: 0 told, 3 there is no such result, or nothing is kept.
    """
    from infratest.monitor import past
    from infratest.monitor.keeping import freshness
    from infratest.monitor.kept import asked
    from infratest.monitor.times import past as time_of
    from infratest.project.monitor_store import looked_into

    now = time.time()
    wall = now if at is None else time_of(at, now)
    live: dict[str, Any] = {}
    lines: list[str] = []
    if at is None:
        found = asked(session, "result", {"id": id})
        live = found.answer | _monitor.source_of(session, found) | {"state": _monitor.state_of(found)}
        lines = _of_now(found.answer, live["state"], _monitor.source(found))
    with looked_into(session) as store:
        if at is not None:
            _monitor.tell_standby(session, store)
        with store.sight() as t:
            if id not in (known := past.known(t)) and at is not None:
                raise UnknownName(_monitor.unknown_id(id, known))
            then = past.explained(t, id, wall, freshness(session.stack.monitor))
    if form == "json":
        click.echo(json.dumps(then | live | {"told": then["told"]}, indent=2, ensure_ascii=False))
        return 0
    lines = lines or _of_then(then)
    _monitor.write([*lines, *_told(then), *_withheld(live.get("withheld", then["withheld"])), *_noted(then)])
    return 0


def _of_now(answer: Mapping[str, Any], state: str, source: str) -> list[str]:
    lines = [f"{state} {answer['id']}{source}"]
    if state != answer["state"]:
        lines.append(f"  it was {answer['state']} when somebody watched last")
    # The reason is of the newest look: where that is not confirmed, it is none for what holds since then.
    of_look = answer["soft"] and answer["looked_at"] is not None
    well = "nothing was wrong" if answer["state"] == OK else "something was wrong"
    why = well if of_look else answer["reason"] or "nothing is wrong"
    lines.append(f"  since {moment(answer['since'])}: {why}")
    if answer["looked_at"] is not None:
        seen = f"seen {answer['seen']}" + (", not confirmed" if answer["soft"] else "")
        lines.append(
            f"  looked at {_monitor.ago(answer['looked_at'])}: {seen}"
            + (f"; failures {answer['failures']}" if "failures" in answer else "")
            + (f": {answer['reason']}" if of_look and answer["reason"] else "")
        )
    if "policy" in answer:
        lines.append(f"  {_policy(answer['policy'])}")
    if answer["cause"]:
        lines.append(f"  because of {answer['cause']}")
    if answer["needs"]:
        lines.append(f"  needs {', '.join(answer['needs'])}")
    if answer["ack"]:
        ack = answer["ack"]
        until = "until it recovers" if ack["for"] is None else f"for {human(ack['for'], 's')} more"
        lines.append(f"  {ack['by']} has it since {moment(ack['at'])}, {until}: {ack['comment']}")
    if answer["suppressed"]:
        lines.append(f"  nobody is told now: {answer['suppressed']}")
    return [*lines, *_evidence(answer["evidence"])]


def _policy(policy: Mapping[str, Any]) -> str:
    attempts, interval, retry = policy["attempts"], human(policy["interval"], "s"), human(policy["retry"], "s")
    return (
        f"watched every {interval}, every {retry} while not confirmed; hard "
        f"after {attempts['failures']} of {counted(attempts['of'], 'look')}, over after {policy['recover']}"
    )


def _of_then(then: Mapping[str, Any]) -> list[str]:
    since = f"since {moment(then['since'])}: " if then["since"] is not None else ""
    lines = [f"{then['state']} {then['id']}, at {moment(then['at'])}"]
    lines.append(f"  {since}{then['reason'] or 'nothing was wrong'}")
    return [*lines, *_evidence(then["evidence"])]


def _evidence(steps: list[Mapping[str, Any]]) -> list[str]:
    return [f"  {each['text']}: {each['state']}: {each['reason']}" for each in steps if each["state"] != OK]


def _told(then: Mapping[str, Any]) -> list[str]:
    lines = []
    for each in then["told"]:
        by = f", by {each['route']}" if each["route"] else ""
        why = f": {each['reason']}" if each["reason"] and each["outcome"] != "delivered" else ""
        what = f"{each['kind']} {each['level']}" if each["kind"] != "recovery" else "recovery"
        outcome = OUTCOMES.get(each["outcome"], each["outcome"])
        lines.append(f"  {moment(each['at'])} {each['receiver']}: {what}, {outcome}{why}{by}")
    return ["told:", *lines] if lines else ["told: nobody, of anything"]


def _withheld(reasons: Mapping[str, str]) -> list[str]:
    lines = [f"  {'anybody' if name == '-' else name}: {reason}" for name, reason in reasons.items()]
    return ["not told:", *lines] if lines else []


def _noted(then: Mapping[str, Any]) -> list[str]:
    lines = [
        f"  {moment(each['at'])} {each['by']}{'' if each['host'] == '-' else ' of ' + each['host']}: {each['text']}"
        for each in then["notes"]
    ]
    return ["noted in the hour before:", *lines] if lines else []
