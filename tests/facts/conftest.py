"""Runs the snippets of facts for real, on this machine, under each shell that a host may have as `sh`."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.facts.base import Answer
from infratest.outsiders import get
from tests.worlds.shells import SHELLS, busybox_programs, shell
from tests.worlds.tls_servers import Authority, authority


@pytest.fixture(params=SHELLS)
def run(request):
    """Ask a fact under one shell: `run("file", ("/etc/hosts",))` returns its Answer."""
    words, path = shell(request.param)

    def answered(name, *arguments, only=None, as_user=None):
        snippet = get("fact", name)().ask(arguments)
        done = subprocess.run(
            [*words, "-c", snippet],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": str(only) if only else path, "LC_ALL": "C"},
            user=as_user,
            timeout=20,
        )
        return Answer(
            exit=done.returncode, out=done.stdout.decode("utf-8", "replace"), err=done.stderr.decode("utf-8", "replace")
        )

    answered.shell = request.param
    answered.programs = busybox_programs()
    return answered


@pytest.fixture
def look(run):
    """Ask a fact under one shell and read it: argument -> value."""

    def looked(name, *arguments, **how):
        return get("fact", name)().read(run(name, *arguments, **how), arguments)

    return looked


@pytest.fixture(scope="session")
def made() -> Iterator[Authority]:
    """Certificates of the tests in a folder that servers' own accounts may read, where pytest's are closed."""
    with tempfile.TemporaryDirectory() as folder:
        yield authority(Path(folder))
