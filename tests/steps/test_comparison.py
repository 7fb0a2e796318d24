"""Sentences that compare hosts, on several of them, which are all this machine and print what their names are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds import small_project

STACK = """\
stack: one
provider: local
hosts:
  web: {count: 3, groups: [web]}
  db: {groups: [data]}
"""
FEATURE = """\
Feature: f
  Scenario: same
    Given the hosts in group "web"
    Then the file "/etc/passwd" is the same on all hosts
    And the kernel has the same version on all hosts
    And the distribution is the same on all hosts
    And the sysctl "kernel.ostype" is the same on all hosts
    And the command "echo x" prints the same on all hosts

  Scenario: each another
    Given the hosts in group "web"
    Then the command "echo {host.name}" prints something different on all hosts

  Scenario: one of them is another
    Given the hosts in group "web"
    Then the command "test {host.name} = web-3 && echo c || echo a" prints the same on all hosts

  Scenario: not each another
    Then the file "/etc/passwd" is different on all hosts

  Scenario: a group
    Then the command "echo {host.name} | tr -d 123" prints the same on all hosts in "web"
    And the command "echo {host.name}" prints something different on all hosts in "web"

  Scenario: a group in which they differ
    Then the command "echo {host.name}" prints the same on all hosts in "web"

  Scenario: one host
    Given the host "db"
    Then the file "/etc/passwd" is the same on all hosts
"""


def test_hosts_are_compared(tmp_path: Path):
    small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE})
    done = small_project.run(tmp_path, "infratest", "test", "-v")
    said = done.stdout
    assert done.returncode == 2, said + done.stderr
    for line in (
        "✓ same\n",
        "✓ each another\n",
        "✗ one of them is another  critical",
        'it differs: "a" on web-1, web-2; "c" on web-3',
        "✗ not each another  critical",
        "✓ a group\n",
        "✗ a group in which they differ  critical",
        'it differs: "web-1" on web-1; "web-2" on web-2; "web-3" on web-3',
        "on web-1, web-2, web-3, db",
        "? one host  unknown",
        "it was looked at on 1 host alone: there is nothing to compare",
    ):
        assert line in said
    assert "CRITICAL  one: 3 critical, 1 unknown, 3 ok" in said


@pytest.mark.parametrize("end", ['on "web-1"', "on exactly one host", "on no host", "within"])
def test_it_is_said_of_all_hosts_or_not_at_all(tmp_path: Path, end: str):
    text = f'Feature: f\n  Scenario: s\n    Then the file "/etc/passwd" is the same on all hosts {end}\n'
    small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": text})
    for verb in ("lint", "test"):
        done = small_project.run(tmp_path, "infratest", verb)
        assert done.returncode in (1, 3), done.stdout
        assert "leave out the `on`" in done.stdout or end == "within"
