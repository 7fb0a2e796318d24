"""Sentences matched against texts: placeholders, and the tail that all checking sentences share."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.errors import FeatureError, UserError
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import TAIL_WORDS, as_written, forms, match_of
from infratest.gherkin.sentence import ACT, CHECK, SETUP, Sentence, act, check, declared, setup
from infratest.gherkin.vocabulary import Vocabulary, vocabulary
from infratest.quoting import escaped, unescaped


def sentence(pattern: str, kind: str = CHECK, **options: object) -> Sentence:
    """Declare a sentence that builds what it was given."""

    def build(**given: object) -> dict[str, object]:
        return given

    declare = {
        ACT: lambda: act(pattern, example="", undo="nothing", **options),
        SETUP: lambda: setup(pattern, example=""),
        CHECK: lambda: check(pattern, example="", **options),
    }[kind]()
    (made,) = declared(declare(build))
    return made


THING = sentence('the thing "{name}" is there')
FULL = sentence('the disk "{mount}" is {bound:percent} full')

#: Every part of a tail, with the groups it must give; the first is the part left out.
WARNING = [("", {}), (", warning 80 %", {"warning_low": "80 %"}), (", warning 80%", {"warning_low": "80%"})]
ON = [
    ("", {}),
    (' on "web-1"', {"on_host": '"web-1"'}),
    (' on "a on b within 3 s"', {"on_host": '"a on b within 3 s"'}),
    (" on exactly one host", {"on_exactly": "exactly one host"}),
    (" on at least 2 hosts", {"on_least": "2"}),
    (" on at least 1 host", {"on_least": "1"}),
    (" on no host", {"on_none": "no host"}),
    (" on every host", {"on_every": "every host"}),
    (' on all hosts in "web"', {"on_all": "all hosts", "on_group": '"web"'}),
    (" on at most {param.few} % of the hosts", {"on_most_share": "{param.few}"}),
    (' in total over the hosts in "web"', {"over": "in total", "over_group": '"web"'}),
]
FROM = [
    ("", {}),
    (" from the host", {"from_host": "the host"}),
    (" from the controller", {"from_controller": "the controller"}),
    (' from "db"', {"from_named": '"db"'}),
    (' from every host in "app"', {"from_group": '"app"'}),
]
TIME = [
    ("", {}),
    (" within 30 s", {"within": "30 s"}),
    (" within 1.5min", {"within": "1.5min"}),
    (" for 500ms", {"during": "500ms"}),
    (" for 2 h", {"during": "2 h"}),
    (" for 1 day", {"during": "1 day"}),
    (" within {param.patience} s", {"within": "{param.patience} s"}),
]
TAILS = list(product(WARNING, ON, FROM, TIME))


@pytest.mark.parametrize("start", ["", "the quoted one"])
def test_every_tail(start):
    """All combinations of the parts of a tail, with a name in quotes that looks like one of them."""
    name = f"/data{start and ' on no host from the host, warning 3 % within 2 s'}"
    for parts in TAILS:
        text = f'the disk "{name}" is less than 90 % full' + "".join(words for words, _ in parts)
        wanted = {"mount": name, "bound_words": "less than", "bound_number": "90 %"}
        for _, groups in parts:
            wanted |= groups
        found = match_of(FULL, text)
        assert found is not None, text
        assert found.groups == wanted, text


@pytest.mark.parametrize(
    "tail",
    [
        " within s",
        " within 30 s for 2 s",
        " for 2 s within 30 s",
        " within 30 s on no host",
        " from the host on no host",
        ' from "a" from "b"',
        " on two hosts",
        " on at least hosts",
        " on web-1",
        " from db",
        ", warning 80 %",
        " on at least -1 hosts",
        " on at least 80 % of hosts",
        ' on "web-1" in "web"',
        ' in "web"',
        " in total",
        " in total over all hosts on no host",
        " on no host in total over all hosts",
        " on exactly 1.5 hosts",
        "  within 30 s",
        " within 30 s ",
        " within -",
        " FROM the host",
        " from the Host",
        " from every host",
        " on exactly two hosts",
        "\n",
        " within 30 s.",
    ],
)
def test_tails_that_are_none(tail):
    assert match_of(THING, f'the thing "x" is there{tail}') is None


UNITS = {
    "percent": ["90%", "90 %", "90"],
    "time": ["500 ms", "500ms", "2 s", "1.5min", "2 h", "3 days", "1 day", "1 d", "{param.x}", "{param.x} ms"],
    "size": ["1 B", "2 KiB", "2KiB", "3 MiB", "4 GiB", "5 TiB", "1 kB", "1 MB", "1 GB", "1.5 TB"],
    "count": ["3", "0", "{param.count}"],
}
SINGLE = ["less than", "more than", "at least", "at most", "exactly"]


@pytest.mark.parametrize(
    "dimension, number", [(dimension, number) for dimension, numbers in UNITS.items() for number in numbers]
)
def test_bounds_with_all_units(dimension, number):
    made = sentence(f"it is {{bound:{dimension}}} big")
    assert made.dimension == dimension
    for words in SINGLE:
        found = match_of(made, f"it is {words} {number} big")
        assert found is not None
        assert found.groups == {"bound_words": words, "bound_number": number}
    found = match_of(made, f"it is between {number} and {number} big, warning between {number} and {number}")
    assert found is not None
    assert found.groups == {
        "bound_low": number, "bound_high": number, "warning_low": number, "warning_high": number,
    }  # fmt: skip


@pytest.mark.parametrize(
    "dimension, bound",
    [
        ("count", "under 3"),
        ("count", "less than three"),
        ("count", "between 1"),
        ("count", "between 1 and"),
        ("count", "exactly"),
        ("count", "less than 1e3"),
        ("count", "less than 1,5"),
    ],
)
def test_bounds_that_are_none(dimension, bound):
    assert match_of(sentence(f"it is {{bound:{dimension}}} big"), f"it is {bound} big") is None


@pytest.mark.parametrize(
    "text, words",
    [
        ("it is less than 90 GiB big", "'90 GiB' is not a number with one of %, as 90 %"),
        ("it is less than 90 big", "'90' is not a number with one of %, as 90 %"),
        ("it is less than 90 % big, warning 80 GB", "'80 GB' is not a number with one of %, as 90 %"),
        ("it is less than 90 % big within 30", "within: '30' is not a number with one of ms, s, min, h, days, as 30 s"),
        (
            "it is less than 90 % big within 30 weeks",
            "within: '30 weeks' is not a number with one of ms, s, min, h, days",
        ),
        ("it is less than 90 % big for 1 S", "during: '1 S' is not a number with one of ms, s, min, h, days"),
        ("it is less than 1 gib small", "'1 gib' is not a number with one of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB"),
        ("it is at most 3 s often", "'3 s' is not a whole or decimal number without a unit"),
    ],
)
def test_a_unit_that_is_not_known_is_answered_with_those_there_are(text, words):
    known = {"big": "percent", "small": "size", "often": "count"}
    word = next(word for word in known if f" {word}" in text)
    match = match_of(sentence(f"it is {{bound:{known[word]}}} {word}"), text)
    assert match is not None
    with pytest.raises(UserError) as raised:
        bind(match, lambda part, shell: part)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("10 seconds", 10), ("1 second", 1), ("1 minute", 60), ("2 minutes", 120), ("1 hour", 3600), ("2 hours", 7200),
        ("250 milliseconds", 0.25), ("2 days", 172800),
    ],
)  # fmt: skip
def test_long_words_of_time_are_read(text, seconds):
    match = match_of(THING, f'the thing "x" is there within {text}')
    assert match.tail(as_written).within == seconds


NAMED = [
    (', named "dbsize"', "dbsize", ""),
    (', warning 80 %, named "dbsize"', "dbsize", "80 %"),
    (', named "db size", warning 80 %', "db size", "80 %"),
]


@pytest.mark.parametrize("words, name, warning", NAMED)
@pytest.mark.parametrize("behind", ["", ' on "web-1" from the host within 2 s'])
def test_a_number_may_be_named(words, name, warning, behind):
    match = match_of(FULL, f'the disk "/" is less than 90 % full{words}{behind}')
    assert (match.tail(as_written).named, match.groups.get("warning_low", "")) == (name, warning)


def test_what_is_not_measured_has_no_name_and_a_name_is_fit_for_a_label():
    assert match_of(THING, 'the thing "x" is there, named "y"') is None
    for name in ("", " ", "a=b", "it's", "a;b", "a|b", "a\nb"):
        match = match_of(FULL, f'the disk "/" is less than 90 % full, named "{name}"')
        with pytest.raises(UserError, match="cannot name a number: write letters, digits"):
            match.tail(as_written)
    for name in ("scenarios", "failed", "unknown", "skipped", "blocked", "healed", "tries", "time"):
        match = match_of(FULL, f'the disk "/" is less than 90 % full, named "{name}"')
        with pytest.raises(UserError, match=f"'{name}' names a number of the run itself, as all of scenarios, failed,"):
            match.tail(as_written)
    twice = match_of(FULL, 'the disk "/" is less than 90 % full, named "a", warning 80 %, named "b"')
    with pytest.raises(UserError, match="the number is named twice"):
        twice.tail(as_written)


def test_a_bound_may_be_left_out():
    made = sentence('"{url}" answers {status:number}[ in {bound:time}]')
    assert match_of(made, '"http://x/" answers 200').groups == {"url": "http://x/", "status": "200"}
    assert match_of(made, '"http://x/" answers 200 in at most 2 s').groups == {
        "url": "http://x/", "status": "200", "bound_words": "at most", "bound_number": "2 s",
    }  # fmt: skip
    assert match_of(made, '"http://x/" answers 200 in ') is None
    assert match_of(made, '"http://x/" answers two') is None


def test_a_negation_is_the_same_sentence_turned_round():
    made = sentence("port {port:word} is listening", negation="port {port:word} is not listening")
    assert (match_of(made, "port 80 is listening").negated, match_of(made, "port 80 is not listening").negated) == (
        False,
        True,
    )
    assert match_of(made, "port 80 is not  listening") is None
    assert match_of(made, "port 8 0 is listening") is None
    assert match_of(made, 'port "80" is listening') is None


def test_acts_take_hosts_and_nothing_else():
    made = sentence('the service "{name}" is stopped', ACT)
    assert match_of(made, 'the service "x" is stopped on "web-1"').groups == {"name": "x", "on_host": '"web-1"'}
    assert match_of(made, 'the service "x" is stopped within 3 s') is None
    assert match_of(made, 'the service "x" is stopped from the host') is None


def test_selections_take_no_tail():
    made = sentence('the hosts in group "{name}"', SETUP)
    assert match_of(made, 'the hosts in group "web"').groups == {"name": "web"}
    assert match_of(made, 'the hosts in group "web" on "web-1"') is None


@pytest.mark.parametrize(
    "written, meant",
    [
        (r"a", "a"),
        (r"say \"hi\"", 'say "hi"'),
        (r"C:\\bin", r"C:\\bin"),  # a pattern that RE2 reads as it is written
        (r"C:\dir", r"C:\dir"),
        (r"\d+\.\n", r"\d+\.\n"),
        (r"C:\\", "C:\\"),  # the end quote is a quote
        (r"C:\\\\", r"C:\\"),
        (r"\\\"", '\\"'),
        (r"\\\\\"", '\\\\"'),
        (r"\"\"\\", '""\\'),
        ("", ""),
    ],
)
def test_quotes_inside_quotes(written, meant):
    found = match_of(THING, f'the thing "{written}" is there')
    assert found is not None
    assert unescaped(found.groups["name"]) == meant


@pytest.mark.parametrize("text", ['the thing "a"b" is there', 'the thing "a\\" is there', 'the thing "a is there'])
def test_quotes_that_do_not_close(text):
    assert match_of(THING, text) is None


#: Text with many of the characters that quoting is about.
ANY_TEXT = st.text(max_size=30) | st.text('\\"ab', max_size=12)


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, st.sampled_from(TAILS[:: len(TAILS) // 60]))
def test_any_quoted_text_comes_back(name, parts):
    tail = "".join(words for words, _ in parts)
    found = match_of(FULL, f'the disk "{escaped(name)}" is at most 90 % full{tail}')
    assert found is not None
    assert unescaped(found.groups["mount"]) == name
    assert {key: value for key, value in found.groups.items() if key.startswith(("on_", "over", "from_"))} == {
        **parts[1][1], **parts[2][1],
    }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_two_quoted_texts_come_back(first, second):
    made = sentence('the file "{path}" contains "{text}"')
    found = match_of(made, f'the file "{escaped(first)}" contains "{escaped(second)}"')
    assert found is not None
    assert (unescaped(found.groups["path"]), unescaped(found.groups["text"])) == (first, second)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_matched_or_not(text):
    assert match_of(THING, text) is None or text.startswith('the thing "')


def test_long_hostile_text_is_answered_at_once():
    """No pattern goes back and forth over a text (a ReDoS would hang here until the time-out)."""
    for text in ('the disk "' + '\\"' * 20000, 'the disk "' + "\\" * 40001, 'the file "' + 'a" contains "' * 5000):
        assert vocabulary().match(text) is None


def test_two_sentences_that_match_are_an_error_that_names_both():
    words = Vocabulary([THING, sentence('the thing "{name}" is {state:word}')])
    with pytest.raises(FeatureError, match=r"ambiguous: 'the thing \"x\" is there' is matched by .* and "):
        words.match('the thing "x" is there')
    assert words.match('the thing "x" is gone').groups == {"name": "x", "state": "gone"}
    assert words.match("nothing") is None


def test_the_nearest_example_is_named():
    assert vocabulary().nearest('the servise "nginx" is runing') == 'the service "nginx" is running'
    assert vocabulary().nearest("zzz") == ""


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (r'the file "/x" contains ""ok": true"', r'the file "/x" contains "\"ok\": true"'),
        (r'the command "curl -s x" prints "{"a": "b"}"', r'the command "curl -s x" prints "{\"a\": \"b\"}"'),
        (r'the process "a"b" is runing', r'the process "a\"b" is running'),
        (r'the command "echo \"a\"" prnts "b"', r'the command "echo \"a\"" prints "b"'),
        (r'the comand "a" prints "", named "x"', r'the command "a" prints exactly ""'),  # the first is refused
    ],
)
def test_a_quote_in_a_value_is_suggested_with_its_backslash(text, near):
    assert vocabulary().match(text) is None
    assert vocabulary().nearest(text) == near


def test_a_text_without_the_words_of_a_tail_has_none():
    """Such texts are held against the claim alone: whatever stands there, the whole expression says the same."""
    for parts in TAILS:
        tail = "".join(words for words, _ in parts)
        assert not tail or any(word in tail for word in TAIL_WORDS), tail
    examples = [each.example for each in vocabulary().sentences if each.kind == CHECK]
    plain = [text for text in examples if not any(word in text for word in TAIL_WORDS)]
    assert len(plain) > len(examples) / 2
    for text in plain[::12]:
        match = vocabulary().match(text)
        (form,) = [form for form in forms(match.sentence) if form.match(text) is not None]
        whole = form._with_tail.fullmatch(text)
        assert {name: value for name, value in whole.groupdict().items() if value is not None} == match.groups


def test_of_all_sentences_only_those_a_text_may_be_are_made_ready():
    """Their regular expressions are most of what a run costs before its first question."""
    code = (
        "from infratest.gherkin.vocabulary import vocabulary\n"
        "from infratest.gherkin.patterns import forms\n"
        "all = [form for sentence in vocabulary().sentences for form in forms(sentence)]\n"
        "assert vocabulary().match('the package \"nginx\" is installed')\n"
        "print(len(all), sum(len({'_claim', '_with_tail'} & {*vars(form)}) for form in all))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    forms, ready = map(int, done.stdout.split())
    assert forms > 100
    assert 1 <= ready <= 3


def test_what_may_be_left_out_is_not_waited_for():
    said = sentence('the thing "{name}" is [very ]good')
    assert match_of(said, 'the thing "a" is good').groups == {"name": "a"}
    assert match_of(said, 'the thing "a" is very good').groups == {"name": "a"}
    assert match_of(said, 'the thing "a" is bad') is None
