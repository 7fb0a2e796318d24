"""Processes of a name that nobody else has, started for the case and let go on after it."""

from pathlib import Path

from infratest.acts.pause import GO_ON
from infratest.testing.acts import Case
from tests.contracts.cases.acts.process import NAME, running


def undoes() -> tuple[str, ...]:
    """Return the command that lets the processes of the name go on."""
    commands = ((path.parent.name, path.read_text()) for path in Path("/proc").glob("[0-9]*/comm"))
    found = [pid for pid, command in commands if command.strip() == NAME[:15]]
    return ("sh", "-c", GO_ON, "sh", *sorted(found, key=int))


CASE = Case(
    works={"name": NAME},
    fails={"name": "no-process-has-this-name"},
    undoes=undoes,
    refused=[{"name": ""}, {"name": "a\0b"}],
    world=running,
)
