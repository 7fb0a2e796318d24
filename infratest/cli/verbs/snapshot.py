"""`infratest snapshot`: hosts kept as they are under a name, and brought back."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.table import Table
from rich.text import Text

from infratest.cli import _streams
from infratest.cli._lifecycle import changing, looking, names, say
from infratest.cli._verb import LIFE, Verb, VerbCommand, Words
from infratest.cli.session import with_session
from infratest.lifecycle.snapshot import delete, listed, restore, save
from infratest.project.session import Session

VERB = Verb(LIFE, 3.4)


@click.group("snapshot", cls=Words, short_help="Keep hosts as they are, and bring them back.")
def command() -> None:
    """Keep the hosts of the stack as they are under a name, bring them back, list what is kept, or forget it.

    What a provider keeps of a running host, its memory too or its disk alone, `snapshot list` says.
    """


@command.command("save", cls=VerbCommand, short_help="Keep the hosts under a name.")
@click.argument("name")
@with_session()
def save_command(session: Session, name: str) -> int:
    """Keep the hosts as they are under NAME; all of them, or none where one fails.

    Exit status: 0 done, 1 failed, 2 wrong use (also where the provider keeps no snapshots).
    """
    kept = changing(session, "snapshot-save", lambda life: save(life, name, names(session)))
    say(f"kept as {name}: {', '.join(kept)}")
    return 0


@command.command("restore", cls=VerbCommand, short_help="Bring the hosts back as they were kept.")
@click.argument("name")
@click.option("--yes-production", is_flag=True, help="Yes, also on a stack that says `production: true`.")
@with_session()
def restore_command(session: Session, name: str, yes_production: bool) -> int:
    """Bring the hosts back as they were kept under NAME. What they hold since then is lost.

    A host that has no such snapshot is told before any is touched; --host leaves it out. Hosts that run afterwards
    are waited for, as after `up`.

    Exit status: 0 done, 1 failed, 2 wrong use (also where the provider keeps no snapshots).
    """
    done = changing(
        session,
        "snapshot-restore",
        lambda life: restore(life, name, names(session), yes_production=yes_production),
    )
    say(f"restored {name}: {', '.join(done)}")
    return 0


@command.command("delete", cls=VerbCommand, short_help="Forget a snapshot.")
@click.argument("name")
@with_session()
def delete_command(session: Session, name: str) -> int:
    """Forget what is kept under NAME; the hosts stay as they are.

    Exit status: 0 done, 1 failed, 2 wrong use (also where the provider keeps no snapshots).
    """
    gone = changing(session, "snapshot-delete", lambda life: delete(life, name, names(session)))
    say(f"forgotten {name}: {', '.join(gone)}")
    return 0


@command.command("list", cls=VerbCommand, short_help="List what is kept.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json.")
@with_session()
def list_command(session: Session, form: str) -> int:
    """List the snapshots of the hosts, the oldest first; of a running one the memory is kept too.

    Exit status: 0 shown, 1 the provider could not be asked, 2 wrong use (also where it keeps no snapshots).
    """
    kept = listed(looking(session), names(session))
    if form == "json":
        click.echo(json.dumps({host: [asdict(one) for one in each] for host, each in kept.items()}, indent=2))
        return 0
    if not any(kept.values()):
        say("no snapshot is kept")
        return 0
    table = Table("host", "snapshot", "taken", "of", box=None, pad_edge=False)
    for host, each in kept.items():
        for one in each:
            moment = datetime.fromtimestamp(one.taken, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            table.add_row(Text(host), Text(one.name), Text(moment), Text("disk and memory" if one.running else "disk"))
    _streams.console(session.colour).print(table)
    return 0
