"""Texts that are written into features and read back: of every kind that stands in quotes, the same text comes back."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from infratest.errors import FeatureError
from infratest.gherkin.vocabulary import vocabulary
from infratest.gherkin.writing import Written, feature, in_quotes
from infratest.values import Values

#: Sentences with a path, a command, a text, a key and a pattern in quotes, and the field of the check that keeps it.
KINDS = {
    "path": "the file {} exists",
    "command": "the command {} exits 0",
    "text": 'the file "/f" contains {}',
    "at": 'the file "/f.json" has {} equal to "1"',
    "pattern": 'the file "/f" has no line matching {}',
}
#: What a line of a feature can hold, and much of what quoting is about.
LINE = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\x85")
TEXTS = st.text(LINE, max_size=30) | st.from_regex(r'(\\|"|\{host\.name\}|\{\{|a){0,10}', fullmatch=True)


def read_back(sentence: str) -> dict[str, str | int]:
    """Return what stands in the placeholders of a sentence, as a run takes it."""
    match = vocabulary().match(sentence)
    assert match is not None, sentence
    return match.arguments(lambda text, shell: Values([], {}, {}).fill(text, shell=shell))


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(sorted(KINDS)))
@example("C:\\\\bin", "pattern")
@example('{host.name} "C:\\"', "command")
@example("\\", "path")
def test_any_text_is_read_back_as_it_was(text, kind):
    try:
        back = read_back(KINDS[kind].format(in_quotes(text)))
    except FeatureError:  # `{host.x}}` cannot be told from a slip; it is refused, and never read as another text
        assert "}}" in text
    else:
        assert text in back.values()


def test_what_is_written_is_read_back_out_of_a_feature(parsed):
    awkward = [
        "C:\\", "C:\\\\bin", 'say \\"so\\"', '\\\\"', "{{host.name}}", "a | b # c", "\\d+\\.\\n", "<name>", " x\ty ",
    ]  # fmt: skip
    made = parsed(feature("f", [Written("s", [KINDS["pattern"].format(in_quotes(text)) for text in awkward])]))
    assert [read_back(line.text)["text"] for line in made.scenarios[0].lines] == awkward


def test_a_cell_is_read_back_beside_what_stands_around_it(parsed):
    """Behind the cell stands a quote, or a letter: only before a quote is a backslash written twice."""
    made = parsed(
        'Feature: f\n  Scenario: s\n    Then the file "/f" contains "<dir>x\\d<dir>" for each of:\n'
        '      | dir |\n      | C:\\ |\n      | a"  |\n    And these files exist:\n      | C:\\ |\n'
    )
    assert [read_back(line.text).get("text", "") for line in made.scenarios[0].lines] == [
        "C:\\x\\dC:\\", 'a"x\\da"', "",
    ]  # fmt: skip
    assert read_back(made.scenarios[0].lines[2].text) == {"path": "C:\\"}
