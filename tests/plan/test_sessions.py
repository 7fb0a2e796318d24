"""The steps of a scenario as one session: what is planned, what is refused, and how its numbers are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.cleaning import Secret
from infratest.errors import FeatureError
from infratest.gherkin.parse import feature
from infratest.gherkin.suite import Scenario
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.plan.planner import plan
from infratest.plan.tasks import CheckStep, Task
from infratest.values import Values

HOSTS = [Host(name="web-1", address="10.0.0.1"), Host(name="web-2", address="10.0.0.2")]
OPENED = 'When the page "http://x/a?b=1" is opened'


def scenario(tmp_path: Path, *lines: str) -> Scenario:
    path = tmp_path / "x.feature"
    path.write_text("Feature: f\n  Scenario: s\n" + "".join(f"    {line}\n" for line in lines))
    (one,) = feature(path, "x.feature", vocabulary()).scenarios
    return one


def tasks(tmp_path: Path, *lines: str) -> list[Task]:
    return list(plan([scenario(tmp_path, *lines)], HOSTS, Values(HOSTS, {}, {})).tasks)


def checks(task: Task) -> list[CheckStep]:
    assert not task.problem
    return [step for step in task.steps if isinstance(step, CheckStep)]


def test_all_of_a_session_is_one_question(tmp_path):
    (task,) = tasks(
        tmp_path, OPENED, 'Then the page shows "a"', 'When the link "b" is followed', 'Then the page shows "c"',
    )  # fmt: skip
    steps = checks(task)
    assert len({step.needed for step in steps}) == 1
    assert [step.looks[0].check.place for step in steps] == [1, 1, 2, 2]
    assert task.host == "-"


def test_a_page_of_each_host_is_a_session_of_each(tmp_path):
    made = tasks(tmp_path, 'When the page "http://{host.address}/" is opened', 'Then the page shows "a"')
    assert [task.host for task in made] == ["web-1", "web-2"]
    assert len({checks(task)[1].needed for task in made}) == 2


def test_what_is_waited_for_is_waited_for_by_what_follows(tmp_path):
    (task,) = tasks(
        tmp_path, OPENED, 'And the link "b" is followed within 9 s', 'Then the page shows "c"',
        'And the page shows "d" within 20 s',
    )  # fmt: skip
    assert [step.tail.within for step in checks(task)] == [None, 9, 9, 20]


def test_a_number_is_called_by_the_page_that_it_is_of(tmp_path):
    (task,) = tasks(
        tmp_path, OPENED, "Then the page answers in less than 5 s", 'When the button "Go" is pressed',
        'And the field "x" is filled with "y"', "Then the page answers in less than 5 s",
        'And the session takes less than 9 s, named "all"',
    )  # fmt: skip
    labels = [look.measure.label for step in checks(task) for look in step.looks if look.measure]
    assert labels == ["page /a?b=1 time", "page Go time", "all"]


@pytest.mark.parametrize(
    "line",
    [
        'And the field "Password" is filled with "{}"',
        'And the page "http://x/b" is opened logged in as "ada:{}"',
        'And the page "http://x/b" is opened logged in as "{{param.user}}:{}"',
        'And the page "http://x/b" is opened with the token "{}"',
        'Then the database "postgresql://ada:{}@db/shop" answers',
        'Then the queue "orders" of "amqp://ada:{}@mq" exists',
        'Then the mail server "imaps://ada:{}@mail" accepts the login',
        'Then the LDAP server "ldaps://cn=ada:{}@ldap" accepts the login',
    ],
)
def test_a_password_in_a_feature_is_refused_though_it_is_the_declared_one(tmp_path, line):
    values = Values(HOSTS, {"user": "ada", "declared": Secret("as-the-stack-has-it")}, {})

    def problem(password: str) -> str:
        lines = (OPENED, line.format(password)) if line.startswith("And") else (line.format(password),)
        (task,) = {task.problem for task in plan([scenario(tmp_path, *lines)], HOSTS[:1], values).tasks}
        return task

    assert "stands in no feature" in problem("as-the-stack-has-it")
    assert "stands in no feature" in problem("something-else")
    assert not problem("{param.declared}")


def test_a_text_that_equals_a_secret_is_no_password_elsewhere(tmp_path):
    values = Values(HOSTS, {"declared": Secret("administrator")}, {})
    lines = (OPENED, 'And the field "User" is filled with "administrator"', 'Then the page shows "administrator"')
    (task,) = plan([scenario(tmp_path, *lines)], HOSTS, values).tasks
    assert not task.problem


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (('Then the page shows "a"',), "no step before it opens a page"),
        (('When the link "b" is followed',), "a session begins at a whole URL"),
        (('When the page "/a" is opened',), "a session begins at a whole URL"),
        ((OPENED, 'And the command "true" is run', 'Then the page shows "a"'), "changes something within a session"),
        ((OPENED, 'Then the page shows "a" on exactly one host'), "a session is one client's"),
        ((OPENED, 'Then the page shows "a" from the host'), "from the controller alone"),
        ((f"{OPENED} for 3 s", 'Then the page shows "a"'), "a step is done once"),
        ((OPENED, *['And the link "b" is followed'] * 50), "50 steps at most, and this has 51"),
        ((OPENED, 'And the field "Password" is filled with "literal-pw"'), "a secret stands in no feature"),
        ((f'{OPENED} logged in as "ada:literal-pw"',), "a secret stands in no feature"),
        (('When the page "ftp://x/" is opened',), "expected a URL with a host"),
        ((OPENED, 'And the page "b" is opened'), "a path that begins with /"),
        ((OPENED, 'And the page "/b" is opened logged in as "ada:{x}"'), "said with its whole URL"),
        ((OPENED, 'And the file "a" is attached to "b"'), "is not an absolute path"),
        ((f"{OPENED} whatever it says",), "it is written `whatever it answers`"),
        ((OPENED, "Then the page answers 99"), "from 100 to 599"),
        ((OPENED, 'Then the page shows " "'), "write the one that is meant"),
    ],
)
def test_what_can_be_no_session_is_refused(tmp_path, lines, words):
    problems = [task.problem for task in tasks(tmp_path, *lines)]
    assert all(words in problem for problem in problems), problems
    assert "literal-pw" not in "".join(problems)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('Given the page "http://x/" is opened', "it may only follow When"),
        ('Then the page "http://x/" is opened', "it may only follow When"),
        ('Given the page shows "a"', "write Then behind them"),
        ('When the page shows "a"', "changes nothing: write Then"),
        ('When the page "http://x/" is opened', ""),
        ('Then the page shows "a"', ""),
    ],
)
def test_a_step_stands_behind_when_and_a_claim_behind_then(tmp_path, line, words):
    if not words:
        assert len(scenario(tmp_path, line).lines) == 1
        return
    with pytest.raises(FeatureError, match=words):
        scenario(tmp_path, line)
