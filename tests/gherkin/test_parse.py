"""Feature files to values: outlines, ids, rules, languages, encodings; and any text at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from infratest.errors import FeatureError
from infratest.gherkin.parse import LARGEST, feature
from infratest.gherkin.suite import Feature, slug
from infratest.gherkin.vocabulary import vocabulary

PORT = "port 22 is listening"


def lines(made: Feature, number: int = 0) -> list[tuple[str, str, str, int]]:
    return [(line.kind, line.keyword, line.text, line.number) for line in made.scenarios[number].lines]


def test_a_feature_as_values(parsed):
    made = parsed(
        "@web\nFeature: The shop\n  Words.\n\n  @slow @web\n  Scenario: It's up, it runs!\n"
        f"    Given {PORT}\n    And {PORT}\n    Then {PORT}\n    But port 23 is not listening\n"
    )
    assert (made.path, made.file, made.name, made.tags) == ("x.feature", "x.feature", "The shop", ("web",))
    (only,) = made.scenarios
    assert (only.name, only.line, only.row, only.feature_name) == ("It's up, it runs!", 6, None, "The shop")
    assert (only.slug, only.key, only.id("web-1")) == (
        "it-s-up-it-runs", "x.feature#it-s-up-it-runs", "x.feature#it-s-up-it-runs@web-1",
    )  # fmt: skip
    assert sorted(only.tags) == ["slow", "web"]
    assert lines(made) == [
        ("given", "Given", PORT, 7),
        ("given", "And", PORT, 8),
        ("then", "Then", PORT, 9),
        ("then", "But", "port 23 is not listening", 10),
    ]
    assert [line.match.negated for line in only.lines] == [False, False, False, True]
    assert (only.acting, only.own, only.severity) == (False, False, "critical")


def test_a_star_takes_the_kind_of_the_line_before(parsed):
    made = parsed(f"Feature: f\n  Scenario: s\n    Given {PORT}\n    * {PORT}\n    Then {PORT}\n    * {PORT}\n")
    assert [line[0] for line in lines(made)] == ["given", "given", "then", "then"]


def test_an_act_makes_a_scenario_acting(parsed):
    made = parsed('Feature: f\n  Scenario: s\n    When the command "x" is run\n    And the command "y" is run\n')
    assert [line[0] for line in lines(made)] == ["when", "when"]
    assert made.scenarios[0].acting


OUTLINE = """\
Feature: f
  @a
  Scenario Outline: port <port> of <what>
    Then port <port> is listening
    And the file "/<what>" exists

    Examples: first
      | port | what  |
      | 22   | ssh   |
      | 80   | <web> |

    @b
    Examples: second
      | port | what |
      | 443  | a\\|b |
"""


def test_an_outline_is_a_scenario_for_each_row(parsed):
    made = parsed(OUTLINE)
    assert [(one.name, one.row, one.line, sorted(one.tags)) for one in made.scenarios] == [
        ("port 22 of ssh", 1, 9, ["a"]),
        ("port 80 of <web>", 2, 10, ["a"]),
        ("port 443 of a|b", 3, 15, ["a", "b"]),
    ]
    assert [one.key for one in made.scenarios] == [
        "x.feature#port-22-of-ssh/1", "x.feature#port-80-of-web/2", "x.feature#port-443-of-a-b/3",
    ]  # fmt: skip
    assert [line.text for line in made.scenarios[1].lines] == ["port 80 is listening", 'the file "/<web>" exists']
    assert [line.text for line in made.scenarios[2].lines] == ["port 443 is listening", 'the file "/a|b" exists']


def test_only_the_tables_own_columns_are_replaced(parsed):
    made = parsed(
        'Feature: f\n  Scenario Outline: s\n    Then the command "cat <in >out; echo <a>" prints "<b>"\n'
        "    Examples:\n      | a |\n      | 1 |\n"
    )
    assert lines(made)[0][2] == 'the command "cat <in >out; echo 1" prints "<b>"'


def test_rows_of_one_name_differ_by_their_number(parsed):
    made = parsed(
        "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n"
        "    Examples:\n    | p |\n    | 1 |\n    | 2 |\n"
    )
    assert [one.id("-") for one in made.scenarios] == ["x.feature#s/1@-", "x.feature#s/2@-"]


def test_backgrounds_of_feature_and_rule_come_first(parsed):
    made = parsed(
        'Feature: f\n  Background:\n    Given the host "a"\n  Scenario: plain\n    Then port 1 is listening\n'
        '  @r\n  Rule: r\n    Background:\n      Given the file "/x" exists\n    @s\n    Scenario: ruled\n'
        "      Then port 2 is listening\n"
        "    Scenario Outline: rows\n      Then port <p> is listening\n      Examples:\n        | p |\n        | 3 |\n"
    )
    texts = {one.name: [line.text for line in one.lines] for one in made.scenarios}
    assert texts == {
        "plain": ['the host "a"', "port 1 is listening"],
        "ruled": ['the host "a"', 'the file "/x" exists', "port 2 is listening"],
        "rows": ['the host "a"', 'the file "/x" exists', "port 3 is listening"],
    }
    assert [sorted(one.tags) for one in made.scenarios] == [[], ["r", "s"], ["r"]]


def test_tags_come_from_all_that_a_scenario_stands_in_each_once(parsed):
    made = parsed(f"@a @b\nFeature: f\n  @b @c\n  Scenario: s\n    Then {PORT}\n")
    assert sorted(made.scenarios[0].tags) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "tags, severity",
    [("@warning", "warning"), ("@critical", "critical"), ("@warning @critical", "critical"), ("@x", "critical")],
)
def test_severity(parsed, tags, severity):
    assert parsed(f"Feature: f\n  {tags}\n  Scenario: s\n    Then {PORT}\n").scenarios[0].severity == severity


def test_an_id_of_its_own(parsed):
    made = parsed(f"Feature: f\n  @id:web_up.1\n  Scenario: s\n    Then {PORT}\n")
    assert made.scenarios[0].id("h") == "x.feature#web_up.1@h"


def test_another_language(parsed):
    made = parsed(
        "# language: de\nFunktionalität: Der Laden\n  Grundlage:\n    Angenommen port 1 is listening\n"
        "  Szenario: Größe\n    Dann port 2 is listening\n    Und port 3 is listening\n"
    )
    assert made.name == "Der Laden"
    assert made.scenarios[0].slug == "größe"
    assert [(kind, number) for kind, _, _, number in lines(made)] == [("given", 4), ("then", 6), ("then", 7)]


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("nginx answers", "nginx-answers"),
        ("  A  B  ", "a-b"),
        ("100 % of it", "100-of-it"),
        ("snake_case", "snake-case"),
        ("Größe & Maß", "größe-maß"),
        ("Ελλάδα", "ελλάδα"),
        ("日本語 テスト", "日本語-テスト"),
        ("a/b@c#d", "a-b-c-d"),
        ("--", ""),
    ],
)
def test_slugs(name, wanted):
    assert slug(name) == wanted


TEXT = f"Feature: f\n  Scenario: s\n    Then {PORT}\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.rstrip("\n").encode(),
        ("\n\n" + TEXT).encode(),
    ],
    ids=["CRLF", "BOM", "no last line break", "blank lines first"],
)
def test_spellings_of_the_same_text(parsed, data):
    assert [line[:3] for line in lines(parsed(data))] == [("then", "Then", PORT)]


def test_a_table_row_with_a_line_break_of_windows(parsed):
    text = "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n    Examples:\n    | p |\n    | 1 |\n"
    text = text.replace("\n", "\r\n")
    assert lines(parsed(text))[0][2] == "port 1 is listening"


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "x.feature: empty: it holds no Feature; start it with 'Feature: <what must hold>'"),
        (b"# only a comment\n\n", "x.feature: empty: it holds no Feature; start it with 'Feature: <what must hold>'"),
        (b"Feature: f\n\xff\n", "x.feature:2: not UTF-8: byte 0xff; save the file as UTF-8"),
        ("Feature: f\n".encode("utf-16"), "x.feature:1: not UTF-8: byte 0xff; save the file as UTF-8"),
        (b"Feature: f\n  Scenario: \0\n", "x.feature:2: a NUL character cannot be in a feature; remove it"),
        (b"x" * (LARGEST + 1), f"x.feature: more than {LARGEST} bytes is no feature file; split it"),
    ],
)
def test_no_feature(parsed, data, message):
    with pytest.raises(FeatureError) as raised:
        parsed(data)
    assert str(raised.value) == message


def test_not_there_and_no_file(tmp_path):
    with pytest.raises(FeatureError, match=r"none.feature: no such feature"):
        feature(tmp_path / "none.feature", "none.feature", vocabulary())
    with pytest.raises(FeatureError, match="cannot be read: Is a directory"):
        feature(tmp_path, "x", vocabulary())


def test_a_sentence_that_cannot_be_used_is_told_in_its_line_and_costs_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.feature"
    path.write_text(f"{TEXT}      | a |\n  Scenario: own\n    Then mine\n  Scenario: two\n    Then both\n")

    def user_step(kind: str, text: str) -> str:
        if text == "both":
            raise FeatureError("ambiguous: 'both' is matched by your steps 'a' and 'b'")
        return "act" if text == "mine" else ""

    made = feature(path, "x.feature", vocabulary(), user_step)
    (ours,), (mine,), (both,) = (scenario.lines for scenario in made.scenarios)
    assert ours.problem == f"{PORT!r} takes no text or table below it"
    assert (mine.problem, mine.user) == ("", "act")
    assert (both.problem, both.user) == ("ambiguous: 'both' is matched by your steps 'a' and 'b'", "")
    path.write_text(TEXT)
    ((line,),) = (one.lines for one in feature(path, "x.feature", vocabulary(), lambda kind, text: "act").scenarios)
    assert line.problem.startswith(f"ambiguous: {PORT!r} is a sentence of infratest and a step of your own")


def test_scenarios_without_a_name_are_called_by_their_place_among_their_like(parsed):
    made = parsed(
        f"Feature: f\n  Scenario:\n    Then {PORT}\n  Scenario: named\n    Then {PORT}\n"
        f"  Scenario: ...\n    Then {PORT}\n"
        "  Scenario Outline:\n    Then port <p> is listening\n    Examples:\n    | p |\n    | 1 |\n    | 2 |\n"
        f"  Rule: r\n    Scenario:\n      Then {PORT}\n"
    )
    assert [one.id("h") for one in made.scenarios] == [
        "x.feature#unnamed-scenario-1@h", "x.feature#named@h", "x.feature#unnamed-scenario-2@h",
        "x.feature#unnamed-scenario-3/1@h", "x.feature#unnamed-scenario-3/2@h", "x.feature#r-unnamed-scenario-1@h",
    ]  # fmt: skip


def test_a_name_in_two_rules_is_told_apart_by_the_rule_and_any_other_keeps_its_id(parsed):
    text = (
        f"Feature: f\n  Scenario: top\n    Then {PORT}\n  Rule: A\n    Scenario: it answers\n      Then {PORT}\n"
        f"    Scenario: only here\n      Then {PORT}\n  Rule: B b\n    Scenario: It answers!\n      Then {PORT}\n"
    )
    assert [(one.slug, one.name) for one in parsed(text).scenarios] == [
        ("top", "top"), ("a-it-answers", "A: it answers"), ("only-here", "only here"),
        ("b-b-it-answers", "B b: It answers!"),
    ]  # fmt: skip
    with pytest.raises(FeatureError, match=r"^x.feature:10: scenario 'A: It answers!' has the same id as the one in "):
        parsed(text.replace("B b", "A"))


def test_tags_of_a_row_are_not_bent(parsed):
    made = parsed(
        "Feature: f\n  @runbook:https://wiki.example/<p>?a=b#c @id:port-<p>\n  Scenario Outline: s\n"
        "    Then port <p> is listening\n    @why:x\n    Examples:\n    | p |\n    | 1 |\n".replace("    @why:x\n", "")
    )
    assert made.scenarios[0].tag("runbook") == "https://wiki.example/1?a=b#c"
    assert made.scenarios[0].slug == "port-1"


#: Pieces that Gherkin is made of, so that what is drawn is more often nearly right than noise.
PIECES = st.sampled_from(
    [
        "Feature: f",
        "Rule: r",
        "Background:",
        "Scenario: s",
        "Scenario: t",
        "Scenario Outline: o <a>",
        "Examples:",
        "Examples: e",
        'Given the host "a"',
        f"Then {PORT}",
        "And port <a> is listening",
        "But it is so",
        "* x",
        'When the command "x" is run',
        "| a |",
        "| 1 |",
        "| a | b |",
        "|",
        "| a",
        "@tag",
        "@id:x",
        "@tag @",
        "@",
        "@a b",
        '"""',
        "'''",
        "```",
        "words",
        "# language: de",
        "# language: nn-xx",
        "Scenari: s",
        "Thne x",
        "Examples",
        "Scenario",
        "Feature:",
        "Feature: g",
        "",
        "  ",
        "\t",
        "\\",
        "\\|",
        "Szenario: s",
        "Dann x",
        "Then",
        "Given ",
        "<a>",
        "{param.x}",
        "\x00",
        "\x1b[31m",
        "\u2028",
        "\x85",
        "\x0c",
        "\r",
        "é",
    ]
)
GHERKIN = st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=14).map("\n".join)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("# language: nn-xx\nFeature: f\n")
@example("Feature: f\nScenario Outline: o\nThen x\nExamples:\n| a |\n| 1 | 2 |\n")
@example("Feature: f\nScenario: s\nThen x\n| a |\n| 1 | 2 |\n")
@example('Feature: f\nScenario: s\nThen x\n"""\nopen')
@example("@a b\nFeature: f\n")
@given(st.one_of(GHERKIN, st.text(max_size=200)))
def test_any_text_is_a_feature_that_checks_something_or_refused(tmp_path, text):
    path: Path = tmp_path / "x.feature"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(FeatureError):
        made = feature(path, "x.feature", vocabulary())
        assert made.scenarios
        assert all(scenario.lines and scenario.slug for scenario in made.scenarios)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(tmp_path, data):
    path: Path = tmp_path / "x.feature"
    path.write_bytes(data)
    with contextlib.suppress(FeatureError):
        made = feature(path, "x.feature", vocabulary())
        assert made.scenarios
        assert all(scenario.lines and scenario.slug for scenario in made.scenarios)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60))
def test_every_step_line_is_a_line_of_the_scenario(tmp_path, words):
    """No text behind a keyword makes a step vanish."""
    path: Path = tmp_path / "x.feature"
    path.write_text(
        f"Feature: f\n  Scenario: s\n    Then {PORT}\n    And a {words}\n    And {PORT}\n", encoding="utf-8"
    )
    made = feature(path, "x.feature", vocabulary())
    assert [line.number for line in made.scenarios[0].lines] == [3, 4, 5]
    assert made.scenarios[0].lines[1].text == f"a {words}".strip()


DESCRIBED = """\
Feature: f
  Rule: r
    Scenario Outline: s <n>
      Given the command "exit <n>" exits 0
        {fence}
        Examples: of a text
          no description
          | n |
        {fence}
    Examples: first
      For the web, as

      # a comment
      * the plan says.
      | n |
      | 1 |
    @slow
    Examples:
      Of the others.

      | n |
      | 2 |
  Scenario Outline: t
    Then port <n> is listening
    Examples:
      | n |
      | 3 |
"""


def test_examples_are_described_as_anything_else_is(parsed):
    text = DESCRIBED.replace("        {fence}\n", "")
    text = text.replace("        Examples: of a text\n          no description\n          | n |\n", "")
    made = parsed(text)
    assert [(one.name, one.row, lines_of(one)) for one in made.scenarios] == [
        ("s 1", 1, [('the command "exit 1" exits 0', 4)]),
        ("s 2", 2, [('the command "exit 2" exits 0', 4)]),
        ("t", 1, [("port 3 is listening", 19)]),
    ]
    assert [one.tags for one in made.scenarios] == [(), ("slow",), ()]


def lines_of(scenario):
    return [(line.text, line.number) for line in scenario.lines]


def test_a_text_that_looks_like_described_examples_is_not_touched(parsed):
    """What stands between fences is the text of its step, whatever it looks like."""
    text = DESCRIBED.replace("{fence}", '"""')
    scenario = parsed(text).scenarios[0]
    assert scenario.source.steps[0].text == "Examples: of a text\n  no description\n  | n |"
