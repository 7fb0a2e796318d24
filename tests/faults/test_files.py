"""Stack files and features that cannot be used: one message with file, line, value and what next; nothing is run.

Each row is run by a verb for people and by the plugin, and must leave nothing behind, not even a state directory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.worlds.installed import OK_FEATURE, Place, one_monitoring_line


@dataclass(frozen=True)
class Row:
    """One file that cannot be used, and fragments of what is said of it."""

    id: str
    text: str | bytes | None
    says: tuple[str, ...]


def row(id: str, text: str | bytes | None, *says: str) -> Row:
    return Row(id, text, says)


HEAD = "stack: shop\nprovider: local\nhosts:\n  web:\n    groups: [web]\n"

STACKS = [
    row("missing", None, "no stack file stack.yaml", "`infratest init` writes one", "--stack FILE"),
    row("empty", "", "stack.yaml: the file is empty", "infratest init"),
    row("unknown key", HEAD + "    grups: [x]\n", "stack.yaml:6: hosts.web.grups", "did you mean 'groups'?"),
    row("bad type", HEAD + "    labels: eighty\n", "stack.yaml:6: hosts.web.labels", "'eighty'", "a map of names"),
    row(
        "a provider's",
        HEAD + "    command: sleep\n",
        "stack.yaml:6: hosts.web.command",
        "for `provider: container`",
        "'local'",
    ),
    row("bad type of a switch", HEAD + "production: often\n", "stack.yaml:6: production", "'often'", "true or false"),
    row("duplicate key", HEAD + "    groups: [x]\n", "stack.yaml:6: hosts.web.groups: the key stands twice", "line 5"),
    row(
        "unquoted mode",
        HEAD + "    provision:\n      - file: {from: ok.feature, to: /x, mode: 0644}\n",
        "stack.yaml:7",
        "mode",
        "0644",
        '"0644"',
    ),
    row(
        "cycle",
        "stack: s\nhosts:\n  a: {after: [b]}\n  b: {after: [a]}\n",
        "stack.yaml:3: hosts.a.after",
        "wait for each other: a -> b -> a",
        "take one name out",
    ),
    row("after itself", "stack: s\nhosts:\n  a: {after: [a]}\n", "stack.yaml:3: hosts.a.after", "a -> a"),
    row("after nobody", "stack: s\nhosts:\n  wbe: {}\n  a: {after: [web]}\n", "stack.yaml:4", "'web'", "'wbe'"),
    row(
        "unknown provider",
        "stack: s\nprovider: containr\nhosts: {a: {}}\n",
        "stack.yaml:2",
        "'containr'",
        "'container'",
    ),
    row("key of later", HEAD + "monitor: {discover: []}\n", "stack.yaml:6", "monitor.discover", "not in this version"),
    row("unknown remedy", HEAD + "heal: {r: {do: [{restrt: x}]}}\n", "stack.yaml:6", "'restrt'", "restart-service"),
    row("no YAML", "stack: [shop\n", "stack.yaml:", "not YAML"),
    row("a tab", "stack: shop\nhosts:\n\tweb: {}\n", "stack.yaml:3", "tab"),
    row("not UTF-8", b"stack: shop\n# caf\xe9\n", "stack.yaml:2: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    row("binary", b"\x7fELF\x00\x00", "stack.yaml:1", "U+007F"),
]


@pytest.mark.parametrize("case", STACKS, ids=lambda case: case.id)
def test_stack_file(place: Place, case: Row) -> None:
    place.write({"stack.yaml": case.text})
    before = place.files()

    up = place.run("infratest up")
    assert (up.status, up.out) == (2, "")
    assert up.err.startswith("infratest: ")
    assert len(up.err.splitlines()) == 1
    assert missing(case.says, up.err) == []

    check = place.run("check_infratest ok.feature")
    assert check.status == 3
    assert missing(on_one_line(case.says), one_monitoring_line(check, "UNKNOWN")) == []
    place.nothing_left(before)


HELLO = '  Scenario: hello\n    Then the file "/etc/passwd" exists\n'

FEATURES = [
    row("not there", None, "x.feature: no such feature or folder; looked in "),
    row("empty file", "", "x.feature: empty", "'Feature: <what must hold>'"),
    row("only a comment", "# nothing\n", "x.feature: empty"),
    row("no scenario", "Feature: a\n", "x.feature:1: feature 'a' has no scenarios: it would check nothing"),
    row(
        "unknown sentence",
        'Feature: a\n  Scenario: b\n    Then the fiel "/x" exists\n',
        "undefined: 'the fiel",
        "did you mean: the file",
    ),
    row(
        "misspelt first keyword",
        'Feature: a\n  Scenario: b\n    Thne the file "/x" exists\n',
        "x.feature:3",
        "Thne",
        "'Then'",
    ),
    row(
        "misspelt later keyword",
        f'Feature: a\n{HELLO}    Adn the file "/x" exists\n',
        "x.feature:4",
        "Adn the file",
        "did you mean 'And'?",
    ),
    row(
        "misspelt Scenario",
        f"Feature: a\n{HELLO}  Scenari: c\n    Then port 22 is listening\n",
        "x.feature:4",
        "Scenari: c",
        "'Scenario:'",
    ),
    row(
        "misspelt first Scenario",
        "Feature: a\n  Scenari: c\n    Then port 22 is listening\n",
        "x.feature:2",
        "Scenari: c",
        "'Scenario:'",
    ),
    row("misspelt Feature", f"Featur: a\n{HELLO}", "x.feature:1", "Featur: a", "'Feature:'"),
    row(
        "text before the first step",
        "Feature: a\n  Scenario: b\n    port 22 is listening\n    Then port 22 is listening\n",
        "x.feature:3",
        "'port 22 is listening'",
        "before the first step",
    ),
    row("empty scenario", f"Feature: a\n  Scenario: none\n{HELLO}", "x.feature:2", "'none' has no steps"),
    row(
        "outline without rows",
        "Feature: a\n  Scenario Outline: o\n    Then port <p> is listening\n    Examples:\n      | p |\n",
        "x.feature:2",
        "'o' has no rows",
    ),
    row(
        "outline without examples",
        "Feature: a\n  Scenario Outline: o\n    Then port <p> is listening\n",
        "x.feature:2",
        "'o' has no rows",
    ),
    row("unknown tag", f"Feature: a\n  @helas:web\n{HELLO}", "x.feature:3", "unknown tag @helas:web", "@heal:"),
    row(
        "a drill without a fault",
        f"Feature: a\n  @drill:x\n{HELLO}",
        "x.feature:3",
        "drill 'hello' has no fault",
        "break something after When",
    ),
    row(
        "needs of nobody",
        f"Feature: a\n  @needs:zz\n{HELLO}",
        "x.feature:3",
        "@needs:zz: unknown scenario 'zz'",
        "hello",
    ),
    row("equal names", f"Feature: a\n{HELLO}{HELLO}", "x.feature:4", "same id as the one in line 2", "rename it"),
    row(
        "an act after Then",
        'Feature: a\n  Scenario: b\n    Then the service "x" is stopped\n',
        "x.feature:3",
        "only follow When",
    ),
    row(
        "a bound that cannot be",
        'Feature: a\n  Scenario: b\n    Then the disk "/" is less than 80 % full, warning 90 %\n',
        "x.feature:3",
        "looser",
    ),
    row(
        "unknown value",
        'Feature: a\n  Scenario: b\n    Then the file "{param.nowhere}" exists\n',
        "x.feature:3",
        "param.nowhere",
        "unknown name",
    ),
    row(
        "unknown group",
        'Feature: a\n  Scenario: b\n    Given the hosts in group "wbe"\n    Then port 22 is listening\n',
        "x.feature:3",
        "unknown group 'wbe'",
        "'web'",
    ),
    row("not UTF-8", b"Feature: a\n  Scenario: \xe9\n", "x.feature:2: not UTF-8: byte 0xe9; save the file as UTF-8"),
    row("binary", b"\x7fELF\x00\x00\x01", "x.feature"),
    row(
        "a table below a sentence of ours", f"Feature: a\n{HELLO}      | a |\n", "'the file ", "takes no text or table"
    ),
]


@pytest.mark.parametrize("case", FEATURES, ids=lambda case: case.id)
def test_feature(place: Place, case: Row) -> None:
    if case.text is not None:
        place.write({"x.feature": case.text})
    before = place.files()

    test = place.run("infratest test x.feature")
    assert (test.status, test.err) == (3, "")
    assert missing(case.says, test.out) == []

    check = place.run("check_infratest x.feature")
    assert check.status == 3
    # Of what cannot be planned, the line of the output begins with the feature, and its words with the sentence's line.
    assert missing(on_one_line(case.says), re.sub(r": line (?=\d+: )", ": x.feature:", check.out)) == []
    one_monitoring_line(check, "UNKNOWN")

    place.nothing_left(before)


def test_a_step_of_the_users_own_that_is_ours_too(place: Place) -> None:
    """Two sentences match: which one was meant cannot be known."""
    place.write(
        {
            "features/a.feature": "Feature: a\n  Scenario: b\n    Then port 22 is listening\n",
            "features/steps/mine.py": (
                "from behave import then\n@then('port {number} is listening')\ndef look(context, number): pass\n"
            ),
        }
    )
    before = place.files()
    test = place.run("infratest test")
    assert test.status == 3
    assert missing(("features/a.feature:3", "ambiguous", "'port 22 is listening'"), test.out) == []
    check = place.run("check_infratest")
    assert check.status == 3
    assert "ambiguous" in one_monitoring_line(check, "UNKNOWN")
    place.nothing_left(before)


def test_two_steps_of_the_users_own(place: Place) -> None:
    place.write(
        {
            "features/a.feature": "Feature: a\n  Scenario: b\n    Then it is fine\n",
            "features/steps/mine.py": (
                "from behave import then, step\n@then('it is fine')\ndef one(context): pass\n"
                "@step('it is {how}')\ndef two(context, how): pass\n"
            ),
        }
    )
    before = place.files()
    test = place.run("infratest test")
    assert test.status == 3
    assert "mbiguous" in test.out
    assert "mine.py" in test.out
    place.nothing_left(before)


def test_a_step_file_with_a_mistake(place: Place) -> None:
    place.write({"features/a.feature": OK_FEATURE, "features/steps/mine.py": "def (:\n"})
    before = place.files()
    test = place.run("infratest test")
    assert test.status == 3
    assert "mine.py" in test.out
    place.nothing_left(before)


def missing(fragments: tuple[str, ...], text: str) -> list[str]:
    return [fragment for fragment in fragments if fragment not in text]


def on_one_line(fragments: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a monitoring line must hold: what is wrong comes first there, its place behind it."""
    parted = [re.fullmatch(r"(\S+:\d+): (.+)", fragment) for fragment in fragments]
    return tuple(
        part
        for fragment, match in zip(fragments, parted, strict=True)
        for part in ((match[2], f"({match[1]})") if match else (fragment,))
    )
