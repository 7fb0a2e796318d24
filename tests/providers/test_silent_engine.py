"""An engine that accepts and never answers, as one whose disk hangs: every verb ends in its time, and says why."""

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
    assert "Traceback" not in done.stderr
    assert monotonic() - begun < 20  # not a measure of speed: the engine's clients would wait for ever
