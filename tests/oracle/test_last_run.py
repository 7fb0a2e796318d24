"""What was since the last run, of a real journal: runs one after the other, between which a unit says something."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.oracle.world import inside, running_world

FEATURE = """\
Feature: f
  Scenario: quiet
    Then the journal of "talks" since the last run has no line matching "error"
  Scenario: talks
    Then the journal of "talks" since the last run has a line
  Scenario: counted
    Then the journal of "talks" since the last run has at least 2 lines
  Scenario: all
    Then the journal since the last run has at most 1 line matching "an error"
  Scenario: none
    Then the journal since the last run with priority "emerg" or worse has no line
  Scenario: of all
    Then the journal since the last run has less than 9000000 lines
"""
NAMES = ("quiet", "talks", "counted", "all", "none", "of all")
SET_UP = r"""
mkdir -p /srv/project/features
cd /srv/project
printf 'stack: s\nprovider: local\nhosts: {it: {}}\n' >stack.yaml
printf '[Service]\nType=oneshot\nExecStart=/bin/echo "an error"\nExecStart=/bin/echo more\n' \
  >/etc/systemd/system/talks.service
systemctl start systemd-journald dbus
systemctl daemon-reload
"""


@pytest.fixture(scope="module")
def world():
    with running_world() as pid:
        subprocess.run(inside(pid, ["sh", "-euc", SET_UP]), check=True)
        place = Path(f"/proc/{pid}/root/srv/project")
        (place / "features/x.feature").write_text(FEATURE)
        yield pid, place


def run(world):
    """Run the feature, and return the state of each scenario and the reasons."""
    pid, place = world
    program = Path(sys.executable).with_name("infratest")
    words = ["env", "-C", "/srv/project", "HOME=/root", str(program), "check", "--format", "json:report.json"]
    subprocess.run(inside(pid, words), capture_output=True, check=False, timeout=60)
    results = json.loads((place / "report.json").read_text())["results"]
    (place / "report.json").unlink()
    found = {one["scenario"]: (one["state"], one["reason"]) for one in results}
    return [found[name][0] for name in NAMES], found


def test_a_window_begins_with_the_last_run(world):
    pid, _ = world
    states, reasons = run(world)
    assert states == ["unknown"] * 6, reasons
    assert "it is known from the next run on" in reasons["quiet"][1]
    states, reasons = run(world)
    assert states == ["ok", "critical", "critical", "ok", "ok", "ok"], reasons
    subprocess.run(inside(pid, ["systemctl", "start", "talks"]), check=True)
    spoke = time.time()
    # A window begins up to two seconds before the last run, so that nothing at its edge is missed.
    assert wait_until(lambda: time.time() > spoke + 4)
    states, reasons = run(world)
    assert states == ["critical", "ok", "ok", "ok", "ok", "ok"], reasons
    assert "an error" in reasons["quiet"][1]
    states, reasons = run(world)
    assert states == ["ok", "critical", "critical", "ok", "ok", "ok"], reasons
