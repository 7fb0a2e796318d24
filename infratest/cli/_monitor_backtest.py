"""`infratest monitor backtest`: how often a policy would have told, over a time that the store knows."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from infratest.cli import _monitor
from infratest.cli._monitor_looking import form_option
from infratest.cli._verb import VerbCommand
from infratest.cli.session import Time, with_session
from infratest.errors import StateError
from infratest.lifecycle.budget import moment
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.units import counted, human

if TYPE_CHECKING:
    from infratest.store.database.base import Transaction

#: Problems that nobody would have been told of, which are named at most.
NAMED = 10


@click.command("backtest", cls=VerbCommand, short_help="Say how often another policy would have told.")
@click.option("--since", metavar="TIME",
              help="From when on, as 30d or '2026-11-29 03:00'; by default all that the store has.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="Try a key of monitor:, as attempts=5, retry=30s or flap.changes=6; repeatable.")  # fmt: skip
@click.option("--lasting", type=Time(), default="5min", metavar="TIME",
              help="Name what nobody is told of where it lasted so long (default 5min).")  # fmt: skip
@form_option
@with_session(require_env=True, made_up=UNASKED)
def backtest(session: Session, since: str | None, settings: tuple[str, ...], lasting: float, form: str) -> int:
    """Replay what the store has, by the stack file's policy and by one that is changed with --set: how many problems
    there would have been, how many notices to whom, what would have been seen later, and what not told at all.

    It stands on changes of hard states, for the store keeps no single look; what that cannot say is said below the
    figures. @attempts and @interval of a scenario hold, whatever --set says. Nobody is told anything, and a monitor
    that runs is not disturbed.

    Exit status: 0 shown, 3 nothing is kept of that time, or wrong use.
    """
    from infratest.monitor.recorded import recorded
    from infratest.project.monitor_store import looked_into

    watched, receivers, other = _tried(session, settings)
    with looked_into(session) as store:
        _monitor.tell_standby(session, store)
        with store.sight() as t:
            begin, end = _span(t, since)
            found = recorded(t, watched.subjects, begin, end)
    if found.unwatched >= end - begin:
        raise StateError(f"backtest: nobody watched from {moment(begin)} to {moment(end)}, so nothing is known of it")
    answer = _answer(found, watched, other, receivers, settings)
    answer |= {"stack": session.stack.name, "env": session.stack.env}
    if form == "json":
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _monitor.write(_lines(_monitor.place(session), answer, lasting))
    return 0


def _tried(session: Session, settings: Sequence[str]) -> tuple[Any, list[Any], tuple[Any, ...]]:
    """Return what is watched, who is told, and what is watched with other settings. Raises InfratestError."""
    from dataclasses import replace

    from infratest.alerting import owed
    from infratest.monitor.settings import changed, tried
    from infratest.monitor.start import again
    from infratest.monitor.watched import Watched
    from infratest.project.prepare import Request
    from infratest.receivers.base import opened
    from infratest.stack.monitor import Monitor

    said = session.stack.monitor or Monitor()
    other = changed(said, settings)
    watched = Watched.read(replace(again(session), host=(), _state=session.state), Request(face="check"))
    entries = ((name, opened({one.kind: one.options}, one.where, session.stack.folder))
               for name, one in said.receivers.items())  # fmt: skip
    receivers = [owed.Receiver(name, receiver.digest) for name, receiver in entries]
    return watched, receivers, tried(watched, other)


def _span(t: Transaction, since: str | None) -> tuple[float, float]:
    """Return from when to when is replayed. Raises StateError where the store does not reach as far."""
    from infratest.monitor.recorded import reach
    from infratest.monitor.times import past

    first, until = reach(t)
    if since is None:
        return first, until
    begin = past(since, time.time())
    if begin < first:
        words = f"the store reaches back to {moment(first)}, and {since!r} is before that"
        raise StateError(f"backtest: {words}; leave --since out for all that it has")
    if begin >= until:
        raise StateError(f"backtest: nobody has watched since {moment(until)}, so nothing is known since {since!r}")
    return begin, until


def _answer(
    found: Any, watched: Any, other: Sequence[Any], receivers: Sequence[Any], settings: Sequence[str]
) -> dict[str, Any]:
    """Return what came of it, as JSON has it."""
    from infratest.monitor import backtest as trial
    from infratest.monitor.replay import replayed
    from infratest.monitor.settings import differing

    begin, subjects = found.begin, watched.subjects
    before = replayed(found.past, subjects, watched.routes, receivers)
    made: dict[str, Any] = {
        "since": begin,
        "until": found.end,
        "told_then": trial.counts(found.told),
        "as_it_stands": trial.figures(before, begin),
    }
    if settings:
        after = replayed(found.past, other, watched.routes, receivers, differing(subjects, other))
        later = trial.delays(before, after, begin)
        made |= {
            "settings": list(settings),
            "changed": trial.figures(after, begin),
            "seen_later": trial.summary(later) | {"each": [_fields(each) for each in later]},
            "not_told": [_fields(each) for each in trial.missed(before, after, begin)],
        }
    return made | {"grounds": trial.grounds(found, subjects, other)}


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in type(one).__slots__}


def _lines(place: str, answer: Mapping[str, Any], lasting: float) -> list[str]:
    lasted = human(answer["until"] - answer["since"], "s")
    head = f"INFRATEST BACKTEST - {place}: {lasted}, from {moment(answer['since'])} to {moment(answer['until'])}"
    lines = [head, *_table(answer)]
    if "settings" in answer:
        lines += [_later(answer["seen_later"]), *_missed(answer["not_told"], lasting)]
    return [*lines, "what it stands on:", *(f"  {each}" for each in answer["grounds"])]


def _table(answer: Mapping[str, Any]) -> list[str]:
    """Return the figures: what was told then, and what would have been by each policy."""
    stands, changed = answer["as_it_stands"], answer.get("changed")
    told = [answer["told_then"], stands["notices"], *([changed["notices"]] if changed else [])]
    heads = ["", "told then", "as it stands", *([" ".join(answer["settings"])] if changed else [])]
    problems = ["problems", "-", str(stands["problems"]), *([str(changed["problems"])] if changed else [])]
    kinds = sorted({(name, kind) for each in told for name, its in each.items() for kind in its})
    rows = [heads, problems]
    rows += [[f"{name}: {kind}", *(str(each.get(name, {}).get(kind, 0)) for each in told)] for name, kind in kinds]
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    return ["  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]


def _later(found: Mapping[str, Any]) -> str:
    if not found["outages"]:
        return "seen later: none"
    most, middle = human(found["most"], "s"), human(found["median"], "s")
    return f"seen later: {counted(found['outages'], 'outage')}, by {most} at most, {middle} in the middle (median)"


def _missed(listed: Sequence[Mapping[str, Any]], lasting: float) -> list[str]:
    """Return what nobody would have been told of, by name what lasted long."""
    if not listed:
        return ["not told at all: none"]
    real = [each for each in listed if each["lasted"] is None or each["lasted"] >= lasting]
    words = f"of those that lasted {human(lasting, 's')} or longer {len(real) or 'none'}"
    lines = [f"not told at all: {counted(len(listed), 'problem')}, {words}" + (":" if real else "")]
    for each in real[:NAMED]:
        lasted = "and is not over" if each["lasted"] is None else f"for {human(each['lasted'], 's')}"
        lines.append(f"  {each['id']}: from {moment(each['begin'])}, {lasted}")
    more = len(real) - NAMED
    return [*lines, *([f"  and {more} more; --format json has all"] if more > 0 else [])]
