"""Plain behave pointed at our runner: its options, its formatters, our states."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.worlds.small_project import STACK, run, write

INI = "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n"
FEATURE = """\
Feature: commands
  Background:
    Given the hosts in group "web"
  Scenario: true
    Then the command "true" exits 0
  @bad
  Scenario: false
    Then the command "false" exits 0
    And the command "echo hello" prints "hello"
  @warning
  Scenario: not so bad
    Then the command "false" exits 0
  Scenario Outline: many
    Then the command "exit <n>" exits 0
    Examples:
      | n |
      | 0 |
  @wip
  Scenario: later
    Then the command "true" exits 0
"""
PARAMETERS = STACK + "parameters:\n  number: {type: integer, default: 0}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"behave.ini": INI, "stack.yaml": PARAMETERS, "features/a.feature": FEATURE}
    number = 'Feature: number\n  Scenario: number\n    Then the command "exit {param.number}" exits 3 on "db"\n'
    return write(tmp_path_factory.mktemp("behave"), {**files, "numbers/n.feature": number})


def test_plain_shows_what_happened(project):
    done = run(project, "behave", "-f", "plain", "--no-timings")
    assert done.returncode == 1
    assert (
        'Scenario: false @ web-1\n    Given the hosts in group "web" ... passed\n'
        '    Then the command "false" exits 0 ... failed\ncritical: the command "false" exited 1\n'
    ) in done.stdout
    assert '    And the command "echo hello" prints "hello" ... passed\n' in done.stdout
    assert 'warning: the command "false" exited 1' in done.stdout
    assert "Scenario Outline: many -- @1.1" in done.stdout
    assert "6 scenarios passed, 2 failed, 2 skipped" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("formatter", ["pretty", "progress", "progress2", "progress3", "rerun", "null", "plain"])
def test_formatters(project, formatter):
    done = run(project, "behave", "-f", formatter, "features/a.feature")
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (1, False), done.stdout + done.stderr
    assert "infratest: CRITICAL (4 ok, 2 warning, 2 critical, 2 skipped)" in done.stderr


def test_json(project):
    run(project, "behave", "-f", "json", "-o", "out.json")
    document = json.loads((project / "out.json").read_text())
    assert [(one["name"], one["status"]) for one in document[0]["elements"] if one["type"] == "scenario"] == [
        ("true @ web-1", "passed"), ("true @ web-2", "passed"),
        ("false @ web-1", "failed"), ("false @ web-2", "failed"),
        ("not so bad @ web-1", "passed"), ("not so bad @ web-2", "passed"),
        ("many -- @1.1  @ web-1", "passed"), ("many -- @1.1  @ web-2", "passed"),
        ("later @ web-1", "skipped"), ("later @ web-2", "skipped"),
    ]  # fmt: skip


def test_junit_is_ours(project):
    assert run(project, "behave", "--junit", "--junit-directory", "reports").returncode == 1
    suites = ElementTree.parse(project / "reports/TESTS-infratest.xml").getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors"), suites.get("skipped")) == (
        "10", "2", "0", "2",
    )  # fmt: skip
    assert [path.name for path in (project / "reports").iterdir()] == ["TESTS-infratest.xml"]


@pytest.mark.parametrize(
    "words, status, said",
    [
        (["features/a.feature:4"], 0, "infratest: OK (2 ok)"),
        (["features/a.feature:11"], 0, "infratest: WARNING (2 warning)"),
        (["--tags", "not bad"], 0, "infratest: WARNING (4 ok, 2 warning, 2 skipped)"),
        (["--tags=@bad"], 1, "infratest: CRITICAL (2 critical)"),
        (["--tags", "bad or warning", "--tags", "not bad"], 0, "infratest: WARNING (2 warning)"),
        (["--tags", "wip"], 0, "infratest: OK (2 ok)"),
        (["--tags", "nobody"], 1, "selects no scenario of 5"),
        (["features/a.feature:19"], 1, "infratest: UNKNOWN (2 skipped)"),
        (["features/nobody.feature"], 1, "no such feature"),
        (["-D", "host=web-1", "--tags", "bad"], 1, "infratest: CRITICAL (1 critical)"),
        (["-D", "env=prod"], 1, "has no environments"),
        (["-D", "stack=nobody.yaml"], 1, "nobody.yaml"),
        (["numbers/n.feature", "-D", "number=3"], 0, "infratest: OK (1 ok)"),
        (["numbers/n.feature"], 1, "infratest: CRITICAL (1 critical)"),
        (["-D", "numbr=3"], 1, "numbr"),
    ],
)  # fmt: skip
def test_options(project, words, status, said):
    done = run(project, "behave", "-f", "null", *words)
    assert (done.returncode, said in done.stderr) == (status, True), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("words", [["--dry-run"], ["--stop"], ["--name", "x"], ["--stage", "x"], ["--wip"]])
def test_options_that_are_not_there_are_refused(project, words):
    done = run(project, "behave", *words)
    assert done.returncode == 1
    assert f"ConfigError: {words[0]}: not with infratest's runner" in done.stdout


def test_this_machine_without_a_stack_file(tmp_path):
    files = {
        "behave.ini": INI,
        "features/a.feature": 'Feature: a\n  Scenario: a\n    Then the command "true" exits 0\n',
    }
    done = run(write(tmp_path, files), "behave", "-f", "null", "-D", "host=local", "-D", f"state={tmp_path}/state")
    assert (done.returncode, "OK (1 ok)" in done.stderr) == (0, True), done.stderr


def test_a_hosting_behave_keeps_its_own_steps(project, tmp_path):
    """A user's own steps under our runner, loaded by us alone: behave itself loads none."""
    steps = "from behave import then\n@then('it holds')\ndef _(context): pass\n"
    feature = "Feature: own\n  Scenario: own\n    Then it holds\n    And nobody knows\n"
    write(tmp_path, {"behave.ini": INI, "stack.yaml": STACK, "steps/own.py": steps, "features/own.feature": feature})
    done = run(tmp_path, "behave", "-f", "plain")
    assert "it holds ... passed" in done.stdout
    assert "unknown: undefined: 'nobody knows' is no sentence of infratest" in done.stdout
    assert done.returncode == 1


LINES = """\
Feature: lines
  Scenario: before
    Then the command "true" exits 0
  @rows
  Scenario Outline: row <n>
    As a description.
    Then the command "exit <n>" exits 0

    Examples: good
      | n |
      | 0 |
    Examples: bad
      | n |
      | 7 |
"""


@pytest.mark.parametrize(
    ("line", "status", "names"),
    [
        (3, 0, {"before"}),
        (4, 1, {"row 0", "row 7"}),
        (5, 1, {"row 0", "row 7"}),
        (7, 1, {"row 0", "row 7"}),
        (9, 0, {"row 0"}),
        (12, 1, {"row 7"}),
        (13, 1, {"row 7"}),
        (14, 1, {"row 7"}),
    ],
)
def test_a_line_of_an_outline_runs_its_rows_and_nothing_before(project, line, status, names):
    write(project, {"lines/l.feature": LINES})
    done = run(project, "behave", "-f", "plain", "--no-timings", f"lines/l.feature:{line}")
    assert done.returncode == status, done.stdout + done.stderr
    shown = {words.partition(": ")[2].partition(" -- ")[0].partition(" @ ")[0] for words in done.stdout.splitlines()
             if words.strip().startswith("Scenario")}  # fmt: skip
    assert shown == names


def test_what_gherkin_bends_and_what_is_no_file_are_refused_here_too(project):
    write(project, {"bent/b.feature": LINES.replace("| 7 |", "| 7")})
    done = run(project, "behave", "bent/b.feature")
    assert (done.returncode, "bent/b.feature:14: the table row '| 7' is not closed" in done.stderr) == (1, True)
    write(project, {"bent/b.feature": LINES.replace("row <n>", "").replace("before", "")})
    done = run(project, "behave", "-f", "plain", "bent/b.feature")
    assert (done.returncode, "6 scenarios passed, 3 failed" in done.stdout) == (1, True), done.stdout + done.stderr
    assert "Scenario: unnamed scenario 1 @ db\n" in done.stdout
    assert "Scenario Outline: unnamed scenario 2 -- @1.1 good @ db\n" in done.stdout
