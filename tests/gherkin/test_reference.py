"""What behave's parser bends or drops without an error: each refused with its line."""

from __future__ import annotations

import pytest

from infratest.errors import FeatureError

STEP = "Feature: f\n  Scenario: s\n    Given a step\n"
OUTLINE = "Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n    Examples:\n"

#: (what, text, the line that is named, words of the message)
REFUSED = [
    ("a row that is not closed", OUTLINE + "      | p |\n      | 18080\n", 6, "'| 18080' is not closed: its last cell"),
    ("a heading that is not closed", OUTLINE + "      | p\n      | 1 |\n", 5, "'| p' is not closed"),
    ("rows that are all open", OUTLINE + "      | p\n      | 1\n", 5, "'| p' is not closed"),
    ("a step's table", STEP + "      | a | b |\n      | c | d\n", 5, "'| c | d' is not closed"),
    ("a row closed by an escaped pipe", STEP + "      | a |\n      | c \\|\n", 5, "is not closed"),
    ("a pipe alone", STEP + "      |\n", 4, "'|' is not closed"),
    ("words behind the last pipe", STEP + "      | a | b |\n      | c | d # e\n", 5, "is not closed"),
    ("a backslash, and the pipe that ends its cell", STEP + "      | a\\\\| b |\n      | c |\n", 5,
     "a step takes one table, right below it, with as many cells in each row"),
    ("two texts", STEP + '      """\n      a\n      """\n      """\n      b\n      """\n', 7, "a step takes one text"),
    ("two tables", STEP + '      | a |\n      """\n      t\n      """\n      | b |\n', 8, "a step takes one table"),
    ("a type of text", STEP + '      """json\n      {}\n      """\n', 4, "'json' behind the opening fence is read by"),
    ("words behind a text",
     STEP + '      """\n      a\n      """ b\n', 6, "'b' behind the closing \"\"\" is read by nobody"),
    ("a fence of behave's", STEP + "      '''\n      a\n      '''\n", 4, "''' is a fence to behave alone"),
    ("a text that is not closed", STEP + '      """\n      a\n', 6, 'a text (""") is not closed'),
    ("an escaped fence", STEP + '      """\n      \\"\\"\\"\n      """\n', 4, "write it so that both agree"),
    ("blanks at the end of a text's line",
     STEP + '      """\n      a  \n      """\n', 4, "remove the blanks at the ends"),
    ("a keyword in small letters", "Feature: f\n  Scenario: s\n    then port 1 is listening\n", 3, "write 'Then'"),
    ("the same, later", STEP + "    then port 1 is listening\n", 4, "write 'Then'"),
    ("two tags in one word", "@a@b\n" + STEP, 1, "is read as 'a@b' by behave and as 'a' | 'b' by Gherkin's own parser"),
    ("a step behind examples",
     OUTLINE + "      | p |\n      | 1 |\n    Then port 2 is listening\n", 7, "cannot stand here"),
    ("a text behind examples",
     OUTLINE + '      | p |\n      | 1 |\n    """\n    a\n    """\n', 7, "a step takes one text"),
    ("a second background", "Feature: f\n  Background:\n  Background:\n    Given a\n  Scenario: s\n    Then b\n", 3,
     "'Background:' stands before the first step and would be ignored; it cannot stand here"),
    ("a text behind a table, which behave does not indent back",
     STEP + '      | b |\n      """\n      a\n      """\n', 5,
     "write it so that both agree"),
    ("a language in capitals",
     "# Language: de\nFunktionalität: f\n  Szenario: s\n    Dann x\n", 2, "cannot stand here"),
    ("a line separator", "Feature: f\n  Scenario: s\n    Then a\u2028b\n", 3, "U+2028 ends a line in some programs"),
    ("a form feed", "Feature: f\n\f  Scenario: s\n    Then a\n", 2, "U+000C ends a line in some programs"),
    ("a carriage return alone", "Feature: f\r  Scenario: s\r    Then a\r", 1, "U+000D ends a line in some programs"),
]  # fmt: skip


@pytest.mark.parametrize("text, line, words", [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_read_otherwise_is_refused_with_its_line(parsed, text, line, words):
    with pytest.raises(FeatureError) as raised:
        parsed(text)
    first = str(raised.value).splitlines()[0]
    assert first.startswith(f"x.feature:{line}: ")
    assert words in first


ALIKE = [
    ("closed rows with blanks behind", STEP + "      | a | b |  \n      | c | d |\t\n"),
    ("a comment in a table", STEP + "      | a |\n      # no row\n      | b |\n"),
    ("an empty line in a table", STEP + "      | a |\n\n      | b |\n"),
    ("escaped pipes", STEP + "      | a \\| b | \\| |\n"),
    ("an escaped line break", STEP + "      | a\\nb |\n"),
    ("an escaped backslash", STEP + "      | a\\\\b | c\\\\ |\n"),
    ("a backslash that escapes nothing", STEP + "      | \\d+ | C:\\x |\n"),
    ("empty cells", STEP + "      | a | b |\n      |   ||\n"),
    ("a text with empty lines", STEP + '      """\n\n      a\n        \n        b\n      """\n'),
    ("a text and a table", STEP + '      """\n      a\n      """\n      | b |\n'),
    ("a hash in a text", STEP + '      """\n      # a\n      | b\n      """\n'),
    ("tabs", "Feature: f\n\tScenario: s\n\t\tGiven a step\n\t\t\t\"\"\"\n\t\t\ta\n\t\t\t\"\"\"\n\t\t\t| a\t|\tb |\n"),
    ("Windows' line ends", STEP.replace("\n", "\r\n") + '      """\r\n      a\r\n\r\n      """\r\n      | a | b |\r\n'),
    ("a byte order mark", "\ufeff" + STEP),
    ("a comment behind tags", "@a @b # c\n" + STEP),
    ("descriptions everywhere", "Feature: f\n  a\n\n  # no\n  b\n  Background:\n    c\n    Given x\n  Rule: r\n    d\n"
     "    Background: e\n      Given y\n    Scenario: s\n      f\n\n      g\n      Then z\n"),
    ("other keywords", "Feature: f\n  Example: s\n    * a\n  Scenario Template: t <a>\n    Then b\n    Scenarios:\n"
     "      | a |\n      | 1 |\n"),
    ("another language",
     "# language: de\nFunktionalität: f\n  Grundlage:\n    Angenommen a\n  Szenario: s\n    Dann b\n"),
    ("a language without blanks", "# language: zh-CN\n功能: f\n  场景: s\n    那么port 1 is listening\n"),
]  # fmt: skip


@pytest.mark.parametrize("text", [case[1] for case in ALIKE], ids=[case[0] for case in ALIKE])
def test_what_both_parsers_read_alike_is_read(parsed, text):
    assert parsed(text).scenarios
