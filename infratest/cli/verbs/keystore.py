"""`infratest keystore`: the key pairs that the provider's account keeps."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.table import Table
from rich.text import Text

from infratest.cleaning import clean
from infratest.cli import _streams
from infratest.cli._lifecycle import changing, looking, say
from infratest.cli._verb import LIFE, ListedFirst, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.lifecycle.keystore import IMPORTED, KEPT, listed, sync
from infratest.project.session import Session

VERB = Verb(LIFE, 3.7)

#: Whether a key of the store is the one that this stack logs in with.
SAME = {True: "the same", False: "another", None: "not known"}


@click.group("keystore", cls=ListedFirst, short_help="Look at the provider's key store, and put the stack's key there.")
def command() -> None:
    """List the key pairs that the provider's account keeps, or have the stack's own one be there.

    `up` imports it with the first host and `destroy` removes it with the last one, where the provider has such a store
    (of the clouds EC2).
    """


@command.command("list", cls=VerbCommand, short_help="List the key pairs in the provider's store.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json.")
@with_session()
def list_command(session: Session, form: str) -> int:
    """List the key pairs in the provider's store, in each region of the stack: whose each is, and whether it is the key
    that this stack logs in with (`not known` where the store tells too little).

    Exit status: 0 shown, 1 the provider could not be asked, 2 wrong use (also where it has no key store).
    """
    found = listed(looking(session))
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
        return 0
    if not found:
        say("the key store is empty")
        return 0
    table = Table("name", "region", "fingerprint", "whose", "the stack's key", box=None, pad_edge=False)
    for one in found:
        cells = (one.name, one.region, one.fingerprint, one.whose, SAME[one.same])
        table.add_row(*(Text(clean(cell, 300), overflow="fold") for cell in cells))
    _streams.console(session.colour).print(table)
    return 0


@command.command("sync", cls=VerbCommand, short_help="Have the stack's key in the provider's store.")
@click.option("--overwrite", is_flag=True, help="Put it in the place of another key of its name.")
@with_session()
def sync_command(session: Session, overwrite: bool) -> int:
    """Import the stack's public key into the provider's store where it is missing, as after somebody removed it.

    One that is there is left; another key under the stack's name is refused, unless --overwrite. No other key is
    touched.

    Exit status: 0 it is there, 1 failed (with what was undone), 2 wrong use (also where there is no key store).
    """
    stored, done = changing(session, "keystore-sync", lambda life: sync(life, overwrite=overwrite))
    if done == KEPT:
        say(f"{stored.name} is there already{'' if stored.labels else ', without a lease: `destroy` will leave it'}")
    else:
        say(f"{stored.name} was {'imported' if done == IMPORTED else 'put in the place of another key of that name'}")
    return 0
