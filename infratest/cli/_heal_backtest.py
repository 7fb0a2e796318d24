"""`infratest heal backtest`: what the rules, as they stand, would have done of what failed in a time that is over."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from infratest.cleaning import clean
from infratest.errors import NoStore, StateError
from infratest.heal.backtest import ACTED, Case, replayed, unknown
from infratest.heal.gates import moment
from infratest.heal.records import PROPOSED, REFUSED, WOULD
from infratest.project.session import Session
from infratest.units import counted

#: How each outcome is told, in this order.
OUTCOMES = {ACTED: "acted", PROPOSED: "proposed to a person", WOULD: "observed alone", REFUSED: "refused"}
STORE, AUDIT = "monitor", "audit"


def backtest(session: Session, since: str | None, name: str | None, form: str) -> int:
    """Say what came of it, and return the exit status.

    Raises:
        InfratestError: nothing is kept of that time, or there is no such rule.
    """
    from infratest.project import heal_past, trusting

    stack = session.stack
    if not stack.heal:
        raise StateError("backtest: the stack file has no rules under heal:, so nothing would have been done")
    wanted = None if name is None else trusting.rule_named(session, name).name
    cases, source, begin, end = _cases(session, since)
    tallies = replayed(cases, tuple(stack.heal), heal_past.standing(session))
    answer = {
        "stack": stack.name,
        "env": stack.env,
        "since": begin,
        "until": end,
        "source": source,
        "rules": {rule: tally.as_dict() for rule, tally in tallies.items() if wanted in (None, rule)},
        "not_known": unknown(cases),
        "grounds": _grounds(source),
    }
    if form == "json":
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        for line in _lines(answer):
            click.echo(clean(line, 2000) if line[:1] != " " else "  " + clean(line, 2000))
    return 0


def _cases(session: Session, since: str | None) -> tuple[list[Case], str, float, float]:
    """Return what failed, where that is from, and from when to when. Raises StateError where nothing is kept."""
    from infratest.monitor.recorded import reach
    from infratest.monitor.times import past
    from infratest.project import heal_past
    from infratest.project.monitor_store import in_file, looked_into
    from infratest.store.database.place import FILE

    now = time.time()
    begin = None if since is None else past(since, now)
    known = heal_past.watched(session)
    if not in_file(session) or Path(session.state.file(FILE)).exists():
        # What another environment's monitor has kept is no store of ours.
        with suppress(NoStore), looked_into(session) as store, store.sight() as t:
            first, until = reach(t)
            if begin is not None and not first <= begin < until:
                words = f"the monitor's store knows {moment(first)} to {moment(until)}, and {since!r} is not in that"
                raise StateError(f"backtest: {words}; leave --since out for all that it has")
            begin = first if begin is None else begin
            return heal_past.of_store(t, known, begin, until), STORE, begin, until
    cases = heal_past.of_audit(session, known, 0.0)
    if not cases:
        raise StateError(
            f"backtest: no monitor of {session.stack.place} has kept anything on {session.state.path}, and heal.jsonl "
            "has no decision about what the features look at: there is nothing to replay"
        )
    first = cases[0].time
    if begin is not None and begin < first:
        raise StateError(f"backtest: heal.jsonl reaches back to {moment(first)}, and {since!r} is before that")
    begin = first if begin is None else begin
    cases = [case for case in cases if case.time >= begin]
    if not cases:
        raise StateError(f"backtest: heal.jsonl has no decision since {moment(begin)}: there is nothing to replay")
    return cases, AUDIT, begin, now


def _grounds(source: str) -> list[str]:
    """Return what it stands on, a sentence each."""
    if source == STORE:
        of = "problems are those of the monitor's store, looked at again with each interval as long as they lasted"
    else:
        of = (
            "there is no monitor's store: only what heal.jsonl has a decision about is replayed, as often as it has one"
        )
    return [
        of,
        "what an act would have brought is not known: each is taken to have helped, so that there is one a problem",
        "hosts, proofs and trust are taken to have been as they are now; of `change` only freezes by the calendar are "
        "known, and what is on record",
    ]


def _lines(answer: Mapping[str, Any]) -> list[str]:
    place = f"{answer['stack']}/{answer['env']}" if answer["env"] else answer["stack"]
    lines = [f"INFRATEST HEAL BACKTEST - {place}: from {moment(answer['since'])} to {moment(answer['until'])}"]
    for name, tally in answer["rules"].items():
        lines.append(f"rule {name}: {counted(tally['problems'], 'problem')}{_came(tally)}")
        lines += [f"  refused by {gate}: {number}" for gate, number in tally["refused_by"].items()]
    return [*lines, *_known(answer["not_known"]), "what it stands on:", *(f"  {each}" for each in answer["grounds"])]


def _came(tally: Mapping[str, Any]) -> str:
    words = [f"{OUTCOMES[one]} {tally[one]}" for one in OUTCOMES if tally.get(one)]
    return "".join(f"; {each}" for each in words)


def _known(names: Sequence[str]) -> list[str]:
    return [f"not known then, and taken as open: {', '.join(names)}"] if names else []
