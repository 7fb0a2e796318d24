"""`infratest provision`: the provisioners of hosts that are up."""

from __future__ import annotations

import click

from infratest.cli._lifecycle import changing, keep_parameters, names, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.provision import log_path, provision
from infratest.project.session import Session
from infratest.provisioners.base import provisioners

VERB = Verb(LIFE, 2)


@click.command("provision", cls=VerbCommand, short_help="Run the provisioners of hosts that are up.")
@click.option("--dry-run", is_flag=True, help="Say what would be run where, and do nothing.")
@with_session()
def command(session: Session, dry_run: bool) -> int:
    """Run the `provision:` list of each host, in order; hosts that are `after` others come after them.

    `shell` runs a script on the host as root (by sudo where the login is not root's); a `#!` line chooses the
    interpreter, else sh. It finds in its environment:

    \b
    INFRATEST_STACK, INFRATEST_ENV, INFRATEST_HOST, INFRATEST_ADDRESS
    INFRATEST_ADDRESS_WEB_1   the address of host web-1, and so for every host
    INFRATEST_HOSTS           a line a host: name, address, groups
    INFRATEST_PARAM_NAME      the parameter `name`, and so for every parameter

    `file` puts a file on the host, unless it is there with the same content and mode. What scripts print is shown as it
    comes (on a terminal the last line, with -v all of it) and kept in the state directory under logs/. Write scripts so
    that a second run changes nothing. Values of -D are kept with the stack, as `up` does.

    Exit status: 0 done, 1 a script failed (with its last lines), 2 wrong use, 130 after Ctrl-C.
    """
    if dry_run:
        chosen = names(session)
        specs = [spec for spec in session.stack.hosts if chosen is None or spec.name in chosen]
        folder = session.stack.folder
        planned = [(spec.name, one) for spec in specs for one in provisioners(spec.provision, folder, spec.where)]
        lines = [f"{name}: {one.describe()}" for name, one in planned]
        return would(lines, "nothing: no host has `provision:`")

    def work(life: Lifecycle) -> list[str]:
        done = provision(life, names(session))
        keep_parameters(session)
        return done

    done = changing(session, "provision", work)
    say(f"provisioned: {', '.join(done)}" if done else "nothing to do: no host has `provision:`")
    if done:
        say(f"what was printed is in {log_path(session.state, 'HOST')}")
    return 0
