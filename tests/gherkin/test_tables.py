"""Sentences with a table below them: each row is a claim of its own, as if it were written out."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from infratest.gherkin import lint
from infratest.gherkin.parse import feature
from infratest.gherkin.patterns import as_written
from infratest.gherkin.suite import Feature
from infratest.gherkin.vocabulary import vocabulary
from tests.worlds import small_project


def texts(made: Feature, number: int = 0) -> list[tuple[str, str, int]]:
    return [(line.keyword, line.text, line.number) for line in made.scenarios[number].lines]


def test_a_plural_is_a_sentence_for_each_row(parsed):
    made = parsed(
        "Feature: f\n  Scenario: s\n    Then these packages are installed:\n      | bash |\n      | dash |\n"
        "    And these ports are not listening within 5 s:\n      | 81     |\n      | 53/udp |\n"
    )
    assert texts(made) == [
        ("Then", 'the package "bash" is installed', 4),
        ("And", 'the package "dash" is installed', 5),
        ("And", "port 81 is not listening within 5 s", 7),
        ("And", "port 53/udp is not listening within 5 s", 8),
    ]
    assert all(line.match is not None and line.kind == "then" for line in made.scenarios[0].lines)
    assert lint.binding(made) == []


@pytest.mark.parametrize(
    ("above", "rows", "sentences"),
    [
        ("these files exist:", ["/a"], ['the file "/a" exists']),
        ("these directories do not exist:", ["/a"], ['the directory "/a" does not exist']),
        ('these files contain "x":', ["/a"], ['the file "/a" contains "x"']),
        ("these processes are running:", ["sshd"], ['the process "sshd" is running']),
        ('these directories belong to the group "www":', ["/a"], ['the directory "/a" belongs to the group "www"']),
        ("these packages are installed:", ["package", "bash"], ['the package "bash" is installed']),
        ("these packages are installed:", ["name", "bash"], ['the package "bash" is installed']),
        (
            "these packages are installed:",
            ["bash", "name"],
            ['the package "bash" is installed', 'the package "name" is installed'],
        ),
        (
            'these packages have version "<v>":',
            ["package | v", "bash | 5", "a | 1:2"],
            ['the package "bash" has version "5"', 'the package "a" has version "1:2"'],
        ),
        ('these packages have version "<the v>":', ["the v | p", "5 | bash"], ['the package "bash" has version "5"']),
        ("port <port> is listening for each of:", ["port", "1", "2"], ["port 1 is listening", "port 2 is listening"]),
        ('"<url>" answers <status> for each of:', ["status | url", "200 | http://a/"], ['"http://a/" answers 200']),
        (
            "these addresses are reachable from:",
            [
                "from | db:5432 | {host.db.address}:22",
                "web-1 | yes | -",
                "the controller | no | yes",
                'every host in "w" | - | no',
            ],
            [
                'the address "db:5432" is reachable from "web-1"',
                'the address "db:5432" is not reachable from the controller',
                'the address "{host.db.address}:22" is reachable from the controller',
                'the address "{host.db.address}:22" is not reachable from every host in "w"',
            ],
        ),
        (
            'the disk "<d>" is less than <n> % full, warning <w> % for each of:',
            ["d | n | w", "/ | 90 | 80"],
            ['the disk "/" is less than 90 % full, warning 80 %'],
        ),
    ],
)
def test_what_a_table_is_written_out(parsed, above, rows, sentences):
    table = "".join(f"      | {row} |\n" for row in rows)
    made = parsed(f"Feature: f\n  Scenario: s\n    Then {above}\n{table}")
    assert [text for _, text, _ in texts(made)] == sentences
    assert lint.binding(made) == []


@pytest.mark.parametrize(
    ("above", "rows", "words"),
    [
        ("these packages are installed:", [], "needs a table below it"),
        ('the package "<p>" is installed for each of:', [], "needs a table below it"),
        ("these addresses are reachable from:", [], "needs a table below it"),
        ("these addresses are reachable from:", ["from | a:1"], "no row"),
        ("these addresses are reachable from:", ["host | a:1", "b | yes"], "its heading is `from` and the addresses"),
        ("these addresses are reachable from:", ["from", "b"], "its heading is `from` and the addresses"),
        (
            "these addresses are reachable from:",
            ["from | a:1", "b | Yes"],
            "the cell 'Yes' in line 5: write yes, no, or -",
        ),
        ("these addresses are reachable from:", ["from | a:1", "b | "], "the cell '' in line 5"),
        ("these addresses are reachable from:", ["from | a:1", "b | -"], "nothing would be looked at"),
        ("these addresses are reachable from:", ["from | a:1 | a:1", "b | no | yes"], "two columns are 'a:1'"),
        ("these addresses are reachable from:", ["from | a:1", "b | no", "b | yes"], "two rows are 'b'"),
        ("these addresses are reachable from:", ["from | a:1 | ", "b | no | no"], "one of its columns has no name"),
        ("these packages are installed", ["bash"], "end it with a colon"),
        ("these packages are installed:", ["name"], "has a heading and no row: nothing would be looked at"),
        ('the package "<p>" is installed for each of:', ["p"], "has a heading and no row"),
        ("these packages are installed:", [""], "the row in line 4 names no package"),
        ("these packages are instaled:", ["bash"], 'did you mean: the package "bash" is installed'),
        ("these pakages are installed:", ["bash"], "undefined: 'these pakages are installed:'"),
        (
            'these files have mode "<mod>":',
            ["path | mode", "/a | 0644"],
            "<mod>: unknown column 'mod': did you mean 'mode'?",
        ),
        ("these files exist:", ["path | mode", "/a | 0644"], "nothing reads the column 'mode'"),
        ('these files have mode "0644":', ["a | b | c", "/a | 1 | 2"], "nothing reads the column 'b'"),
        ('these files have mode "<a>":', ["a", "0644"], "every column is named in it; one must hold the files"),
        ('the file "<a>" exists for each of:', ["a | a", "/a | /b"], "two columns of its table are called 'a'"),
        ('the file "<a>" exists for each of:', ["a | b", "/a | /b"], "nothing reads the column 'b'"),
        ('the host "<h>" for each of:', ["h", "web"], "a sentence that selects hosts stands by itself"),
        ("these packages are installed:", ["a b"], "'a b' is not the name of a package"),
        ('the package "bash" is installed', ["bash"], "takes no text or table below it"),
    ],
)
def test_a_table_that_does_not_fit_is_a_mistake(parsed, above, rows, words):
    table = "".join(f"      | {row} |\n" for row in rows)
    made = parsed(f"Feature: f\n  Scenario: s\n    Then {above}\n{table}")
    ((_, problem),) = lint.sentences(made)
    assert words in problem


def test_a_table_in_a_background_and_in_an_outline(parsed):
    made = parsed(
        "Feature: f\n  Background:\n    Given these files exist:\n      | /a |\n      | /b |\n"
        "  Scenario Outline: <what>\n    Then these <what> exist:\n      | <x> |\n      | /<y> |\n"
        '    And the file "<z>" exists for each of:\n      | z |\n      | <x> |\n'
        "    Examples:\n      | what  | x  | y |\n      | files | /1 | 2 |\n      | directories | /3 | 4 |\n"
    )
    first = [('the file "/a" exists', 4), ('the file "/b" exists', 5)]
    for number, rest in enumerate(
        [
            ['the file "/1" exists', 'the file "/2" exists', 'the file "/1" exists'],
            ['the directory "/3" exists', 'the directory "/4" exists', 'the file "/3" exists'],
        ]
    ):
        written = [(text, line) for _, text, line in texts(made, number)]
        assert written[:2] == first
        assert [text for text, _ in written[2:]] == rest
    assert lint.binding(made) == []


def test_acts_take_tables_too(parsed):
    made = parsed("Feature: f\n  Scenario: s\n    When these services are stopped:\n      | a |\n      | b |\n")
    assert [text for _, text, _ in texts(made)] == ['the service "a" is stopped', 'the service "b" is stopped']
    assert made.scenarios[0].acting


#: What behave and Gherkin's own parser read alike: a backslash before these is refused where they do not.
CELL = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda cell: not re.search(r"\\(?:[n\\|]|$)", cell)
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(CELL, min_size=1, max_size=4))
@example(cells=['a"b', "c\\d", '\\"', "<x>"])
def test_whatever_is_in_a_cell_is_what_is_asked_for(tmp_path: Path, cells: list[str]):
    def escaped(cell: str) -> str:
        return cell.replace("|", "\\|")

    rows = "".join(f"      | {escaped(cell)} |\n" for cell in cells)
    path = tmp_path / "x.feature"
    path.write_text(
        f'Feature: f\n  Scenario: s\n    Then the file "/a" contains "<text>" for each of:\n      | text |\n{rows}'
    )
    made = feature(path, "x.feature", vocabulary())
    matches = [line.match for line in made.scenarios[0].lines]
    assert [match and match.arguments(as_written) for match in matches] == [
        {"path": "/a", "text": cell} for cell in cells
    ]


OWN = """\
import behave

@behave.then("these rows are summed:")
def summed(context):
    assert [row[0] for row in context.table.rows] == ["2"]

@behave.then("the sum is {number:d}")
def is_sum(context, number):
    assert number == 3
"""


def test_tables_of_ours_and_of_the_users_own_steps_in_one_scenario(tmp_path: Path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "own.py").write_text(OWN)
    (tmp_path / "x.feature").write_text(
        "Feature: f\n  Background:\n    Given these directories exist:\n      | /    |\n      | /tmp |\n"
        "  Scenario: s\n    Then these rows are summed:\n      | 1 |\n      | 2 |\n    And the sum is 3\n"
        "    And these files exist:\n      | /etc/passwd |\n      | /none       |\n    And the sum is 4\n"
    )
    done = small_project.run(tmp_path, "infratest", "test", "--host", "local", "x.feature", "-v")
    assert done.returncode == 2, done.stdout + done.stderr
    marks = [line.strip() for line in done.stdout.splitlines() if line.startswith("      ")]
    assert marks[:6] == [
        '✓ the directory "/" exists',
        '✓ the directory "/tmp" exists',
        "✓ these rows are summed:",
        "✓ the sum is 3",
        '✓ the file "/etc/passwd" exists',
        '✗ the file "/none" exists  x.feature:13',
    ]


def test_who_reaches_whom_is_looked_at_cell_by_cell(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and not listening: whoever connects is refused
        taken, free = (f"127.0.0.1:{each.getsockname()[1]}" for each in (listener, closed))
        text = f"""\
Feature: f
  Scenario: as it is
    Then these addresses are reachable from:
      | from              | {taken} | {free} |
      | web-1             | yes | no |
      | every host in "data" | yes | no |
      | the controller    | yes | -  |
  Scenario: as it is not
    Then these addresses are reachable from:
      | from              | {taken} | {free} |
      | web-2             | no  | yes |
      | the controller    | yes | no  |
"""
        small_project.write(tmp_path, {"stack.yaml": small_project.STACK, "features/x.feature": text})
        done = small_project.run(tmp_path, "infratest", "test", "-v", "--format", "json")
    report = json.loads(done.stdout)
    good, bad = report["results"]
    assert (good["state"], good["host"], [step["state"] for step in good["steps"]]) == ("ok", "-", ["ok"] * 5)
    assert (bad["state"], [step["state"] for step in bad["steps"]]) == (
        "critical",
        ["critical", "critical", "ok", "ok"],
    )
    assert f'the address "{taken}" is reachable' in bad["steps"][0]["reason"]
    assert "refused" in bad["steps"][1]["reason"]
