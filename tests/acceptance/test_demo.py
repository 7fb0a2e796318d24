"""The demo, whole, as a user runs it: every phase looked at from outside, and nothing left behind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.hosts


def containers():
    from infratest.deadline import Deadline
    from infratest.providers._container_engine import find

    engine = find("auto", Deadline(20))
    listed = engine.run(["ps", "-a", "--filter", "label=infratest.stack=shop", "-q"], Deadline(20))
    return set(listed.split())


def test_demo_ends_well_and_leaves_nothing(tmp_path):
    before = containers()
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
    assert containers() == before


def test_demo_fails_when_a_phase_does(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    program = str(Path(sys.executable).with_name("infratest"))
    done = subprocess.run([program, "demo"], capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 1
    assert "not as it must be" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
