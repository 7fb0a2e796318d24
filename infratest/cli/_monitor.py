"""What a monitor answers, in lines for people: the first as of a check plugin, then those of each that is worth it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from infratest.cleaning import clean
from infratest.lifecycle.budget import moment
from infratest.project.session import Session
from infratest.states import CRITICAL, EXIT, OK, SKIPPED, UNKNOWN, WAIVED, WARNING, worst
from infratest.units import counted, human

if TYPE_CHECKING:
    from infratest.monitor.kept import Answered
    from infratest.monitor.monitor import Monitor
    from infratest.store.database.base import Store

#: Results that are told of many, and ids that are named in one line.
MANY, FEW = 200, 5


def write(lines: Iterable[str]) -> None:
    """Write lines to standard output, each cleaned and bounded; what is indented stays so."""
    for line in lines:
        click.echo(line[: len(line) - len(line.lstrip(" "))] + clean(line, 2000))


def place(session: Session) -> str:
    """Return stack and environment, as `shop/prod`."""
    return session.stack.place


def state_of(found: Answered) -> str:
    """Return the state that an answer stands for: what nobody watches just now is not known."""
    return str(found.answer["state"]) if found.watched else UNKNOWN


def source_of(session: Session, found: Answered) -> dict[str, Any]:
    """Return where an answer comes from, as JSON has it."""
    stack = session.stack
    running = None if not found.live else {"pid": found.pid, "since": found.since, "unwritten": found.unwritten}
    beside = {"works": found.works or None, "standby": found.standby or None}
    return {"stack": stack.name, "env": stack.env, "monitor": running, "as_of": found.as_of, **beside}


def source(found: Answered) -> str:
    """Return where an answer comes from, for people."""
    if found.live:
        return f"; NOT KEPT: {found.unwritten}" if found.unwritten else ""
    from infratest.project.monitor_store import words_of

    if words := words_of(found.works, found.standby):
        return f"; {words}, which kept this" + ("" if found.as_of is None else f" {ago(found.as_of)}")
    if found.as_of is None:
        return "; no monitor runs, and none ever wrote here"
    return f"; no monitor runs: this is what one knew {ago(found.as_of)}, {moment(found.as_of)}"


def tell_standby(session: Session, store: Store) -> None:
    """Say on standard error that what a store has is of a monitor that works elsewhere, where one does."""
    from infratest.project.monitor_store import standing_by

    if words := standing_by(session, store):
        click.echo(f"infratest: {place(session)}: {clean(words, 500)}", err=True)


def ago(wall: float) -> str:
    """Return how long a time is over."""
    return f"{human(max(0.0, time.time() - wall), 's')} ago"


def status(session: Session, found: Answered, answer: dict[str, Any]) -> list[str]:
    """Return how everything is."""
    counts = {state: answer["counts"].get(state, 0) for state in (CRITICAL, UNKNOWN, WARNING, OK)}
    beside = {state: number for state in (WAIVED, SKIPPED) if (number := answer["counts"].get(state))}
    results = answer["results"]
    soft = sum(each["soft"] for each in results)
    bad = sum(counts.values()) - counts[OK]
    words = f"{bad} of {counted(sum(counts.values()), 'result')} not ok" + (f", {soft} not confirmed" if soft else "")
    head = _head(session, found, answer["state"], words, {**counts, **beside, "soft": soft})
    return [head, *(line for each in results[:MANY] for line in _of_result(each)), *_more(results)]


def problems(session: Session, found: Answered, answer: dict[str, Any]) -> list[str]:
    """Return what is wrong by itself."""
    listed = answer["problems"]
    silent = sum(bool(each["suppressed"]) for each in listed)
    words = counted(len(listed), "problem") + (f", {silent} of them silent" if silent else "")
    head = _head(session, found, answer["state"], words, {"problems": len(listed), "silent": silent})
    return [head, *(line for each in listed[:MANY] for line in _of_problem(each)), *_more(listed)]


def unknown_id(id: str, known: Sequence[str], what: str = "id") -> str:
    """Return the message for an id that nobody has, with the few that are nearest: of thousands not all are named."""
    near = get_close_matches(id, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known are {', '.join(known[:FEW]) or 'none'}"
    return f"unknown {what} {id!r}: {hint}" + ("" if near or len(known) <= FEW else f" and {len(known) - FEW} more")


def due(answer: list[dict[str, Any]]) -> list[str]:
    """Return what is looked at next."""
    width = max((len(_in(each["in"])) for each in answer), default=0)
    return [f"{_in(each['in']):>{width}}  {each['id']}" for each in answer] or ["nothing is watched"]


def show_once(session: Session, monitor: Monitor) -> int:
    """Say how everything is after one look, and return the status: by what is hard and what was seen just now."""
    import os

    from infratest.monitor import answers
    from infratest.monitor.kept import Answered

    answer = answers.status(monitor.book, monitor.timepiece.now())
    seen = [each["seen"] for each in answer["results"] if each["soft"] and each["seen"] in (WARNING, CRITICAL, UNKNOWN)]
    answer["state"] = worst([answer["state"], *seen])
    write(status(session, Answered(answer, pid=os.getpid(), unwritten=monitor.unwritten), answer))
    return EXIT[answer["state"]]


def _head(session: Session, found: Answered, state: str, words: str, figures: Mapping[str, int]) -> str:
    """Return the first line. What is old has no figures: a graph would go on as if somebody looked."""
    shown = " | " + " ".join(f"{name}={number};;;0" for name, number in figures.items()) if found.watched else ""
    return f"INFRATEST MONITOR {state.upper()} - {place(session)}: {words}{source(found)}{shown}"


def _of_result(each: Mapping[str, Any]) -> list[str]:
    lines = [f"{each['state']} {each['id']}: {each['reason'] or 'no reason was given'}"]
    words = [] if each["state"] == OK and each["soft"] else [f"since {moment(each['since'])}"]
    if each["soft"]:
        words.append(f"not confirmed: seen {each['seen']}" + _failures(each))
    if each["blocked_by"]:
        words.append(f"blocked by {each['blocked_by']}")
    if each["level"] == "unstable":
        words.append("unstable: it changes again and again")
    if each["suppressed"]:
        words.append(f"nobody is told: {each['suppressed']}")
    return [*lines, f"  {'; '.join(words)}"]


def _failures(each: Mapping[str, Any]) -> str:
    """Return how many failures count by now, where it is known how many make it hard."""
    return f", failures {each['failures']}" if "failures" in each else ""


def _of_problem(each: Mapping[str, Any]) -> list[str]:
    lines = _of_result(each)
    blocks = each["blocks"]
    if blocks:
        more = f" and {len(blocks) - FEW} more" if len(blocks) > FEW else ""
        lines.append(f"  in the way of {len(blocks)}: {', '.join(blocks[:FEW])}{more}")
    return [*lines, *map(_told, each["told"])]


def _told(told: Mapping[str, Any]) -> str:
    name, level = told["receiver"], told["level"]
    words = f"  {name} knows it is {level}" if level != OK else f"  {name} was told nothing yet"
    if told["on_its_way"]:
        words += f"; on its way: {told['on_its_way']}"
    if told["tries"]:
        words += f", not taken {counted(told['tries'], 'time')}"
    return words + (", which may have arrived" if told["doubtful"] else "")


def _more(listed: list[Any]) -> list[str]:
    return [f"and {len(listed) - MANY} more; --format json has all"] if len(listed) > MANY else []


def _in(seconds: float) -> str:
    return f"in {human(seconds, 's')}" if seconds >= 0 else f"{human(-seconds, 's')} late"
