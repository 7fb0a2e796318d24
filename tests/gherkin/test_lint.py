"""What Gherkin would swallow: each refused with its line and words, and what merely looks like it accepted."""

from __future__ import annotations

import pytest

from infratest import later
from infratest.errors import FeatureError
from infratest.gherkin.lint import binding, heals, needs
from infratest.gherkin.structure import keyword_hint
from infratest.gherkin.vocabulary import vocabulary

PORT = "port 22 is listening"
GOOD = f"  Scenario: good\n    Then {PORT}\n"

#: (what, text, the message without `x.feature:`, several joined by a line break)
REFUSED = [
    ("misspelt keyword first in a scenario", f"Feature: f\n  Scenario: s\n    Thne {PORT}\n",
     f"3: Scenario 's': 'Thne {PORT}' stands before the first step and would be ignored"
     "; did you mean 'Then'?"),
    ("misspelt keyword later", f"Feature: f\n{GOOD}    Adn {PORT}\n",
     f"4: not Gherkin: 'Adn {PORT}'; did you mean 'And'?"),
    ("a sentence without its keyword", f"Feature: f\n  Scenario: s\n\n    # why\n    {PORT}\n    Then {PORT}\n",
     f"5: Scenario 's': '{PORT}' stands before the first step and would be ignored; "
     "put a comment behind '#', or a keyword before it"),
    ("a sentence without its keyword, with a capital",
     f"Feature: f\n  Scenario: s\n    P{PORT[1:]}\n    Then {PORT}\n",
     f"3: Scenario 's': 'P{PORT[1:]}' stands before the first step and would be ignored; "
     "put a comment behind '#', or a keyword before it"),
    ("a misspelt keyword before what is no sentence", f"Feature: f\n  Scenario: s\n    Wehn it is\n    Then {PORT}\n",
     "3: Scenario 's': 'Wehn it is' stands before the first step and would be ignored; did you mean 'When'?"),
    ("another keyword before a sentence", f"Feature: f\n  Scenario: s\n    The {PORT}\n    Then {PORT}\n",
     f"3: Scenario 's': 'The {PORT}' stands before the first step and would be ignored; did you mean 'Then'?"),
    ("a keyword alone", f"Feature: f\n  Scenario: s\n    Given\n    Then {PORT}\n",
     "3: Scenario 's': 'Given' stands before the first step and would be ignored; "
     "it cannot stand here, or nothing follows it"),
    ("a table before the first step", f"Feature: f\n  Scenario: s\n    | a |\n    Then {PORT}\n",
     "3: Scenario 's': '| a |' stands before the first step and would be ignored; "
     "a table or text stands below the step that takes it"),
    ("a text before the first step", f'Feature: f\n  Scenario: s\n    """\n    Then {PORT}\n',
     "3: Scenario 's': '\"\"\"' stands before the first step and would be ignored; "
     "a table or text stands below the step that takes it"),
    ("a sentence in a background", f"Feature: f\n  Background:\n    {PORT}\n    Given {PORT}\n{GOOD}",
     f"3: Background '': '{PORT}' stands before the first step and would be ignored; "
     "put a comment behind '#', or a keyword before it"),
    ("misspelt first Scenario", f"Feature: f\n  Scenari: s\n    Then {PORT}\n{GOOD}",
     "2: 'Scenari: s' reads like a keyword and is only text; did you mean 'Scenario:'?\n"
     f"x.feature:3: 'Then {PORT}' reads like a keyword and is only text"),
    ("misspelt first Scenario and no step that gives it away", f"Feature: f\n  Scenaro: s\n    * {PORT}\n{GOOD}",
     "2: 'Scenaro: s' reads like a keyword and is only text; did you mean 'Scenario:'?\n"
     f"x.feature:3: '* {PORT}' reads like a keyword and is only text"),
    ("misspelt Background", f"Feature: f\n  Backgroud:\n{GOOD}",
     "2: 'Backgroud:' reads like a keyword and is only text; did you mean 'Background:'?"),
    ("misspelt second Scenario", f"Feature: f\n{GOOD}  Scenari: s\n    Then {PORT}\n",
     "4: not Gherkin: 'Scenari: s'; did you mean 'Scenario:'?"),
    ("a scenario without its line", f"Feature: f\n  Given {PORT}\n{GOOD}",
     f"2: 'Given {PORT}' reads like a keyword and is only text"),
    ("in a rule", f"Feature: f\n  Rule: r\n    Scenari: s\n{GOOD}",
     "3: 'Scenari: s' reads like a keyword and is only text; did you mean 'Scenario:'?"),
    ("in German", f"# language: de\nFunktionalität: f\n  Szenaro: s\n    Dann {PORT}\n  Szenario: t\n    Dann {PORT}\n",
     "3: 'Szenaro: s' reads like a keyword and is only text; did you mean 'Szenario:'?\n"
     f"x.feature:4: 'Dann {PORT}' reads like a keyword and is only text"),
    ("in German, a step", f"# language: de\nFunktionalität: f\n  Szenario: s\n    Dnan {PORT}\n",
     f"4: Szenario 's': 'Dnan {PORT}' stands before the first step and would be ignored"
     "; did you mean 'Dann'?"),
    ("misspelt Feature", f"Featur: f\n{GOOD}", "1: not Gherkin: 'Featur: f'; did you mean 'Feature:'?"),
    ("an empty scenario", f"Feature: f\n  Scenario: s\n{GOOD}", "2: scenario 's' has no steps: it would check nothing"),
    ("an empty scenario in a rule", f"Feature: f\n  Rule: r\n  Scenario: s\n{GOOD}",
     "3: scenario 's' has no steps: it would check nothing"),
    ("an empty outline", "Feature: f\n  Scenario Outline: s\n    Examples:\n      | a |\n      | 1 |\n",
     "2: scenario outline 's' has no steps: it would check nothing"),
    ("an outline without rows", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n"
     "    Examples:\n      | p |\n", "2: scenario outline 's' has no rows: it would never run"),
    ("an outline without a table", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n    Examples:\n",
     "2: scenario outline 's' has no rows: it would never run"),
    ("an outline without examples", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n",
     "2: scenario outline 's' has no rows: it would never run"),
    ("an outline with one table that is empty", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n"
     "    Examples: a\n      | p |\n      | 1 |\n    Examples: b\n      | p |\n",
     "2: scenario outline 's' has no rows: it would never run"),
    ("tags at the end", f"Feature: f\n{GOOD}\n  @test @id:x\n  # Scenario: t\n\n",
     "5: '@test @id:x' tags nothing: no scenario follows"),
    ("no scenario", "Feature: f\n  Only words.\n", "1: feature 'f' has no scenarios: it would check nothing"),
    ("a background alone", f"Feature: f\n  Background:\n    Given {PORT}\n",
     "1: feature 'f' has no scenarios: it would check nothing"),
    ("an empty rule", "Feature: f\n  Rule: r\n", "1: feature 'f' has no scenarios: it would check nothing"),
    ("equal slugs", f"Feature: f\n{GOOD}  Scenario: Good!\n    Then {PORT}\n",
     "4: scenario 'Good!' has the same id as the one in line 2: 'good'; rename it or give it @id:NAME"),
    ("equal ids", f"Feature: f\n  @id:a\n{GOOD}  @id:a\n  Scenario: t\n    Then {PORT}\n",
     "6: scenario 't' has the same id as the one in line 3: 'a'; rename it or give it @id:NAME"),
    ("an unknown tag with a value", f"Feature: f\n  @need:x\n{GOOD}",
     "3: unknown tag @need:x: did you mean @needs:? "
     "known are @id:, @heal:, @drill:, @needs:, @attempts:, @interval:, @timeout:, @runbook:, @skip:"),
    ("a tag without its value", f"Feature: f\n  @heal:\n{GOOD}", "3: @heal: needs something behind the colon"),
    ("a step in the description", f"Feature: f\n  And {PORT}\n{GOOD}",
     f"2: 'And {PORT}' reads like a keyword and is only text"),
    ("a starred step in a rule's description", f"Feature: f\n  Rule: r\n    * {PORT}\n{GOOD}",
     f"3: '* {PORT}' reads like a keyword and is only text"),
    ("a misspelt column", 'Feature: f\n  Scenario Outline: s\n    Then the file "<paht>" does not exist\n'
     "    Examples:\n      | path |\n      | /a   |\n",
     "5: column 'path' is used nowhere, and <paht> is no column but text; columns are path"),
    ("a row too long", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n    Examples:\n"
     "      | p |\n      | 1 | 2 |\n", "6: not Gherkin: '| 1 | 2 |': its cells are not as many as above"),
    ("a column twice", "Feature: f\n  Scenario Outline: s\n    Then the file \"<p>\" has mode \"<m>\"\n"
     "    Examples:\n      | p | m | m |\n      | /a | 0644 | 0600 |\n",
     "5: column 'm' stands twice: the second would never be looked at; rename or remove it"),
    ("a column of notes", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n"
     "    Examples:\n      | p | why |\n      | 1 | x |\n",
     "5: column 'why' is used nowhere; remove it, or name it as <why>, if only in the title"),
    ("a column without a name", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n"
     "    Examples:\n      | p |  |\n      | 1 | x |\n",
     "5: a column without a name: nothing can take its values; name it, or remove it"),
    ("a misspelt column where all are used", "Feature: f\n  Scenario Outline: s <path>\n"
     "    Then the file \"<paht>\" does not exist\n    Examples:\n      | path |\n      | /a   |\n",
     "3: <paht> is no column but text; did you mean <path>? columns are path"),
    ("blanks around a column", "Feature: f\n  Scenario Outline: s <path>\n"
     "    Then the file \"< path >\" does not exist\n    Examples:\n      | path |\n      | /a   |\n",
     "3: < path > is no column but text; did you mean <path>? columns are path"),
    ("a column that other examples lack", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n"
     "    Examples:\n      | p |\n      | 1 |\n    Examples: more\n      | q |\n      | 2 |\n",
     "8: column 'q' is used nowhere, and <p> is no column but text; columns are q\n"
     "x.feature:8: these examples have no column 'p': <p> would stay text in their rows"),
    ("a tag that behave would drop", "Feature: f\n  @id:<nmae>\n  Scenario Outline: s\n    Then port <p> is listening\n"
     "    Examples:\n      | p |\n      | 1 |\n",
     "2: @id:<nmae>: <nmae> is no column, and the tag would be dropped; columns are p"),
    ("a cell that behave would replace again", "Feature: f\n  Scenario Outline: s\n"
     "    Then the file \"<a>\" contains \"<b>\"\n    Examples:\n      | a | b |\n      | <b> | x |\n",
     "6: the cell '<b>' holds the column <b>, which would be replaced again"),
    ("what behave alone replaces", "Feature: f\n  Scenario Outline: s <p>\n    Then the file \"<row.id>\" exists\n"
     "    Examples:\n      | p |\n      | 1 |\n",
     "3: <row.id> is replaced by behave alone; only columns are: p"),
    ("a nearly known tag", f"Feature: f\n  @tset\n{GOOD}",
     "3: @tset: did you mean @test? a tag of your own must differ by more"),
    ("a nearly known tag of a feature", f"@warnng\nFeature: f\n{GOOD}",
     "3: @warnng: did you mean @warning? a tag of your own must differ by more"),
    ("a tag in capitals", f"Feature: f\n  @WIP\n{GOOD}",
     "3: @WIP: did you mean @wip? a tag of your own must differ by more"),
    ("a tag that needs a value", f"Feature: f\n  @skip\n{GOOD}",
     "3: @skip says nothing by itself: write @skip:reason-in-words"),
    ("a tag without a name", f"Feature: f\n  @ @a\n{GOOD}", "3: a tag without a name: write it right behind the @"),
    ("a drill without a fault", f"Feature: f\n  @drill:x\n{GOOD}",
     "3: the drill 'good' has no fault, so it proves nothing: break something after When, as When the process "
     "\"nginx\" is killed on \"web-1\""),
    ("two ids", f"Feature: f\n  @id:a @id:b\n{GOOD}",
     "3: @id:a: @id: stands 2 times, and one would be used; keep one\n"
     "x.feature:3: @id:b: @id: stands 2 times, and one would be used; keep one"),
    ("a value in a tag", f"Feature: f\n  @runbook:http://{{param.wiki}}/x\n{GOOD}",
     "3: @runbook:http://{param.wiki}/x: {param.wiki} is not replaced in a tag; write what it stands for"),
    ("a value in a name", f"Feature: f\n  Scenario: of {{host.name}}\n    Then {PORT}\n",
     "2: {host.name} is not replaced in a scenario's name; write what it stands for"),
    ("examples below a scenario", "Feature: f\n  Scenario: s\n    Then port <p> is listening\n    Examples:\n"
     "      | p |\n      | 1 |\n", "4: not Gherkin: 'Examples:'; examples belong to an outline: "
     "write 'Scenario Outline:' instead of 'Scenario:'"),
    ("a step in a description of examples", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n"
     "    Examples: e\n      For the web.\n      port 80 is listening\n      | p |\n      | 1 |\n",
     "6: Examples 'e': 'port 80 is listening' stands before its table and would be ignored; "
     "put a comment behind '#', or a keyword before it"),
    ("a keyword in a description of examples", "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n"
     "    Examples:\n      Tehn all is well\n      | p |\n      | 1 |\n",
     "5: Examples '': 'Tehn all is well' stands before its table and would be ignored; did you mean 'Then'?"),
    ("a description of examples before what is no Gherkin", "Feature: f\n  Scenario Outline: s\n"
     "    Then port <p> is listening\n    Examples: e\n      For the web.\n      | p |\n      | 1 | 2 |\n",
     "5: not Gherkin: 'For the web.'; something below is no Gherkin either: "
     "put this description behind '#' to see what"),
    ("And first", f"Feature: f\n  Scenario: s\n    And {PORT}\n", f"3: not Gherkin: 'And {PORT}'; "
     "it continues the step before it, and there is none: begin with Given, When or Then"),
    ("But first", f"Feature: f\n  Scenario: s\n    But {PORT}\n", f"3: not Gherkin: 'But {PORT}'; "
     "it continues the step before it, and there is none: begin with Given, When or Then"),
    ("as monitor only and as test only", f"@check\nFeature: f\n  @test\n{GOOD}",
     "4: @check and @test: only as monitor and only as test, it would never run; keep one of them"),
    ("attempts in words", f"Feature: f\n  @attempts:three\n{GOOD}",
     "3: @attempts:three: attempts is a whole number from 1 to 100, or two, as @attempts:3/5"),
    ("no attempt", f"Feature: f\n  @attempts:0\n{GOOD}",
     "3: @attempts:0: attempts is a whole number from 1 to 100, or two, as @attempts:3/5"),
    ("attempts of too many", f"Feature: f\n  @attempts:3/101\n{GOOD}",
     "3: @attempts:3/101: attempts is a whole number from 1 to 100, or two, as @attempts:3/5"),
    ("more failures than looks", f"Feature: f\n  @attempts:5/3\n{GOOD}",
     "3: @attempts:5/3: 5 failures of 3 looks cannot be; write as @attempts:3/5"),
    ("attempts of nothing", f"Feature: f\n  @attempts:3/\n{GOOD}",
     "3: @attempts:3/: 3 failures of no looks cannot be; write as @attempts:3/5"),
    ("attempts alone", f"Feature: f\n  @attempts\n{GOOD}", "3: @attempts says nothing by itself: write @attempts:3"),
    ("interval without a unit", f"Feature: f\n  @interval:60\n{GOOD}",
     "3: @interval:60: interval is a time with its unit, as @interval:60s"),
    ("interval of nothing", f"Feature: f\n  @interval:0s\n{GOOD}",
     "3: @interval:0s: an interval must be more than zero"),
    ("interval alone", f"Feature: f\n  @interval\n{GOOD}", "3: @interval says nothing by itself: write @interval:60s"),
    ("two intervals", f"Feature: f\n  @interval:10s @interval:1min\n{GOOD}",
     "3: @interval:10s: @interval: stands 2 times, and one would be used; keep one\n"
     "x.feature:3: @interval:1min: @interval: stands 2 times, and one would be used; keep one"),
    ("interval of an act", 'Feature: f\n  @interval:10s\n  Scenario: s\n    When the command "true" is run\n'
     '    Then the command "true" exits 0\n',
     "3: @interval:10s: what changes something, or holds steps of your own, is run once; leave it out"),
    ("attempts at an act", f'Feature: f\n  @attempts:3\n  Scenario: s\n    When the command "true" is run\n'
     f"    Then {PORT}\n",
     "3: @attempts:3: what changes something, or holds steps of your own, is run once; leave it out"),
    ("a time without its unit", f"Feature: f\n  @timeout:10\n{GOOD}",
     "3: @timeout:10: timeout is a time with its unit, as @timeout:10s"),
    ("an act after Given", f'Feature: f\n  Scenario: s\n    Given the service "x" is stopped\n    Then {PORT}\n',
     "3: 'the service \"x\" is stopped' changes something: it may only follow When"),
    ("an act after Then", 'Feature: f\n  Scenario: s\n    Then the command "x" is run\n',
     "3: 'the command \"x\" is run' changes something: it may only follow When"),
    ("a selection after Then", 'Feature: f\n  Scenario: s\n    Then the host "web"\n',
     "3: 'the host \"web\"' selects hosts: it may only follow Given"),
    ("a check after When", f"Feature: f\n  Scenario: s\n    When {PORT}\n",
     f"3: '{PORT}' changes nothing: write Then, or Given for what must hold before"),
]  # fmt: skip


@pytest.mark.parametrize("text, message", [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused(parsed, text, message):
    with pytest.raises(FeatureError) as raised:
        parsed(text)
    assert str(raised.value) == f"x.feature:{message}"


def test_an_unknown_language(parsed):
    with pytest.raises(FeatureError, match=r"^x.feature:3: unknown language 'deutsch': .*de, .*en, "):
        parsed(f"# a\n\n#language: deutsch\nFeature: f\n{GOOD}")


ACCEPTED = [
    ("prose that begins like a keyword", f"Feature: f\n  The web tier.\n  And the shop.\n  An engineer.\n{GOOD}"),
    ("prose with a colon",
     f"Feature: f\n  Note: see below\n  Why: it broke\n  Role: web\n  https://x.example/\n{GOOD}"),
    ("a list", f"Feature: f\n  * one\n  * two\n  - three\n{GOOD}"),
    ("prose of a rule", f"Feature: f\n  Rule: r\n    The tier behind it.\n{GOOD}"),
    ("comments everywhere", f"# a\nFeature: f\n# b\n  Scenario: s # no comment\n    # c\n    Then {PORT}\n    # d\n"),
    ("a tag of the user's own", f"@web @slow\nFeature: f\n  @web\n{GOOD}"),
    ("columns for the reader", "Feature: f\n  Scenario Outline: s\n    Then the file \"<p>\" contains \"<b>\"\n"
     "    Examples:\n      | p |\n      | /a |\n"),
    ("a column that only the title takes", "Feature: f\n  Scenario Outline: s <why>\n    Then port <p> is listening\n"
     "    Examples:\n      | p | why |\n      | 1 | x |\n"),
    ("every tag with a meaning", "Feature: f\n  @warning @critical @check @wip @id:x @heal:r @needs:y @attempts:3 "
     f"@timeout:1.5min @runbook:https://x.example/a#b @skip:not-now\n{GOOD}"),
    ("a star for a keyword", f"Feature: f\n  Scenario: s\n    * {PORT}\n    * {PORT}\n"),
    ("a description",
     f"Feature: f\n  Scenario: s\n    The shop must answer.\n    Any of them.\n\n    It is so.\n    * {PORT}\n"),
    ("a description of a background", f"Feature: f\n  Background: b\n    As in the plan.\n    Given {PORT}\n{GOOD}"),
    ("a description of an outline",
     "Feature: f\n  Scenario Outline: s\n    For each port.\n    Then port <p> is listening\n"
     "    Examples:\n      | p |\n      | 1 |\n"),
    ("no name", f"Feature: f\n  Scenario:\n    Then {PORT}\n"),
    ("a name of signs", f"Feature: f\n  Scenario: ...\n    Then {PORT}\n"),
    ("a table that our sentence does not take costs its scenario", f"Feature: f\n{GOOD}      | a |\n"),
    ("a text that our sentence does not take", f'Feature: f\n{GOOD}      """\n      x\n      """\n'),
    ("example for scenario", f"Feature: f\n  Example: s\n    Then {PORT}\n"),
    ("an undefined sentence, which is judged unknown", "Feature: f\n  Scenario: s\n    Then it is fine\n"),
]  # fmt: skip


@pytest.mark.parametrize("text", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_accepted(parsed, text):
    assert len(parsed(text).scenarios) == 1


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_lines(parsed):
    text = (
        f"Feature: f\n  Scenario: a\n  Scenario: b\n    Tehn it\n    Then {PORT}\n  @x:1\n"
        f"  Scenario: c\n    When {PORT}\n"
    )
    with pytest.raises(FeatureError) as raised:
        parsed(text)
    assert [line.split(":")[1] for line in str(raised.value).splitlines()] == ["2", "4", "7", "8"]


def test_a_wrong_tag_hides_no_wrong_sentence(parsed):
    text = "Feature: f\n  @tset\n  Scenario: a\n    Then it is fine\n  Scenario: b\n    Then port 99999 is listening\n"
    with pytest.raises(FeatureError) as raised:
        parsed(text)
    told = [line.split(":", 3)[1:3] for line in str(raised.value).splitlines()]
    assert told == [["3", " @tset"], ["4", " undefined"], ["6", " port 99999"]]


@pytest.mark.parametrize(
    "sentence, words",
    [
        ("it is fine", "undefined: 'it is fine'"),
        ('the servise "x" is running', "did you mean: the service"),
        ('the certificate of "shop.example:443" is valid for ever', "what stands behind it is not read: `for ever`"),
        ('the database "postgresql://db/shop" ansers', "did you mean: the database"),
        ('the balancer "shop" has at least 2 members', "not in this version"),
        ("port 22 is the same on all hosts", "the nearest there is: port 22 is listening"),
        ('the host "web-1" is rebooted', 'write: the host is rebooted on "web-1"'),
        ('the disk "/" is less than 80 % full, warning 90 %', "looser"),
        ('the disk "/" is less than 5 GiB full', "'5 GiB' is not a number with one of %"),
        ('the disk "/" is less than 90 full', "'90' is not a number with one of %"),
        ('the file "/x" has mode "999"', "999"),
        ("port 99999 is listening", "99999"),
    ],
)
def test_binding(parsed, sentence, words):
    problems = binding(parsed(f"Feature: f\n  Scenario: s\n    Then {sentence}\n"))
    assert [line for line, _ in problems] == [3]
    assert words in problems[0][1]


def test_nothing_that_can_be_said_is_called_not_in_this_version():
    texts = {text for one in vocabulary().sentences for text in (one.example, one.pattern, one.negation) if text}
    assert len(texts) > 200
    assert {text: words for text in texts if (words := later.sentence(text))} == {}


@pytest.mark.parametrize("braces", ["{host.name", "host.name}", "{{host.name}}", "{host .name}", "{parm.x}"])
@pytest.mark.parametrize(
    "sentence",
    [
        'the user "{}" does not exist', 'the file "/etc/hosts" does not contain "{}"', 'port 22 is listening on "{}"',
        'the command "echo {}" prints "x"', 'this is "{}" and no sentence',
    ],
)  # fmt: skip
def test_what_is_nearly_a_value_is_told_without_a_stack(parsed, sentence, braces):
    problems = binding(parsed(f"Feature: f\n  Scenario: s\n    Then {sentence.replace('{}', braces)}\n"))
    assert [words for line, words in problems if words.startswith(f"{braces}: ") and line == 3]


def test_binding_leaves_values_to_the_planner(parsed):
    text = 'Feature: f\n  Scenario: s\n    Then the disk "/" is less than {param.x} full\n'
    assert binding(parsed(text)) == []


def test_a_keyword_hint_names_the_nearest_keyword_of_the_language():
    assert keyword_hint("Gievn a thing") == "; did you mean 'Given'?"
    assert keyword_hint("Exmaples:") == "; did you mean 'Examples:'?"
    assert keyword_hint("Wnen etwas ist", "de") in ("; did you mean 'When'?", "; did you mean 'Wenn'?")
    assert keyword_hint("nginx is there") == ""
    assert keyword_hint("Feature: b") == keyword_hint("Then") == "; it cannot stand here, or nothing follows it"
    assert keyword_hint("") == ""


def test_needs_names_a_scenario_and_goes_in_no_circle(parsed):
    text = (
        f"Feature: f\n  @needs:b\n  Scenario: a\n    Then {PORT}\n  @needs:c\n  Scenario: b\n    Then {PORT}\n"
        f"  @needs:a @needs:elswhere\n  Scenario: c\n    Then {PORT}\n  @needs:a\n  Scenario: d\n    Then {PORT}\n"
    )
    other = parsed(f"Feature: f\n  Scenario: elsewhere\n    Then {PORT}\n")
    found = needs([parsed(text)], lambda: [other])
    assert [line.partition("; ")[0] for line in found] == [
        "x.feature:9: @needs:elswhere: unknown scenario 'elswhere': did you mean 'elsewhere'? "
        "known are a, b, c, d, elsewhere",
        "x.feature:3: @needs: goes in a circle from 'a' to itself",
        "x.feature:6: @needs: goes in a circle from 'b' to itself",
        "x.feature:9: @needs: goes in a circle from 'c' to itself",
    ]
    assert needs([parsed(text.replace("elswhere", "elsewhere"))], lambda: [other]) == found[1:]
    assert needs([other]) == []


def test_heal_names_a_rule_of_a_stack_that_has_rules(parsed):
    made = parsed(f"Feature: f\n  @heal:restart\n  Scenario: a\n    Then {PORT}\n")
    assert heals([made], ["restart", "other"]) == []
    assert heals([made], []) == []
    assert heals([made], ["restrt"]) == [
        "x.feature:3: @heal:restart: unknown heal rule 'restart': did you mean 'restrt'? known are restrt"
    ]
