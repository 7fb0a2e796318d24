"""Which hosts a sentence is about, run for real: `on`, `from`, `--host`, and how hosts are counted."""

from __future__ import annotations

import pytest

from infratest.hosts import Host
from infratest.plan.planner import plan
from infratest.states import OK, UNKNOWN, WARNING
from infratest.values import Values


def states(report):
    return {result.id.partition("#")[2] or result.id: (result.state, result.blocked_by) for result in report.results}


def local(name, **more):
    """This machine, asked by script over a transport, as another host would be."""
    return Host(name=name, transport="fake", options={"otherwise": "run"}, **more)


@pytest.mark.parametrize("end", ['from "b"', 'from every host in "g"'])
def test_what_a_host_holds_is_not_looked_at_on_another(ran, end):
    hosts = [local("a"), local("b", groups=("g",))]
    for sentence in ("port 1 is not listening", 'the file "/nonexistent" does not exist'):
        report = ran(f'Feature: f\n  Scenario: s\n    Given the host "a"\n    Then {sentence} {end}', hosts=hosts)
        assert report.state == UNKNOWN
        assert "seen on its own host alone" in report.results[0].reason
    assert ran(f'Feature: f\n  Scenario: s\n    Then the command "true" exits 0 {end}', hosts=hosts).state == OK


def test_hosts_on_which_it_does_not_hold_do_not_count_in_a_scenario_tagged_warning(ran):
    report = ran(
        """
        Feature: f
          @warning
          Scenario: on none
            Then the file "/nonexistent" exists on at least 2 hosts
          @warning
          Scenario: on all
            Then the file "/etc/passwd" exists on at least 2 hosts
          Scenario: mildly
            Then the command "echo 3" prints a number less than 9, warning 2 on at least 1 host
        """,
        hosts=[local("a"), local("b")],
    )
    assert states(report) == {"on-none@-": (WARNING, None), "on-all@-": (OK, None), "mildly@-": (WARNING, None)}


@pytest.mark.parametrize(
    "lines, words",
    [
        ('When the command "true" is run on exactly one host', "which host is meant?"),
        ('When the command "true" is run on no host', "which host is meant?"),
        ('Then the file "/etc/passwd" exists on at least 0 hosts', "always holds"),
        ('Then the file "/etc/passwd" exists on at least 0 % of the hosts', "always holds"),
        ('Then the file "/etc/passwd" exists on at most 100 % of the hosts', "always holds"),
        ('Then the file "/etc/passwd" exists on at least 101 % of the hosts', "write a number from 0 to 100"),
        ('Then the file "/etc/passwd" exists on no host in "none"', "unknown group 'none'"),
        ('Then the disk "/" is less than 90 % full in total over all hosts', "do not add up"),
        ('Then "http://x.test/" answers 200 on average over all hosts', "undefined"),
        (
            'Then the file "/etc/{host.name}" is less than 9 B in size in total over all hosts',
            "its number has another name on each host",
        ),
    ],
)
def test_what_names_no_host_is_refused(ran, lines, words):
    then = '    Then the file "/etc/passwd" exists\n' if lines.startswith("When") else ""
    report = ran(f"Feature: f\n  Scenario: s\n    {lines}\n{then}", hosts=[local("a"), local("b")])
    assert report.state == UNKNOWN
    assert words in report.results[0].reason


def test_what_is_said_of_all_hosts_is_not_narrowed_by_host_and_what_is_done_is(parsed):
    hosts = [local("a"), local("b"), local("c")]
    made = plan(
        parsed(
            """Feature: f
  Scenario: none
    Given the host "a"
    Given the host "b"
    Then the file "/nonexistent" exists on no host
  Scenario: acts
    Given the host "a"
    Given the host "b"
    When the command "true" is run
    Then the file "/etc/passwd" exists
    And the file "/etc/passwd" exists on at least 2 hosts
  Scenario: others
    Given the host "c"
    Then the file "/nonexistent" exists on no host
"""
        ).scenarios,
        hosts,
        Values(hosts, {}, {}),
        lambda host: host.name == "a",
    )
    none, acts = made.tasks
    assert [look.subject for look in none.steps[-1].looks] == ["a", "b"]
    assert [host for host, _ in acts.steps[2].targets] == ["a"]
    assert [[look.subject for look in step.looks] for step in acts.steps[3:]] == [["a"], ["a", "b"]]
