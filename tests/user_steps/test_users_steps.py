"""Steps of a user's own: where they are found, what is refused, how their outcomes become states."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from infratest.errors import FeatureError, UserError
from infratest.gherkin.sentence import ACT, CHECK
from infratest.user_steps.load import users_steps
from tests.worlds.own_steps import by_slug, report, states
from tests.worlds.small_project import STACK, run, write

TEA = """
from behave import given, then, when, register_type
import infratest

register_type(Degrees=int)

@given("a cup of tea")
@infratest.checks
def _(context):
    context.tea = 3

@infratest.checks
@then("the tea has {n:Degrees} degrees")
def _(context, n):
    assert context.tea == n, f"it has {context.tea}"

@infratest.checks
@then("the tea is still there")
async def _(context):
    assert context.tea

@when("the tea is drunk")
def _(context):
    context.tea = None
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path, {"stack.yaml": STACK, "features/keep.txt": ""})


# Where they are


def test_none_is_none(project):
    assert users_steps(project) is None


@pytest.mark.parametrize("place", ["steps", "features/steps"])
def test_both_places(project, place):
    write(project, {f"{place}/tea.py": TEA})
    found = users_steps(project)
    assert found.base == (project / place).parent
    assert found.kind("given", "a cup of tea") == CHECK
    assert found.kind("then", "the tea has 3 degrees") == CHECK
    assert found.kind("then", "the tea is still there") == CHECK
    assert found.kind("when", "the tea is drunk") == ACT
    assert found.kind("then", "a cup of tea") == ""


def test_nothing_above_is_looked_at(project):
    write(project, {"steps/evil.py": "raise SystemExit('executed')"})
    inner = write(project / "inner", {"stack.yaml": STACK})
    assert users_steps(inner) is None


def test_our_own_sentences_are_none_of_a_users():
    assert users_steps(Path(__file__).parents[2]) is None


def test_two_places_are_one_too_many(project):
    write(project, {"steps/a.py": "", "features/steps/b.py": ""})
    with pytest.raises(FeatureError, match="keep one of them"):
        users_steps(project)


@pytest.mark.parametrize("name", ["steps/tea.py", "steps", ".", "environment.py", "steps/deep/more.py"])
def test_what_others_can_write_is_not_executed(project, name):
    write(project, {"steps/tea.py": "raise SystemExit('executed')", "environment.py": "", "steps/deep/more.py": ""})
    path = project / name
    path.chmod(path.stat().st_mode | 0o002)
    with pytest.raises(FeatureError, match=r"are not executed: all can write it \(mode"):
        users_steps(project)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_is_not_executed(project):
    write(project, {"steps/tea.py": "raise SystemExit('executed')"})
    os.chown(project / "steps/tea.py", 12345, 12345)
    with pytest.raises(FeatureError, match="belongs to user 12345"):
        users_steps(project)


def test_a_group_of_others_is_refused(project):
    write(project, {"steps/tea.py": ""})
    path = project / "steps/tea.py"
    path.chmod(0o664)
    os.chown(path, -1, 12345 if os.getuid() == 0 else path.stat().st_gid)
    if os.getuid() == 0:
        with pytest.raises(FeatureError, match="group 12345 can write it"):
            users_steps(project)


# Loading


@pytest.mark.parametrize(
    "source, words",
    [
        ("import nonsense_that_is_not", "ModuleNotFoundError: No module named 'nonsense_that_is_not'"),
        ("def (:", "SyntaxError"),
        ("1/0", "ZeroDivisionError"),
        ("raise SystemExit(0)", "ended the program"),
        ('from behave import given\n@given("x {:Nope}")\ndef _(context): pass', "format spec 'Nope' not recognised"),
        ('use_step_matcher("re")\n@given("x (")\ndef _(context): pass', "bad.py:2: '^x ($' is no pattern of a step"),
    ],
)
def test_files_that_cannot_be_used(project, source, words):
    write(project, {"steps/bad.py": source})
    with pytest.raises(FeatureError, match=r"steps/bad\.py") as error:
        users_steps(project)
    assert words in str(error.value)


def test_loading_again_sees_what_changed_and_nothing_twice(project):
    source = "from behave import given\nimport beside\n@given(beside.TEXT)\ndef _(context): pass"
    write(project, {"steps/tea.py": source, "beside.py": 'TEXT = "one"'})
    first = users_steps(project)
    assert users_steps(project) is first
    assert first.kind("given", "one") == ACT
    write(project, {"beside.py": 'TEXT = "a second"'})
    second = users_steps(project)
    assert (second.kind("given", "one"), second.kind("given", "a second")) == ("", ACT)
    assert str(project) not in sys.path


def test_behave_itself_is_left_as_it_was(project):
    import behave
    from behave import matchers, step_registry

    before = behave.given, step_registry.given, step_registry.registry, matchers._the_step_matcher_factory
    write(project, {"steps/tea.py": TEA + '\nuse_step_matcher("re")\n@given("a .*")\ndef _(context): pass'})
    users_steps(project)
    assert before == (behave.given, step_registry.given, step_registry.registry, matchers._the_step_matcher_factory)
    assert not any(step_registry.registry.steps.values())
    assert "Degrees" not in matchers.ParseMatcher.TYPE_REGISTRY
    assert matchers.get_step_matcher_factory().current_matcher is matchers.ParseMatcher


def test_two_steps_that_match_are_ambiguous(project):
    source = TEA + '\n@then("the tea has 3 {what}")\ndef _(context, what): pass'
    write(project, {"steps/tea.py": source})
    (told,) = report(project, "  Scenario: s\n    Then the tea has 3 degrees\n").results[:1]
    assert told.state == "unknown"
    assert told.reason.startswith("ambiguous: 'the tea has 3 degrees' is matched by your")
    assert [step.line for step in told.steps] == [3]


def test_a_step_that_is_a_sentence_of_ours_is_ambiguous(project):
    write(project, {"steps/a.py": 'from behave import then\n@then("port {n} is listening")\ndef _(context, n): pass'})
    told = report(project, "  Scenario: s\n    Then port 80 is listening\n").results[0]
    assert told.state == "unknown"
    assert "is a sentence of infratest and a step of your own" in told.reason


# Running

OUTCOMES = """
from behave import given, then, when, step
import infratest

@step("it {what}")
@infratest.checks
def _(context, what):
    if what == "fails": assert 1 == 2, "one is not two"
    if what == "fails wordlessly": assert 1 == 2
    if what == "explodes": raise ValueError("bang")
    if what == "exits": raise SystemExit(0)
    if what == "skips": context.scenario.skip("not today")
    if what == "is pending":
        from behave.exception import PendingStepError
        raise PendingStepError("later")
    if what == "leaves a mess": context.add_cleanup(lambda: 1/0)
    if what == "nests": context.execute_steps("Given it holds")
    if what == "nests a failure": context.execute_steps("Given it fails")
"""


@pytest.mark.parametrize(
    "steps, state, words",
    [
        ("Then it holds", "ok", ""),
        ("Then it nests", "ok", ""),
        ("Then it fails", "critical", "one is not two"),
        ("Then it fails wordlessly", "critical", "does not hold: if what"),
        ("Then it nests a failure", "critical", "Given it fails: one is not two"),
        ("Then it explodes", "unknown", "ValueError: bang"),
        ("Then it exits", "unknown", "ended the program"),
        ("Then it is pending", "unknown", "not written yet"),
        ("Then it leaves a mess", "unknown", "clean-up"),
        ("Then it skips\n    And it fails", "skipped", "not today"),
        ("Then it holds\n    And nobody knows this", "unknown", "undefined: 'nobody knows this'"),
        ('Then the command "false" exits 0\n    And it skips', "critical", 'the command "false" exited 1'),
    ],
)  # fmt: skip
def test_outcomes(project, capfd, steps, state, words):
    write(project, {"steps/outcomes.py": OUTCOMES})
    found = report(project, f"  Scenario: s\n    {steps}\n").results[0]
    assert (found.state, words in found.reason) == (state, True), found.reason
    assert capfd.readouterr().out == ""


def test_an_assertion_in_a_scenario_tagged_warning(project):
    write(project, {"steps/outcomes.py": OUTCOMES})
    assert report(project, "  @warning\n  Scenario: s\n    Then it fails\n").state == "warning"


HOOKS = [f"{when}_{what}" for when in ("before", "after") for what in "all feature scenario step tag".split()]


def test_what_follows_a_failure_in_a_scenario_tagged_warning_does_not_decide(project, tmp_path):
    write(project, {"steps/tea.py": TEA})
    done = tmp_path / "done"
    ends = report(
        project,
        "  @warning\n  Scenario: theirs\n    Given a cup of tea\n    Then the tea has 4 degrees\n"
        "    And the tea is still there\n"
        '  @warning\n  Scenario: ours\n    Given a cup of tea\n    And the file "/nonexistent" exists\n'
        f'    When the command "touch {done}" is run\n    Then the tea is still there\n',
    )
    assert [(one.scenario, one.state) for one in ends.results] == [("theirs", "warning"), ("ours", "warning")]
    assert not done.exists()


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_fails_is_unknown(project, hook):
    write(project, {"steps/outcomes.py": OUTCOMES, "environment.py": f"def {hook}(*_): raise ValueError('bang')"})
    found = report(project, "  @slow\n  Scenario: s\n    Then it holds\n").results[0]
    assert (found.state, hook in str(found.as_dict())) == ("unknown", True)


@pytest.mark.parametrize("hook, target", [("before_scenario", "scenario"), ("before_feature", "feature")])
def test_a_hook_that_skips(project, hook, target):
    source = f"def {hook}(context, {target}): {target}.skip('closed')"
    write(project, {"steps/outcomes.py": OUTCOMES, "environment.py": source})
    assert states(report(project, "  Scenario: s\n    Then it fails\n")) == {"s@-": "skipped"}


MIXED = """
  Background:
    Given a cup of tea
  Scenario: on every web host
    Given the hosts in group "web"
    Then the command "true" exits 0
    And the tea has 3 degrees
    And the command "false" exits 0
    And the command "test 1 = 1" exits 0
  Rule: tea is hot
    Scenario Outline: each
      Then the tea has <n> degrees
      And the command "true" exits 0
      Examples:
        | n |
        | 3 |
        | 4 |
  Scenario: once
    Then the tea is still there
"""


def test_mixed_with_our_own_sentences(project):
    write(project, {"steps/tea.py": TEA})
    found = by_slug(report(project, MIXED))
    assert {key: result.state for key, result in found.items()} == {
        "on-every-web-host@web-1": "critical",
        "on-every-web-host@web-2": "critical",
        **{f"each/1@{host}": "ok" for host in ("web-1", "web-2", "db")},
        **{f"each/2@{host}": "critical" for host in ("web-1", "web-2", "db")},
        "once@-": "ok",
    }
    # In order; a check of ours that does not hold stops nothing, a step of the user's does.
    assert [step.state for step in found["on-every-web-host@web-2"].steps] == [
        "ok", "ok", "ok", "ok", "critical", "ok",
    ]  # fmt: skip
    assert [(step.text, step.state) for step in found["each/2@db"].steps] == [
        ("a cup of tea", "ok"),
        ("the tea has 4 degrees", "critical"),
        ('the command "true" exits 0', "unknown"),
    ]
    assert found["each/2@db"].reason == "it has 3"


def test_hooks_run_once_around_all(project):
    hooks = "\n".join(
        f"def {name}(*a):\n    with open({str(project / 'log')!r}, 'a') as log: log.write('{name} ')"
        for name in ("before_all", "before_feature", "before_scenario", "after_scenario", "after_feature", "after_all")
    )
    write(project, {"steps/outcomes.py": OUTCOMES, "environment.py": hooks})
    feature = '  Scenario: a\n    Then it holds\n  Scenario: b\n    Then the command "true" exits 0\n  Scenario: c\n    Then it holds\n'  # noqa: E501
    assert report(project, feature).state == "ok"
    each = "before_scenario after_scenario "
    assert (project / "log").read_text() == f"before_all before_feature {each * 2}after_feature after_all "


def test_hooks_are_of_scenarios_that_hold_a_step_of_ones_own_alone(project):
    """Sentences of ours need nobody's preparation, and a check of them costs no second process."""
    hooks = {"environment.py": "def before_all(context): raise ValueError('bang')"}
    write(project, {"steps/outcomes.py": OUTCOMES, **hooks})
    ours = '  Scenario: ours\n    Then the command "true" exits 0 on "db"\n'
    assert states(report(project, ours)) == {"ours@-": "ok"}
    both = states(report(project, f"{ours}  Scenario: theirs\n    Then it holds\n"))
    assert both == {"ours@-": "ok", "theirs@-": "unknown"}


def test_a_step_reaches_the_hosts(project):
    source = """
from behave import then
import infratest
@infratest.checks
@then("it looks")
def _(context):
    stack = context.infratest
    assert sorted(stack.hosts) == ["db", "web-1", "web-2"]
    assert stack.host is not None and stack.host.name in stack.hosts
    assert stack.run("db", ["echo", "hello"]).stdout == b"hello\\n"
    assert context.config.userdata["colour"] == "red"
"""
    write(project, {"steps/look.py": source})
    write(project, {"stack.yaml": STACK + "parameters:\n  colour: {type: string, default: red}\n"})
    found = report(project, '  Scenario: s\n    Then it looks\n    And the command "true" exits 0\n')
    assert [(result.host, result.state, result.reason) for result in found.results] == [
        (name, "ok", "") for name in ("web-1", "web-2", "db")
    ]


def test_acts_of_ours_in_it(project, tmp_path):
    write(project, {"steps/tea.py": TEA})
    mark = tmp_path / "mark"
    feature = (
        f'  Scenario: a\n    When the command "touch {mark}" is run on "db"\n    And the tea is drunk\n'
        f'    Then the command "test -e {mark}" exits 0 on "db"\n'
    )
    found = report(project, feature)
    assert [(step.state, step.reason) for step in found.results[0].steps] == [("ok", "")] * 3


def test_acting_steps_are_refused_in_check_and_on_production(project):
    write(project, {"steps/tea.py": TEA})
    feature = "  Scenario: s\n    When the tea is drunk\n"
    with pytest.raises(FeatureError, match=r"own.feature:2: 's' may change something, and a check only looks: "):
        report(project, feature, face="check")
    looks = report(project, "  Scenario: s\n    Given a cup of tea\n    Then the tea has 3 degrees\n", face="check")
    assert looks.state == "ok"
    write(project, {"stack.yaml": STACK + "production: true\n"})
    with pytest.raises(UserError, match="is production"):
        report(project, feature)


def test_the_report_alone_has_standard_output(project):
    loud = OUTCOMES.replace('if what == "fails":', 'print("noise")\n    if what == "fails":')
    hooks = "def before_all(context): print('before')"
    feature = "Feature: own\n  Scenario: s\n    Then it fails\n"
    files = {"steps/loud.py": f"print('loaded')\n{loud}", "environment.py": hooks, "features/own.feature": feature}
    write(project, files)
    done = run(project, "infratest", "test", "--format", "json")
    assert json.loads(done.stdout)["state"] == "critical"
    assert done.returncode == 2
    assert "noise" in done.stderr
    check = run(project, "infratest", "check")
    assert (check.returncode, check.stdout.startswith("INFRATEST CRITICAL - ")) == (2, True)


def test_ctrl_c_in_a_step_ends_the_run(project):
    write(project, {"steps/stop.py": "from behave import when\n@when('stop')\ndef _(context): raise KeyboardInterrupt",
                    "features/own.feature": "Feature: own\n  Scenario: s\n    When stop\n"})  # fmt: skip
    done = run(project, "infratest", "test")
    assert (done.returncode, "interrupted" in done.stderr, "Traceback" in done.stderr) == (130, True, False)


def test_no_steps_no_runner(project):
    write(project, {"features/own.feature": 'Feature: own\n  Scenario: s\n    Then the command "true" exits 0\n'})
    code = (
        "import sys; from infratest.cli.main import main\n"
        "try: main(['test'])\nexcept SystemExit as end: print(end.code, 'behave.runner' in sys.modules)"
    )
    done = run(project, "python", "-c", code)
    assert done.stdout.splitlines()[-1] == "0 False", done.stdout + done.stderr
