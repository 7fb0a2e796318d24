"""`infratest provision`: the provisioners of hosts that are up."""

from __future__ import annotations

import inspect
from functools import cached_property
from textwrap import dedent

import click

from infratest import outsiders
from infratest.cli._lifecycle import changing, keep_parameters, names, say, would
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import InfratestError
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.provision import log_path, provision
from infratest.project.session import Session
from infratest.provisioners.base import provisioners

VERB = Verb(LIFE, 2)
#: Stands in the help for what the provisioners say of themselves.
PROVISIONERS = "PROVISIONERS"


class ProvisionCommand(VerbCommand):
    """Its help says what each provisioner does that there is, in that one's own words."""

    @property
    def help(self) -> str:
        return self._text.replace(PROVISIONERS, self._provisioners)

    @help.setter
    def help(self, text: str | None) -> None:
        self._text = inspect.cleandoc(text or "")

    @cached_property
    def _provisioners(self) -> str:
        return "\n\n".join(map(_own_words, outsiders.names("provisioner")))


def _own_words(name: str) -> str:
    """Return what a provisioner says of itself, in click's form: a paragraph that keeps its lines begins with `\\b`."""
    try:
        words = inspect.getdoc(outsiders.get("provisioner", name)) or f"`{name}` says nothing of itself."
    except (InfratestError, ImportError) as error:
        words = f"`{name}` cannot be loaded: {error}"
    parts = words.split("\n\n")
    return "\n\n".join(f"\b\n{dedent(part)}" if part.startswith("    ") else part for part in parts)


@click.command("provision", cls=ProvisionCommand, short_help="Run the provisioners of hosts that are up.")
@click.option("--dry-run", is_flag=True, help="Say what would be run where, and do nothing.")
@with_session()
def command(session: Session, dry_run: bool) -> int:
    """Run the `provision:` list of each host, in order; hosts that are `after` others come after them.

    PROVISIONERS

    What scripts print is shown as it comes (on a terminal the last line, with -v all of it) and kept in the state
    directory under logs/. Write scripts so that a second run changes nothing. Values of -D are kept with the stack, as
    `up` does.

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
        say(f"what was printed is in {log_path(session.state, session.stack.place, 'HOST')}")
    return 0
