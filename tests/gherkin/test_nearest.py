"""What an undefined sentence was probably meant as: a suggestion is a sentence that can be asked, or there is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written, turned
from infratest.gherkin.vocabulary import vocabulary
from infratest.values import holds_braces

EXAMPLES = [sentence.example for sentence in vocabulary().sentences]
#: Values that some sentences take and others refuse, with quotes and backslashes that end a value, or do not.
VALUES = [
    "/tmp/x",
    "a b",
    "C:\\\\",
    'say \\"hi\\"',
    "10.0.0.1:80",
    "{param.x}",
    "*",
    "",
    "x\\",
    '{"a": "b"}',
    "http://x/",
]
SLIPS = st.tuples(
    st.sampled_from(["cut", "doubled", "swapped", "quote", "backslash", "not"]),
    st.integers(0, 200),
    st.integers(0, 200),
)


def spoiled(text: str, slips: list[tuple[str, int, int]], value: str) -> str:
    text = re.sub(r'"(?:[^"\\]|\\.)*"', lambda _: f'"{value}"', text, count=1)
    for kind, at, _ in slips:
        place = at % (len(text) + 1)
        before, here, after = text[:place], text[place : place + 1], text[place + 1 :]
        text = {
            "cut": before + after,
            "doubled": before + here * 2 + after,
            "swapped": before + after[:1] + here + after[1:],
            "quote": before + '"' + here + after,
            "backslash": before + "\\" + here + after,
            "not": before + (" not " if here == " " else here) + after,
        }[kind]
    return text


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EXAMPLES), st.lists(SLIPS, max_size=3), st.sampled_from(VALUES))
def test_a_suggestion_is_a_sentence_that_is_not_refused_in_turn(example, slips, value):
    near = vocabulary().nearest(spoiled(example, slips, value))
    if not near:
        return
    match = vocabulary().match(near)
    assert match is not None, near
    if not holds_braces(near):
        bind(match, as_written)


@pytest.mark.parametrize(
    "text, near",
    [
        (r'the fil "/tmp/a\"b\\" exists', r'the file "/tmp/a\"b\\" exists'),
        (r'the file "/tmp/x\" has the line "\"', r'the file "/tmp/x\\" has the line "\\"'),
        (r'the file "/tmp/x\" exists', r'the file "/tmp/x\\" exists'),
        ('the topic "a" of "mqtt://x" does not have a message', 'the topic "a" of "mqtt://x" has no message'),
        ('the page "http://x/" with the token "t" is opened', 'the page "http://x/" is opened'),
        ('the file "/x" is not existing', 'the file "/x" does not exist'),
        ('the file "/x" does contain not "y"', 'the file "/x" does not contain "y"'),
        ("port 99999 is listning", "port 80 is listening"),
        ("port 22 is the same on all hosts", "port 22 is listening"),
    ],
)
def test_what_is_meant_is_said_with_the_texts_own_values_where_they_fit(text, near):
    assert vocabulary().match(text) is None
    assert vocabulary().nearest(text) == near


def test_two_values_are_never_made_one():
    near = vocabulary().nearest('the file "/x.json" has at least 1 "a.*.b" not equal to "true"')
    assert r"\"" not in near
    assert " not equal to " in near


def test_an_example_is_turned_into_its_negation_with_the_same_values():
    turned_ones = [(sentence, turned(sentence)) for sentence in vocabulary().sentences]
    assert sum(bool(text) for _, text in turned_ones) > 300
    for sentence, text in turned_ones:
        if text:
            match = vocabulary().match(text)
            assert match is not None, text
            assert match.sentence is sentence
            assert match.negated
