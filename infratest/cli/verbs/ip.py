"""`infratest ip`: a floating or elastic address for a host."""

from __future__ import annotations

import click

from infratest.cleaning import clean
from infratest.cli._lifecycle import changing, looking, say
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.lifecycle.ip import addresses, give, release
from infratest.project.session import Session
from infratest.stack.parameters import UNASKED

VERB = Verb(LIFE, 3.5)


@click.command("ip", cls=VerbCommand, short_help="Have a host at an address of its own: floating, elastic.")
@click.argument("name", required=False, metavar="[HOST]")
@click.option("--release", "releasing", is_flag=True, help="Give the address of the host back instead.")
@click.option("--pool", default="", help="Where it is taken from, as an external network (default: the first one).")
@with_session(made_up=UNASKED)
def command(session: Session, name: str | None, releasing: bool, pool: str) -> int:
    """Have a host that is there be at an address of the account's own (floating, elastic), and print the address.

    A host that has one keeps it. The address carries the stack's lease, and goes with its host, or by --release. An
    address that is to outlive its host is declared in the stack file, under `components:`; a host that is always to be
    reached by one says `address: floating` there. Without HOST the addresses of the stack are listed.

    \b
    infratest ip                     the addresses of the stack
    infratest ip web-1               web-1 has one from now on
    infratest ip web-1 --release     and has none any more

    Exit status: 0 done, 1 failed (with what was undone), 2 wrong use (also where the provider has no such addresses).
    """
    if not name:
        if releasing or pool:
            raise click.UsageError("ip: name the host that it is about")
        found = addresses(looking(session))
        for one in found:
            click.echo(clean(f"{one.name} {one.address}{f' for {one.host}' if one.host else ''}"))
        if not found:
            say("the stack has no address of its own; `infratest ip HOST` has one made")
        return 0
    if releasing:
        gone = changing(session, "ip", lambda life: release(life, name))
        say(f"{gone.outputs.get('address', gone.name)} was given back" if gone else f"{name} had no address of its own")
        return 0
    click.echo(clean(changing(session, "ip", lambda life: give(life, name, pool))))
    return 0
