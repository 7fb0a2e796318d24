"""`infratest learn`: facts of a host, written as a feature that is green on it."""

from __future__ import annotations

from dataclasses import replace

import click

from infratest.cleaning import clean
from infratest.cli._verb import WRITING, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import UserError, unknown
from infratest.learn.host import learn
from infratest.learn.subjects import SUBJECTS
from infratest.project.session import Session
from infratest.units import counted

VERB = Verb(WRITING, 5)

#: Seconds of a call, where `--timeout` says nothing else.
SECONDS = 120.0
#: Remarks of a kind that are shown.
SHOWN = 20


@click.command("learn", cls=VerbCommand, short_help="Write what is so on a host as a feature.")
@click.argument("place", metavar="HOST")
@click.option("--only", metavar="SUBJECT[,...]", default="",
              help=f"Only these: {', '.join(SUBJECTS)}.")  # fmt: skip
@with_session()
def command(session: Session, place: str, only: str) -> int:
    """Write what is so on a host as a feature, on standard output.

    \b
    infratest learn web-1 > features/web-1.feature
    infratest learn web-1 --only packages,services
    infratest learn local > features/this-machine.feature

    HOST is a host of the stack; `local` is this machine where there is no stack file. The host is asked for its
    packages, services, timers, listening ports, users, groups, mounts, sysctls and the files that say who may do what;
    each sentence is then asked of it, and those that hold are written, sorted. What changes by itself is left out:
    versions, process ids, sizes, counters, ports that the kernel chose. So are comments and passwords of accounts.

    What could not be read, or was not answered when it was asked, is told, and exit status 1 says that the feature may
    lack something: on a host without an init system it lacks all services.

    Exit status: 0 written, 1 in part or nothing, 2 wrong use.
    """
    wanted = [name.strip() for name in only.split(",") if name.strip()] or list(SUBJECTS)
    for name in wanted:
        if name not in SUBJECTS:
            raise UserError(f"--only: {unknown('subject', name, list(SUBJECTS))}")
    narrowed = replace(session, host=(place,))
    name = _named(narrowed, place)
    learned = learn(narrowed, name, wanted, session.deadline or Deadline(SECONDS))
    click.echo(learned.text, nl=False)
    for title, remarks in (("not known", learned.unknown), ("left out, for it did not hold", learned.dropped)):
        for words in remarks[:SHOWN]:
            click.echo(f"{title}: {clean(words, 400)}", err=True)
        if len(remarks) > SHOWN:
            click.echo(f"{title}: {len(remarks) - SHOWN} more", err=True)
    click.echo(f"{counted(learned.sentences, 'sentence')} learned from {name}", err=True)
    return 1 if learned.unknown or not learned.sentences else 0


def _named(session: Session, place: str) -> str:
    """Return the one host that is meant. Raises UserError."""
    chosen = session.selected([spec.name for spec in session.stack.hosts])
    if len(chosen) != 1:
        raise UserError(f"{place} means {', '.join(chosen) or 'no host'}: name one")
    return chosen[0]
