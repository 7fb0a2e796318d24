"""How steps of a user's own are called, and what they find: generators, False, `within`, steps in steps, hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import FeatureError
from tests.worlds.own_steps import report, states
from tests.worlds.small_project import STACK, write

HEAD = "from behave import given, then, when\nimport infratest\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path, {"stack.yaml": STACK})


def own(folder: Path, body: str, pattern: str = "it is so", head: str = "@infratest.checks\ndef") -> None:
    write(folder, {"steps/own.py": f'{HEAD}CALLS = []\n@then("{pattern}")\n{head} _(context):\n    {body}\n'})


@pytest.mark.parametrize("head", ["@infratest.checks\ndef", "def", "@infratest.checks\nasync def"])
def test_a_generator_is_refused_before_anything_runs(project: Path, head: str) -> None:
    own(project, "yield\n    assert False", head=head)
    with pytest.raises(FeatureError, match="your step 'it is so' holds `yield`, so its body would never run"):
        report(project, "  Scenario: s\n    Then it is so\n")


@pytest.mark.parametrize(
    "body, words",
    [
        ("return False", "it returned False"),
        ("return (one for one in [1])", "it returned a generator that nobody runs"),
        ("\n    async def inner(): assert False\n    return inner()", "it returned a coroutine that nobody runs"),
    ],
)
def test_what_a_step_returns_is_looked_at(project: Path, body: str, words: str) -> None:
    own(project, body)
    (found,) = report(project, "  Scenario: s\n    Then it is so\n").results
    assert (found.state, found.reason.startswith(words)) == ("unknown", True), found.reason
    assert "calls.py" not in found.reason, "where we raised it is nothing to a reader"


@pytest.mark.parametrize("body", ["return True", "return None", "return 0", "return []"])
def test_what_else_a_step_returns_says_nothing(project: Path, body: str) -> None:
    own(project, body)
    assert report(project, "  Scenario: s\n    Then it is so\n").state == "ok"


def test_a_checking_step_is_asked_again_within_its_time(project: Path) -> None:
    own(project, "CALLS.append(1)\n    assert len(CALLS) > 2, f'{len(CALLS)} calls'")
    assert report(project, "  Scenario: s\n    Then it is so within 20 s\n").state == "ok"


def test_one_that_does_not_hold_in_its_time_says_how_long_it_was_asked(project: Path) -> None:
    own(project, "assert False, 'not yet'")
    (found,) = report(project, "  Scenario: s\n    Then it is so within 300 ms\n").results
    assert (found.state, "not yet (asked for " in found.reason) == ("critical", True), found.reason


def test_one_must_hold_throughout_its_time(project: Path) -> None:
    own(project, "CALLS.append(1)\n    assert len(CALLS) < 3, 'the third time'")
    (found,) = report(project, "  Scenario: s\n    Then it is so for 20 s\n").results
    assert (found.state, found.reason) == ("critical", "the third time")


def test_an_acting_step_is_not_asked_again(project: Path) -> None:
    own(project, "pass", head="def")
    (found,) = report(project, "  Scenario: s\n    Then it is so within 3 s\n").results
    assert found.state == "unknown"
    assert "may change something: declare it with @infratest.checks" in found.reason


@pytest.mark.parametrize(
    "text, state, words",
    [
        ('Then the command "true" exits 0', "ok", ""),
        ('Then the command "false" exits 0', "critical", 'the command "false" exited 1'),
        ("Then nobody knows this", "unknown", "undefined: 'nobody knows this' is no sentence"),
        ('Then the command "touch {host.nam}" exits 0', "unknown", "host.nam"),
        ('When the command "true" is run', "unknown", "changes something"),
    ],
)
def test_a_step_may_hold_sentences_of_ours(project: Path, text: str, state: str, words: str) -> None:
    own(project, f"context.execute_steps({text!r})")
    (found,) = report(project, '  Scenario: s\n    Given the host "db"\n    Then it is so\n').results
    assert (found.state, words in found.reason) == (state, True), found.reason


def test_a_sentence_that_a_step_holds_is_told_with_the_step_s_line(project: Path) -> None:
    own(project, "context.execute_steps('Then the command \"{host.nam}\" exits 0')")
    (found,) = report(project, '  Scenario: s\n    Given the host "db"\n    Then it is so\n').results
    assert ".feature:4: " in found.reason
    assert "SUB-STEP" not in found.reason


def test_an_acting_step_may_hold_an_act_of_ours(project: Path, tmp_path: Path) -> None:
    own(project, f"context.execute_steps('When the command \"touch {tmp_path}/done\" is run')", head="def")
    assert report(project, '  Scenario: s\n    Given the host "db"\n    Then it is so\n').state == "ok"
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("head", ["@infratest.checks\ndef", "def"])
@pytest.mark.parametrize(
    "given, host, hosts",
    [
        ('Given the host "db"', "db", "['db']"),
        ('Given the hosts in group "data"', "db", "['db']"),
        ('Given the hosts in group "web"', None, "['web-1', 'web-2']"),
        ("", None, "['db', 'web-1', 'web-2']"),
    ],
)
def test_a_step_finds_the_hosts_that_were_given(
    project: Path, head: str, given: str, host: str | None, hosts: str
) -> None:
    look = "stack = context.infratest\n    name = stack.host and stack.host.name\n"
    own(
        project,
        f"{look}    assert (name, sorted(stack.hosts)) == ({host!r}, {hosts}), (name, list(stack.hosts))",
        head=head,
    )
    found = report(project, f"  Scenario: s\n    {given}\n    Then it is so\n")
    assert states(found) == {"s@-": "ok"}, found.results[0].reason


def test_values_are_put_into_a_step_of_ones_own(project: Path) -> None:
    """What its function gets is what a sentence of ours would look for; a template's own braces stay."""
    write(
        project,
        {
            "stack.yaml": STACK + 'parameters: {tea: {type: string, default: "green"}}\n',
            "steps/own.py": f'{HEAD}@then("the tea of {{host}} is {{tea}}")\n'
            "@infratest.checks\ndef _(context, host, tea):\n"
            '    assert (host, tea) == (context.infratest.host.name, "green {{ x }}"), (host, tea)\n',
        },
    )
    feature = "  Scenario: s\n    Then the tea of {host.name} is {param.tea} {{ x }}\n"
    assert states(report(project, feature)) == {"s@web-1": "ok", "s@web-2": "ok", "s@db": "ok"}


NUMBERS = (
    f'{HEAD}@then("the box holds {{count:d}} teas")\n@infratest.checks\n'
    "def _(context, count):\n    assert count == 7, count\n"
)


def test_a_value_may_stand_where_a_step_of_ones_own_wants_a_number(project: Path) -> None:
    parameters = "parameters: {teas: {type: integer, default: 7}}\n"
    write(project, {"stack.yaml": STACK + parameters, "steps/own.py": NUMBERS})
    feature = "  Scenario: s\n    Then the box holds {param.teas} teas within 1 s\n"
    (found,) = report(project, feature).results
    assert (found.state, found.reason) == ("ok", "")


def test_a_value_that_is_no_number_where_one_is_wanted_is_unknown(project: Path) -> None:
    parameters = 'parameters: {teas: {type: string, default: "many"}}\n'
    write(project, {"stack.yaml": STACK + parameters, "steps/own.py": NUMBERS})
    (found,) = report(project, "  Scenario: s\n    Then the box holds {param.teas} teas\n").results
    assert (found.state, "'the box holds many teas'" in found.reason) == ("unknown", True), found.reason


@pytest.mark.parametrize("host", ["stack.host", "stack.hosts['db']", "'db'", "stack.host.name"])
def test_a_step_names_a_host_by_its_name_or_itself(project: Path, host: str) -> None:
    own(project, f"stack = context.infratest\n    assert stack.run({host}, ['echo', 'hi']).stdout == b'hi\\n'")
    (found,) = report(project, '  Scenario: s\n    Given the host "db"\n    Then it is so\n').results
    assert (found.state, found.reason) == ("ok", "")


def test_a_step_that_names_no_host_of_the_stack_is_told_which_there_are(project: Path) -> None:
    own(project, "context.infratest.run('web1', ['true'])")
    (found,) = report(project, "  Scenario: s\n    Then it is so\n").results
    assert found.state == "unknown"
    assert "unknown host 'web1': did you mean 'web-1'? known are web-1, web-2, db" in found.reason


def test_a_misspelt_value_in_a_step_of_ones_own_is_no_text(project: Path) -> None:
    own(project, "pass", pattern="the tea is {tea}")
    (result,) = report(project, "  Scenario: s\n    Then the tea is {parm.tea}\n").results
    assert result.state == "unknown"
    assert "'parm'" in result.reason
    assert "param" in result.reason


BELOW = """
@then("below it stands {{expected}}")
@infratest.checks
def _(context, expected):
    table = context.table
    seen = [list(table.headings), *[list(row.cells) for row in table]] if table else context.text
    assert repr(seen) == expected, repr(seen)
"""


def below(project: Path, expected: str, lines: str, more: str = "") -> list[tuple[str, str, str]]:
    write(project, {"stack.yaml": f"{STACK}parameters: {{tea: {{type: string, default: green}}}}\n"})
    write(project, {"steps/own.py": HEAD + BELOW.replace("{{", "{").replace("}}", "}")})
    found = report(project, f"  {more}\n  Scenario: s\n    Then below it stands {expected}\n{lines}")
    return [(one.host, one.state, one.reason) for one in found.results]


def test_values_are_put_into_a_table_below_a_step_of_ones_own(project: Path) -> None:
    rows = "      | of | {param.tea} |\n      | {host.name} | {{ x }} |\n      | {group.web.count} | {y} |\n"
    expected = "[['of', 'green'], ['web-1', '{{ x }}'], ['2', '{y}']]"
    seen = below(project, expected, rows)
    assert [(host, state) for host, state, _ in seen] == [("web-1", "ok"), ("web-2", "critical"), ("db", "critical")]
    assert seen[2][2] == "[['of', 'green'], ['db', '{{ x }}'], ['2', '{y}']]"


def test_values_are_put_into_a_text_below_a_step_of_ones_own(project: Path) -> None:
    text = '      """\n      {param.tea} of {group.web.names}\n        {{ x }}\n      """\n'
    assert below(project, repr("green of web-1,web-2\n  {{ x }}"), text) == [("-", "ok", "")]


def test_columns_come_before_values_below_a_step_of_ones_own(project: Path) -> None:
    rows = "      | {<root>.tea} |\n      | <n> |\n    Examples:\n      | root  | n |\n      | param | 1 |\n"
    write(project, {"stack.yaml": f"{STACK}parameters: {{tea: {{type: string, default: green}}}}\n"})
    write(project, {"steps/own.py": HEAD + BELOW.replace("{{", "{").replace("}}", "}")})
    feature = f"  Scenario Outline: s\n    Then below it stands [['green'], ['1']]\n{rows}"
    assert states(report(project, feature)) == {"s/1@-": "ok"}


@pytest.mark.parametrize("braces", ["{parm.tea}", "{param.tea", "param.tea}", "{{param.tea}}", "{param.tee}"])
@pytest.mark.parametrize(
    "lines", ["      | a |\n      | x BRACES |\n", '      """\n      x\n      BRACES\n      """\n']
)
def test_what_is_nearly_a_value_below_a_step_of_ones_own_is_no_text(project: Path, lines: str, braces: str) -> None:
    (seen,) = below(project, "x", lines.replace("BRACES", braces))
    assert (seen[1], f"4: {braces}: " in seen[2]) == ("unknown", True), seen
