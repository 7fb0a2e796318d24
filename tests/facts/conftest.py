"""Runs the snippets of facts for real, on this machine, under each shell that a host may have as `sh`."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from infratest.facts.base import Answer
from infratest.registry import get

#: A shell's argument list, and whether busybox's own programs come first in PATH, as on Alpine.
SHELLS = {
    "dash": (["dash"], False),
    "bash": (["bash", "--posix"], False),
    "mksh": (["mksh"], False),
    "busybox": (["busybox", "sh"], True),
}


@pytest.fixture(scope="session")
def busybox_programs(tmp_path_factory):
    """A folder with a link to busybox for each of its programs."""
    folder = tmp_path_factory.mktemp("busybox")
    busybox = shutil.which("busybox")
    assert busybox, "busybox is needed: apt-get install busybox mksh"
    for name in subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split():
        (folder / name).symlink_to(busybox)
    return folder


@pytest.fixture(params=SHELLS)
def run(request, busybox_programs):
    """Ask a fact under one shell: `run("file", ("/etc/hosts",))` returns its Answer."""
    shell, bare = SHELLS[request.param]
    assert shutil.which(shell[0]), f"{shell[0]} is needed: apt-get install busybox mksh"
    path = f"{busybox_programs}:{os.environ['PATH']}" if bare else os.environ["PATH"]

    def answered(name, *arguments, only=None, as_user=None):
        snippet = get("fact", name)().ask(arguments)
        done = subprocess.run(
            [shutil.which(shell[0]), *shell[1:], "-c", snippet],
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
    answered.programs = busybox_programs
    return answered


@pytest.fixture
def look(run):
    """Ask a fact under one shell and read it: argument -> value."""

    def looked(name, *arguments, **how):
        return get("fact", name)().read(run(name, *arguments, **how), arguments)

    return looked
