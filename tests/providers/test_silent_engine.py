"""An engine that accepts and never answers, or no more, as one whose disk hangs: every verb ends in its time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

INFRATEST = str(Path(sys.executable).with_name("infratest"))


@pytest.fixture
def project() -> Iterator[Path]:
    # A short path: a unix socket's is at most 107 bytes long.
    with tempfile.TemporaryDirectory(prefix="silent-") as folder, socket.socket(socket.AF_UNIX) as engine:
        engine.bind(f"{folder}/docker.sock")
        engine.listen(50)
        (Path(folder) / "stack.yaml").write_text(
            "stack: shop\nprovider: {name: container, engine: docker}\nhosts: {web: {image: debian-12}}\n"
        )
        yield Path(folder)


@pytest.mark.parametrize("verb", ["up", "destroy", "status", "reap", "halt"])
def test_each_verb_ends_in_its_time(project: Path, verb: str) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{project}/docker.sock"}
    # One that has never made anything asks nobody.
    (project / ".infratest").mkdir(mode=0o700)
    (project / ".infratest" / "id").write_text("0123456789abcdef\n")
    begun = monotonic()
    done = subprocess.run(
        [INFRATEST, verb, "--timeout", "3s"], cwd=project, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no container engine is usable" in done.stderr
    assert "docker.sock: `" in done.stderr  # who did not answer, then in which words it was ended
    assert "Traceback" not in done.stderr
    assert monotonic() - begun < 20  # not a measure of speed: the engine's clients would wait for ever


def test_who_names_dockers_socket_means_no_other_engine(project: Path) -> None:
    """A stack of that engine must not be looked for, or made, in another one that happens to be there."""
    (project / "bin").mkdir()
    for name in ("docker", "podman"):
        client = project / "bin" / name
        client.write_text(f'#!/bin/sh\n[ {name} = podman ] && echo \'{{"version": "4"}}\' && exit; exit 1\n')
        client.chmod(0o755)
    path = f"{project}/bin:{os.environ['PATH']}"
    environment = {**os.environ, "DOCKER_HOST": f"unix://{project}/nobody.sock", "PATH": path}
    done = subprocess.run(
        [INFRATEST, "box", "list"], cwd=project, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "provider container could not be asked: no container engine is usable" in done.stderr


@pytest.mark.parametrize("words", [("up",), ("up", "--dry-run"), ("destroy",), ("status",), ("run", "web", "true")])
def test_one_that_is_silent_after_its_first_answer(project: Path, words: tuple[str, ...]) -> None:
    """Its client waits for ever where it answers nothing; each call of it is on record, and none is left running."""
    (project / "bin").mkdir()
    client = project / "bin" / "docker"
    client.write_text(
        f"#!/bin/sh\necho $$ >>{project}/asked\n"
        'case $1 in info) echo \'{"ServerVersion": "27.0"}\';; *) exec sleep 300;; esac\n'
    )
    client.chmod(0o755)
    path = f"{client.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "DOCKER_HOST": f"unix://{project}/docker.sock", "PATH": path}
    (project / ".infratest").mkdir(mode=0o700)
    (project / ".infratest" / "id").write_text("0123456789abcdef\n")
    done = subprocess.run(
        [INFRATEST, words[0], "--timeout", "2s", *words[1:]], cwd=project, env=environment, capture_output=True,
        text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "give it more with --timeout" in done.stderr
    asked = (project / "asked").read_text().split()
    assert len(asked) > 1
    assert not [pid for pid in asked if Path(f"/proc/{pid}").exists()]
