"""`Given where ...`: what may stand there, and what comes of it, by both front ends and from a kept plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import FeatureError
from infratest.gherkin import lint
from tests.worlds import small_project


def test_a_condition_is_a_checking_sentence_behind_where(parsed):
    made = parsed(
        'Feature: f\n  Scenario: s\n    Given where the package "a" is not installed\n    Then port 22 is listening\n'
    )
    first, second = made.scenarios[0].lines
    assert (first.condition, first.match and first.match.negated, second.condition) == (True, True, False)
    assert lint.binding(made) == []


def test_the_hosts_that_run_a_distribution(parsed):
    made = parsed(
        'Feature: f\n  Scenario: s\n    Given the hosts that run "debian" in at least version "12"\n'
        "    Then port 22 is listening\n"
    )
    (line, _) = made.scenarios[0].lines
    assert (line.condition, line.match and line.match.text) == (True, 'the host runs "debian" in at least version "12"')


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('Given where the package "a" is instaled', 'did you mean: where the package "a" is installed'),
        ('Given where the service "a" is stopped', "this one changes or selects"),
        ('Then where the package "a" is installed', "it may only follow Given"),
        ('Given where the package "a" is installed within 3 s', "leave out within"),
        ('Given where the package "a" is installed for 3 s', "leave out for"),
        ('Given where the disk "/" is less than 90 % full, warning 80 %', "leave out a warning value"),
        ('Given where the package "a" is installed on no host', "leave out how many hosts"),
        ('Given where the package "a b" is installed', "is not the name of a package"),
        ('Given where the package "a" is installed', "selects hosts and checks nothing"),
        ('When the service "a" is stopped', "'s' changes something and checks nothing: add a Then"),
        ('Given the host "web-1"\n    When the command "x" is run', "changes something and checks nothing: add a Then"),
        ("Given the hosts that run debian", 'did you mean: where the host runs "debian"'),
        ("Given where", "undefined"),
        ("Given where zxq", "undefined"),
    ],
)
def test_what_is_no_condition_is_a_mistake(parsed, lines, words):
    then = "" if "checks nothing" in words else "    Then port 22 is listening\n"
    made = parsed(f"Feature: f\n  Scenario: s\n    {lines}\n{then}")
    ((_, problem),) = lint.binding(made)
    assert words in problem


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('When the service "a" is stopped', "a scenario that changes something runs once"),
        ("Then port 22 is listening on exactly one host", "a scenario that speaks of several hosts at once runs once"),
    ],
)
def test_a_scenario_that_runs_once_has_no_condition(parsed, more, words):
    with pytest.raises(FeatureError, match=words):
        parsed(f'Feature: f\n  Scenario: s\n    Given where the package "a" is installed\n    {more}\n')


FEATURE = """\
Feature: f
  Scenario: met
    Given where the file "{param.here}/there" exists
    And where the file "{param.here}/none" does not exist
    Then the command "echo said >>{param.here}/met" exits 0
    And the file "{param.here}/there" contains "text"

  Scenario: not met
    Given where the file "{param.here}/none" exists
    Then the command "echo said >>{param.here}/unmet" exits 0
    And the disk "/" is less than 0 % full

  @warning
  Scenario: absent
    Given where the file "{param.here}/none" does not contain "text"
    Then the file "{param.here}/none" exists

  @attempts:3
  Scenario: one of two
    Given where the directory "{param.here}/text" is owned by "root"
    And where the file "{param.here}/none" exists
    Then the file "{param.here}/none" exists

  Scenario: not known
    Given where the file "{param.here}/there/below" exists
    And where the user "nobody-has-this-name" has uid 7
    Then the file "{param.here}/none" exists
"""
STACK = "stack: one\nprovider: local\nhosts: {here: {}}\nparameters:\n  here: {type: string}\n"


def test_a_host_where_it_does_not_hold_has_the_scenario_skipped(tmp_path: Path):
    small_project.write(tmp_path, {"stack.yaml": STACK, "features/x.feature": FEATURE, "there": "text\n"})
    (tmp_path / "text").mkdir()
    words = ("-D", f"here={tmp_path}")
    done = small_project.run(tmp_path, "infratest", "test", "-v", *words)
    assert "✓ met " in done.stdout
    assert (tmp_path / "met").read_text() == "said\n"
    assert "- not met " in done.stdout
    assert f'the file "{tmp_path}/none" does not exist' in done.stdout
    assert not (tmp_path / "unmet").exists()  # no command of the user's runs where it was not to be looked
    assert "- absent " in done.stdout
    assert "- one of two " in done.stdout
    assert "- not known " in done.stdout
    assert done.returncode == 0
    # The same when the plan is made, and when it was kept.
    for count in (2, 3):
        checked = small_project.run(tmp_path, "check_infratest", *words)
        assert checked.returncode == 0
        assert "1 scenario ok, 4 skipped" in checked.stdout
        assert "'disk / used'=U;;0;0;100" in checked.stdout  # a graph's label does not come and go
        assert (tmp_path / "met").read_text() == "said\n" * count
    assert not (tmp_path / "unmet").exists()


def test_a_condition_that_is_not_known_makes_its_scenario_unknown_and_all_skipped_is_unknown(tmp_path: Path):
    condition = 'the command "no-such-program" exits 0'  # whether it would is not known
    text = f"Feature: f\n  Scenario: s\n    Given where {condition}\n    Then port 1 is not listening\n"
    small_project.write(tmp_path, {"stack.yaml": STACK.replace("hosts", "#", 0), "features/x.feature": text})
    done = small_project.run(tmp_path, "infratest", "test", "-D", "here=/")
    assert done.returncode == 3
    assert "1 unknown" in done.stdout
    text = text.replace(condition, 'the file "/none/at/all" exists')
    small_project.write(tmp_path, {"features/x.feature": text})
    done = small_project.run(tmp_path, "infratest", "test", "-D", "here=/")
    assert done.returncode == 3
    assert "1 skipped" in done.stdout
