"""Clocks of several hosts, each behind an sshd of its own: on one, `date` tells another time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds import small_project
from tests.worlds.sshd import running_sshd

FEATURE = """\
Feature: f
  Scenario: alike
    Given the hosts in group "right"
    Then the clocks are less than 1 min apart, named "right"
    And the command "sleep 1.5" exits 0 on all hosts
    And the clocks are less than 1 s apart, named "right"

  Scenario: one is ahead
    Then the clocks are more than 59 min apart, warning 59.5 min
    And the clocks are less than 59 min apart

  Scenario: seconds alone
    Then the clocks are less than 30 s apart on all hosts in "coarse"
    And the clocks are less than 10 ms apart on all hosts in "coarse"
"""
STACK = """\
stack: one
provider: {{name: existing, known-hosts: {known}, config: none, agent: false}}
hosts:
  web-1: {{ {first}, groups: [right, coarse]}}
  web-2: {{ {first}, groups: [right]}}
  ahead: {{ {second} }}
  coarse: {{ {third}, groups: [coarse]}}
"""


def date_in(folder: Path, words: str) -> str:
    """Make a folder with a `date` that is another one, and return a PATH that it comes first in."""
    folder.mkdir()
    (folder / "date").write_text(f"#!/bin/sh\n{words}\n")
    (folder / "date").chmod(0o755)
    return f'PATH="{folder}:/usr/bin:/bin"'


@pytest.fixture
def project(tmp_path: Path):
    ahead = date_in(tmp_path / "ahead", 'exec /usr/bin/date -d "+1 hour" "$@"')
    coarse = date_in(tmp_path / "coarse", "exec /usr/bin/date '+%s %%N'")
    with (
        running_sshd(tmp_path / "1") as first,
        running_sshd(tmp_path / "2", SetEnv=ahead) as second,
        running_sshd(tmp_path / "3", SetEnv=coarse) as third,
    ):
        places = [
            f"address: 127.0.0.1, port: {one.port}, user: {one.user}, key: {one.key}" for one in (first, second, third)
        ]
        known = tmp_path / "known_hosts"
        known.write_text("".join(one.known_hosts.read_text() for one in (first, second, third)))
        stack = STACK.format(known=known, first=places[0], second=places[1], third=places[2])
        yield small_project.write(tmp_path / "p", {"stack.yaml": stack, "features/x.feature": FEATURE})


def test_how_far_clocks_are_apart(project: Path):
    done = small_project.run(project, "infratest", "test", "-v")
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "✓ alike" in lines
    assert 'the clocks are less than 1 s apart, named "right"' in done.stdout
    assert "✓ the clocks are more than 59 min apart, warning 59.5 min  clocks apart 60 min" in done.stdout
    assert "✗ the clocks are less than 59 min apart" in done.stdout
    assert "apart: ahead 60 min, " in done.stdout
    assert '✓ the clocks are less than 30 s apart on all hosts in "coarse"' in done.stdout
    assert '? the clocks are less than 10 ms apart on all hosts in "coarse"' in done.stdout
    assert "finer it could not be told; expected less than 10 ms" in done.stdout
    assert "4 logins · 4 round trips" in done.stdout
