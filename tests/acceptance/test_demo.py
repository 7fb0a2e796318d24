"""The demo, whole, as a user runs it: every phase looked at from outside, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

pytestmark = pytest.mark.hosts


@pytest.fixture
def owner(monkeypatch):
    """Whose the demo's resources are: other tests may have a stack of the same name up at the same time."""
    name = f"demo-{uuid.uuid4().hex}"
    monkeypatch.setenv("INFRATEST_OWNER", name)
    return name


def resources(owner):
    from infratest.deadline import Deadline
    from infratest.providers.container.engine import find

    engine = find("auto", Deadline(20))
    label = ["--filter", f"label=infratest.owner={owner}", "-q"]
    return [engine.run([*words, *label], Deadline(20)).split() for words in (["ps", "-a"], ["network", "ls"])]


def test_demo_ends_well_and_leaves_nothing(tmp_path, owner):
    program = str(Path(sys.executable).with_name("infratest"))
    done = subprocess.run(
        [program, "demo", "--keep", str(tmp_path / "demo")],
        capture_output=True, encoding="utf-8", timeout=420, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    titles = re.findall(r"── \d/8 (\w+):", done.stdout)
    assert titles == ["up", "red", "provision", "green", "monitor", "break", "heal", "destroy"]
    assert "healed: restart-service nginx, was CRITICAL" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert resources(owner) == [[], []]


@pytest.mark.parametrize(
    ("number", "status", "phase"),
    [
        (signal.SIGTERM, 143, "making (host)"),
        # A verb that has said something: Python itself writes a traceback where Ctrl-C meets its imports.
        (signal.SIGINT, 130, "web-1: connecting"),
        (signal.SIGHUP, 129, "made (host)"),
    ],
)
def test_demo_that_is_told_to_stop_leaves_nothing(tmp_path, owner, number, status, phase):
    program = str(Path(sys.executable).with_name("infratest"))
    seen = ""
    with subprocess.Popen(
        [program, "demo"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        env={**os.environ, "TMPDIR": str(tmp_path)}, start_new_session=True,
    ) as process:  # fmt: skip
        for line in process.stdout:
            seen += line
            if phase in line:
                assert [] not in resources(owner) or phase == "making (host)"
                # Ctrl-C goes to all of a terminal; whoever cancels a job tells the one process that he knows.
                (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
                phase = "never again"
    assert (process.returncode, "not as it must be: interrupted" in seen) == (status, True), seen
    assert "Traceback" not in seen
    assert resources(owner) == [[], []]
    assert list(tmp_path.iterdir()) == []


def test_demo_fails_when_a_phase_does(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    program = str(Path(sys.executable).with_name("infratest"))
    done = subprocess.run([program, "demo"], capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 1
    assert "not as it must be" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
