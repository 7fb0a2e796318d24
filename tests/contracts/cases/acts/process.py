"""Processes of a name that nobody else has, started for the case."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.acts import Case

NAME = f"doomed-{os.getpid()}"


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """Have a process of that name while this lasts."""
    program = folder / NAME
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


CASE = Case(
    works={"name": NAME},
    fails={"name": "no-process-has-this-name"},
    refused=[{"name": ""}, {"name": "a\0b"}],
    world=running,
)
