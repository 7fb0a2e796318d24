"""Planning: how often a sentence is bound, where it may look from, the names of numbers, and all that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.check import Check, Measure
from infratest.gherkin.parse import feature
from infratest.gherkin.selection import Named
from infratest.gherkin.sentence import check, declared, setup
from infratest.gherkin.vocabulary import Vocabulary, vocabulary
from infratest.hosts import STOPPED, Host
from infratest.plan.planner import plan
from infratest.values import Values

HOSTS = [
    Host(name=f"web-{number}", address=f"10.0.0.{number}", groups=("web",), labels={"rack": f"r{number}"})
    for number in range(1, 201)
]


class Thing(Check):
    """Asks nothing; its number is labelled by what it is asked about."""

    name: str

    def needs(self):
        return ()

    def measure(self):
        return Measure(label=f"thing {self.name}")


class Builds:
    """Counts how often each sentence is built."""

    def __init__(self) -> None:
        self.names: list[str] = []

        @check('the thing "{name}" is {bound:count} big', example="")
        def thing(name: str) -> Thing:
            self.names.append(name)
            return Thing(name)

        @setup('the host "{name}"', example="")
        def host(name: str) -> Named:
            return Named(name)

        self.vocabulary = Vocabulary([*declared(thing), *declared(host)])


def planned(tmp_path: Path, lines: str, sentences: Vocabulary, hosts=HOSTS, **more):
    path = tmp_path / "x.feature"
    steps = "".join(f"    Then {line}\n" for line in lines.splitlines())
    path.write_text(f"Feature: f\n  Scenario: s\n{steps}")
    values = Values(hosts, {"x": "y"}, {"here": "{host.name}", "all": "z"})
    return plan(feature(path, "x.feature", sentences).scenarios, hosts, values, **more)


def test_ten_sentences_on_200_hosts_are_bound_at_most_2000_times(tmp_path):
    builds = Builds()
    names = [
        "{host.name}",
        "{host.label.rack}",
        "{host.name}-{param.x}",
        "{output.here}",
        "{host.name} {host.web-7.name}",
    ]
    lines = [f'the thing "{name}" is at most {number} big' for name in names for number in (1, 2)]
    made = planned(tmp_path, "\n".join(lines), builds.vocabulary)
    assert (len(made.tasks), len(builds.names)) == (200, 2000)
    assert {step.looks[0].check.name for step in made.tasks[6].steps} == {"web-7", "r7", "web-7-y", "web-7 web-7"}


@pytest.mark.parametrize(
    "name, times", [("plain", 1), ("{param.x}", 1), ("{host.web-1.address}", 2), ("{group.web.count}", 1)]
)
def test_what_holds_nothing_of_a_host_is_bound_once_for_all_of_them(tmp_path, name, times):
    """Once more for the number's label where an address is in it, for which a name stands there."""
    builds = Builds()
    made = planned(tmp_path, f'the thing "{name}" is at most 1 big', builds.vocabulary)
    assert len(made.tasks) == 200
    assert len(builds.names) == times


def test_a_label_holds_names_where_addresses_would_change(tmp_path):
    made = planned(tmp_path, 'the thing "{host.address}" is at most 1 big', Builds().vocabulary, HOSTS[:2])
    looks = [task.steps[0].looks[0] for task in made.tasks]
    assert [(look.check.name, look.measure.label) for look in looks] == [
        ("10.0.0.1", "thing web-1"), ("10.0.0.2", "thing web-2"),
    ]  # fmt: skip


def test_a_name_is_the_numbers_label_and_means_one_number(tmp_path):
    sentences = Builds().vocabulary
    named = 'the thing "{host.address}" is at most 1, named "big" big'
    assert sentences.match(named) is None
    lines = 'the thing "{host.address}" is at most 1 big, named "how {param.x}"'
    made = planned(tmp_path, f"{lines}\n{lines}", sentences, HOSTS[:2])
    assert [step.looks[0].measure.label for task in made.tasks for step in task.steps] == ["how y"] * 4
    # The name of one may be what another is called without one, whichever comes first.
    plain, taken = 'the thing "x" is at most 1 big', 'the thing "z" is at most 1 big, named "thing x"'
    for text in (f"{plain}\n{taken}", f"{taken}\n{plain}"):
        (task,) = planned(tmp_path, text, sentences, HOSTS[:1]).tasks
        assert task.problem.endswith("'thing x' names another number already; name each differently"), task.problem
    (task,) = planned(tmp_path, f'{plain}\n{plain}, named "thing x"', sentences, HOSTS[:1]).tasks
    assert task.problem == ""
    other = 'the thing "other" is at most 1 big, named "how y"'
    (task,) = planned(tmp_path, f"{lines}\n{other}", sentences, HOSTS[:1]).tasks
    assert task.problem == f"line 4: {other!r}: 'how y' names another number already; name each differently"


@pytest.mark.parametrize(
    "sentence, words",
    [
        ("port 22 is listening from the controller", "from the controller: socket is seen on hosts alone; leave"),
        ('the file "/x" exists from the controller', "from the controller: file is seen on hosts alone; leave"),
        ('the command "true" exits 0 from the controller', "from the controller: command is seen on hosts alone"),
        ('the disk "/" is less than 9 % full from the controller', "from the controller: disk is seen on hosts alone"),
        ('port 22 is listening from "web-2"', "this is seen on its own host alone; name the host meant with `on`"),
        ('"http://x/" answers from the controller', ""),
        ('"http://x/" answers from "web-2"', ""),
        ('the command "true" exits 0 from "web-2"', ""),
    ],
)
def test_a_viewpoint_that_sees_nothing_of_it_is_refused_when_it_is_planned(tmp_path, sentence, words):
    for task in planned(tmp_path, sentence, vocabulary(), HOSTS[:3]).tasks:
        assert words in task.problem
        assert bool(task.problem) == bool(words)


def test_all_that_does_not_fit_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problems: list[str] = []
    lines = [
        'port 22 is listening on "wbe-1"',
        '"http://x/" answers from every host in "wbe"',
        'the file "{output.al}" exists on "web-300"',
        'the disk "/" is less than {param.x} full',
        "port 22 is listening from the controller within 2 fortnights",
        "port 22 is listening",
    ]
    made = planned(tmp_path, "\n".join(lines), vocabulary(), HOSTS[:2], problems=problems)
    (task,) = made.tasks
    told = [(step.line.number, step.problem.partition(": known")[0].partition("? known")[0]) for step in task.steps]
    assert told == [
        (3, "unknown host 'wbe-1': did you mean 'web-1'"),
        (4, "unknown group 'wbe': did you mean 'web'"),
        (5, "unknown host 'web-300': did you mean 'web-2'"),
        (6, "'the disk \"/\" is less than {param.x} full': bound: 'y' is not a number with one of %, as 90 %"),
        (7, "within: '2 fortnights' is not a number with one of ms, s, min, h, days, as 30 s"),
    ]
    assert task.problem.count("; line ") == 4
    found = [line.partition(": known")[0].partition("? known")[0] for line in problems]
    assert found == [
        "x.feature:3: unknown host 'wbe-1': did you mean 'web-1'",
        "x.feature:4: unknown group 'wbe': did you mean 'web'",
        "x.feature:5: {output.al}: unknown name 'al'; did you mean 'all'",
        "x.feature:5: unknown host 'web-300': did you mean 'web-2'",
        "x.feature:6: 'the disk \"/\" is less than {param.x} full': bound: 'y' is not a number with one of %, as 90 %",
        "x.feature:7: within: '2 fortnights' is not a number with one of ms, s, min, h, days, as 30 s",
    ]


def test_a_scenario_whose_hosts_are_not_known_tells_what_else_is_wrong_with_it(tmp_path):
    path = tmp_path / "x.feature"
    path.write_text(
        'Feature: f\n  Scenario: s\n    Given the hosts in group "wbe"\n    And the host "db"\n'
        '    When the service "a b" is stopped\n    Then port 22 is listening\n    And port {param.z} is listening\n'
    )
    scenarios = feature(path, "x.feature", vocabulary()).scenarios
    (task,) = plan(scenarios, HOSTS[:2], Values(HOSTS[:2], {"x": "y"}, {})).tasks
    assert [(step.line.number, step.problem.partition(": did")[0].partition("; known")[0]) for step in task.steps] == [
        (3, "unknown group 'wbe'"),
        (4, "unknown host 'db': known are web-1, web-2"),
        (5, "'a b' is not the name of a unit: letters, digits and : _ . @ - \\ are allowed"),
        (7, "{param.z}: unknown name 'z'"),
    ]


def test_a_host_that_is_down_is_planned_by_its_name(tmp_path):
    down = Host(name="off", state=STOPPED)
    made = planned(tmp_path, '"http://{host.address}/" answers from the host', vocabulary(), [*HOSTS[:1], down])
    assert [(task.host, task.problem) for task in made.tasks] == [("web-1", ""), ("off", "")]
    assert [look.check.url for task in made.tasks for look in task.steps[0].looks] == [
        "http://10.0.0.1/",
        "http://off/",
    ]
