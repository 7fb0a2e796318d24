"""`infratest monitor ack`, `unack`, `pause`, `resume`, `note`: what people say to a monitor, running or not."""

from __future__ import annotations

from typing import Any

import click

from infratest.cleaning import clean
from infratest.cli._verb import VerbCommand
from infratest.cli.session import Time, with_session
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED
from infratest.units import human

#: Seconds that a pause lasts of which nobody says how long: what is forgotten ends by itself.
PAUSE = 3600.0


def say(session: Session, word: str, given: dict[str, Any], words: str, ready: Any = None) -> Any:
    """Say something to the monitor, tell that it was done in words, and return its answer.

    Args:
        words: with the answer's values in braces. ready: as `infratest.monitor.kept.asked`.
    """
    from infratest.monitor.kept import asked

    found = asked(session, word, given, ready)
    beside = "" if found.live else f"; no monitor runs: kept in {session.state.path} for the next one"
    click.echo(clean(words.format_map(found.answer) + beside, 2000))
    return found.answer


def lasting(seconds: float | None, otherwise: str) -> str:
    """Return for how long, in words."""
    return f"for {human(seconds, 's')}" if seconds is not None else otherwise


@click.command("ack", cls=VerbCommand, short_help="Say that you have a problem: nobody is told of it again.")
@click.argument("id")
@click.option("--for", "seconds", type=Time(), metavar="TIME", help="So long, as 4h (default: until it recovers).")
@click.option("--comment", required=True, metavar="TEXT", help="Why, or what you are about.")
@with_session(require_env=True, made_up=UNASKED)
def ack(session: Session, id: str, seconds: float | None, comment: str) -> int:
    """Acknowledge a hard problem, by the ID that `problems` shows. The login that asks stands by it: where
    several people share one, say in --comment who you are.

    Nobody is told of it again while that holds, unless it gets worse: until it recovers, or as long as --for says.
    Whoever was told of the problem is told that somebody has it where `on: [..., ack]` stands in the rule.

    Exit status: 0 done, 3 not done.
    """
    say(session, "ack", {"id": id, "for": seconds, "comment": comment},
        f"{{by}} has {{id}} ({{state}}) {lasting(seconds, 'until it recovers')}")  # fmt: skip
    return 0


@click.command("unack", cls=VerbCommand, short_help="Say that you have a problem no longer.")
@click.argument("id")
@with_session(require_env=True, made_up=UNASKED)
def unack(session: Session, id: str) -> int:
    """Take an acknowledgement back: as long as the problem lasts, people are told again as the rules have it.

    Exit status: 0 done, 3 not done.
    """
    say(session, "unack", {"id": id}, "nobody has {id} ({state})")
    return 0


@click.command("pause", cls=VerbCommand, short_help="Tell nobody anything for a while; looks go on.")
@click.argument("time", type=Time(), default=PAUSE, metavar="[TIME]")
@with_session(require_env=True, made_up=UNASKED)
def pause(session: Session, time: float) -> int:
    """Tell nobody anything for TIME, an hour where none is given. Looks go on, and what is so then is told afterwards.

    Exit status: 0 done, 3 not done.
    """
    say(session, "pause", {"for": time}, f"nobody is told anything {lasting(time, '')}, by {{by}}; "
        "`infratest monitor resume` ends it")  # fmt: skip
    return 0


@click.command("resume", cls=VerbCommand, short_help="End a pause: what is so now is told.")
@with_session(require_env=True, made_up=UNASKED)
def resume(session: Session) -> int:
    """End a pause: what is so now, and was not told meanwhile, is told.

    Exit status: 0 done, 3 not done.
    """
    from infratest.monitor.kept import asked

    found = asked(session, "resume")
    click.echo("people are told again" if found.answer["paused"] else "nothing was paused")
    return 0


@click.command("note", cls=VerbCommand, short_help="Keep a mark in history, as of a deployment.")
@click.argument("text")
@with_session(require_env=True, made_up=UNASKED)
def note(session: Session, text: str) -> int:
    """Keep a mark in history, for who asks later what changed. With --host it is about that host.

    Exit status: 0 done, 3 not done.
    """
    say(session, "note", {"text": text, "host": ",".join(session.host)}, "noted, about {host}: {text}"
        if session.host else "noted: {text}")  # fmt: skip
    return 0
