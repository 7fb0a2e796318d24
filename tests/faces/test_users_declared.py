"""Steps of a user's own as they are declared: what would pass without running, and what costs its scenario alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infratest.errors import FeatureError
from infratest.model import Report
from infratest.project.execute import execute
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.user_steps.load import users_steps
from tests.worlds.small_project import STACK, write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path, {"stack.yaml": STACK, "features/keep.txt": ""})


def report(folder: Path, feature: str) -> Report:
    write(folder, {"features/own.feature": f"Feature: own\n{feature}"})
    going = Session(stack_path=folder / "stack.yaml")
    asked = Request(features=("features/own.feature",))
    return execute(going, asked, prepare(going, asked))


GENERATOR = "from behave import then\n@then('it is so')\n{decorated}def look(context):\n    yield\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"steps/a.py": GENERATOR.format(decorated="")}, "step 'it is so' holds `yield`, so its body would never"),
        ({"steps/a.py": "import infratest\n" + GENERATOR.format(decorated="@infratest.checks\n")}, "holds `yield`"),
        ({"steps/a.py": GENERATOR.format(decorated="async ")}, "holds `yield`"),
        ({"steps/a.py": "", "environment.py": "def before_all(context):\n    yield\n"}, "before_all holds `yield`"),
        ({"steps/a.py": "", "environment.py": "def before_scenaro(context, scenario): pass\n"},
         "before_scenaro is no hook and would never run; did you mean before_scenario?"),
        ({"steps/a.py": "", "environment.py": "def after_features(context, feature): pass\n"},
         "did you mean after_feature?"),
    ],
)  # fmt: skip
def test_what_would_pass_without_running_is_refused(project, files, words):
    write(project, files)
    with pytest.raises(FeatureError) as raised:
        users_steps(project)
    assert words in str(raised.value)


def test_fixtures_of_behave_are_no_hooks_and_may_yield(project):
    hooks = "from behave import fixture\n@fixture\ndef stock(context):\n    yield 1\ndef before_noon(): pass\n"
    write(project, {"steps/a.py": "", "environment.py": hooks})
    assert users_steps(project) is not None


def test_a_pipe_among_the_steps_is_refused_and_never_waited_for(project):
    write(project, {"steps/a.py": ""})
    os.mkfifo(project / "steps" / "b.py", 0o600)
    with pytest.raises(FeatureError, match="is no regular file but a pipe, socket or device"):
        users_steps(project)


def test_one_sentence_that_cannot_be_used_costs_its_scenario_alone(project):
    both = "from behave import then\n@then('it is {what}')\ndef a(context, what): pass\n"
    both += "@then('{what} is so')\ndef b(context, what): pass\n"
    write(project, {"steps/a.py": both})
    told = report(
        project,
        '  Scenario: good\n    Then the command "true" exits 0 on "db"\n'
        "  Scenario: two\n    Then it is so\n"
        '  Scenario: table\n    Then the command "true" exits 0 on "db"\n      | a |\n',
    )
    states = {result.scenario: (result.state, result.reason) for result in told.results}
    assert states["good"][0] == "ok"
    assert states["two"][0] == states["table"][0] == "unknown"
    assert "ambiguous: 'it is so' is matched by your steps" in states["two"][1]
    assert "takes no text or table below it" in states["table"][1]
