"""Trends in runs one after the other, on a real disk, with readings that are made older between the runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.worlds import small_project

STACK = "stack: one\nprovider: local\nhosts: {here: {}}\n"
FEATURE = """\
Feature: f
  Scenario: bytes
    Then the disk "/" is full in more than 7 days
  Scenario: soon
    Then the disk "/" is full in less than 7 days
  Scenario: everywhere
    Then the disk "/" is full in more than 7 days at minimum over all hosts
"""
LABEL = "disk / used bytes"


def checked(project: Path, *words: str):
    """Run a check, and return the state and the reason of each scenario."""
    done = small_project.run(project, "infratest", "check", "--timeout", "60s", "--format", "json", *words)
    report = json.loads(done.stdout)
    return {one["scenario"]: (one["state"], one["reason"]) for one in report["results"]}, report


def age(project: Path, days: int, growth: float) -> None:
    """Put readings of days before into what a run has kept: one a day, by so much less each."""
    path = project / ".infratest" / "readings-one.json"
    document = json.loads(path.read_text())
    ((time, used), *_) = document["readings"]["here"][LABEL]
    document["readings"]["here"][LABEL] = [[time - day * 86400, used - growth * day] for day in range(days, -1, -1)]
    path.write_text(json.dumps(document))


def test_a_disk_that_fills(tmp_path: Path):
    small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE})
    states, report = checked(tmp_path)
    assert {state for state, _ in states.values()} == {"unknown"}
    assert "1 of at least 8 readings" in states["bytes"][1]
    (step,) = report["results"][0]["steps"]
    assert [(one["name"], one["value"] is None) for one in step["observations"]] == [
        ("disk / full in", True),
        (LABEL, False),
    ]
    free = os.statvfs("/").f_bavail * os.statvfs("/").f_frsize
    age(tmp_path, 9, free / 100)  # a hundredth of what is free each day: full in about 100 days
    states, _ = checked(tmp_path)
    assert {name: state for name, (state, _) in states.items()} == {
        "bytes": "ok",
        "soon": "critical",
        "everywhere": "ok",
    }
    assert "by 11 readings over 9 days" in states["soon"][1]
    age(tmp_path, 9, free / 3)  # full in about three days
    states, _ = checked(tmp_path)
    assert {name: state for name, (state, _) in states.items()} == {
        "bytes": "critical",
        "soon": "ok",
        "everywhere": "critical",
    }


def test_the_check_program_keeps_readings_and_is_told_of_them(tmp_path: Path):
    text = 'Feature: f\n  Scenario: s\n    Then the disk "/" is full in more than 7 days\n'
    small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": text})
    words = ("check_infratest", "-t", "60", "-v")
    for turn in (1, 2):
        done = small_project.run(tmp_path, *words)
        assert done.returncode == 3, done.stdout
        assert f"{turn} of at least 8 readings" in done.stdout
    age(tmp_path, 9, 0)
    done = small_project.run(tmp_path, *words)
    assert done.returncode == 0, done.stdout
    assert "'disk / full in'=" in done.stdout
    assert "'disk / used bytes'=" in done.stdout
    (tmp_path / ".infratest" / "readings-one.json").write_text('{"schema": 1, "readings": {"here": {"disk')
    done = small_project.run(tmp_path, *words)
    assert done.returncode == 3
    assert "is damaged: readings are kept anew from this run on" in done.stdout
    done = small_project.run(tmp_path, *words)
    assert "2 of at least 8 readings" in done.stdout, done.stdout


def test_without_a_state_directory_it_is_unknown(tmp_path: Path):
    text = 'Feature: f\n  Scenario: s\n    Then the disk "/" is full in more than 7 days\n'
    small_project.write(tmp_path, {"x.feature": text})
    done = small_project.run(tmp_path, "infratest", "check", "--host", "local", "--timeout", "60s", "x.feature")
    assert done.returncode == 3
    assert "nothing is kept without a state directory; name one with --state" in done.stdout
    assert not (tmp_path / ".infratest").exists()
