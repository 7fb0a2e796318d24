"""Alert ranges, with nagiosplugin as an independent reader of them, and metrics as text."""

from __future__ import annotations

import nagiosplugin
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infratest.errors import UserError
from infratest.model import Observation, Result, StepResult
from infratest.outputs._perfdata import Range, label, metric, observations, stricter, unknown_line

NUMBERS = st.one_of(
    st.integers(-1000, 1000),
    st.decimals(-1000, 1000, places=3, allow_nan=False, allow_infinity=False).map(float),
).map(lambda number: number + 0)
ENDS = st.one_of(st.none(), NUMBERS)

#: Where nagiosplugin 1.4 is known to be wrong or looser, by name; texts with these are not compared.
NAGIOSPLUGIN_BUGS = {
    "an empty range is taken for 0 to infinity": lambda text: text in ("", "@"),
    "`1e3` is not read": lambda text: "e" in text,
    "blanks and underscores inside numbers are read": lambda text: " " in text or "_" in text,
    "`~` is read as a number when it is the end": lambda text: text.endswith("~"),
}


def written(inside: bool, start: float | None, end: float | None, short: bool) -> str:
    begin = "" if short and start == 0 else "~:" if start is None else f"{start}:"
    return ("@" if inside else "") + begin + ("" if end is None else f"{end}")


@given(st.booleans(), ENDS, ENDS, st.booleans(), NUMBERS)
def test_ranges_judge_as_nagiosplugin_does(inside, start, end, short, value):
    assume(start is None or end is None or start <= end)
    text = written(inside, start, end, short)
    assume(not any(bug(text) for bug in NAGIOSPLUGIN_BUGS.values()))
    theirs = nagiosplugin.Range(text)
    for number in (value, start, end):
        if number is not None:
            assert Range(text).alerts(number) == (not theirs.match(number)), (text, number)


@pytest.mark.parametrize(
    "text, alerting, quiet",
    [
        ("10", [-1, 11], [0, 5, 10]),
        ("10:", [9, -1], [10, 1e9]),
        ("~:10", [11], [-1e9, 10]),
        ("10:20", [9, 21], [10, 20]),
        ("@10:20", [10, 15, 20], [9, 21]),
        (":10", [-1, 11], [0, 10]),
        ("0", [1, -1], [0]),
        ("@80:", [80, 100], [79.999]),
        ("@~:2", [2, -5], [2.001]),
        ("~:", [], [-1e9, 0, 1e9]),
        ("-5:-1", [0, -6], [-5, -1]),
    ],
)
def test_guidelines(text, alerting, quiet):
    for value in alerting:
        assert Range(text).alerts(value)
        assert not Range(text).contains(value)
    for value in quiet:
        assert Range(text).contains(value)


def test_the_line_of_a_check_that_could_not_begin_parts_its_messages():
    assert unknown_line("no a | b\nno c") == "INFRATEST UNKNOWN - no a / b; no c"


def test_what_is_no_number_alerts():
    assert Range("10").alerts(float("nan"))
    assert Range("@10").alerts(float("nan"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "~",
        "x",
        "1:2:3",
        "10:~",
        "1e3",
        "1_0",
        " 1",
        "1,5",
        "--1",
        "5%",
        ".",
        "٣",
        "nan",
        "inf",
        "20:10",
        "@5:1",
    ],
)
def test_what_is_no_range(text):
    with pytest.raises(UserError, match="range "):
        Range(text)


RANGES = st.builds(
    lambda inside, ends: Range(written(inside, *ends, False)),
    st.booleans(),
    st.tuples(*2 * [st.one_of(st.none(), st.integers(-6, 6))])
    .map(lambda ends: ends if None in ends else tuple(sorted(ends)))
    .filter(lambda ends: ends[0] is not None or ends[1] is not None),
)


@given(RANGES, RANGES)
def test_covers_means_alerts_on_all_that_the_other_does(one, other):
    grid = [number / 2 for number in range(-40, 41)]
    everywhere = all(one.alerts(value) for value in grid if other.alerts(value))
    if one.covers(other):
        assert everywhere
    elif everywhere:
        # Between neighbouring whole ends the grid cannot tell an open end from a closed one.
        assert one.inside
        assert not other.inside


@pytest.mark.parametrize(
    "one, other, value, expected",
    [
        ("@80:", "@90:", 71, "@80:"),
        ("@90:", "@80:", 71, "@80:"),
        ("14:", "7:", 30, "14:"),
        ("", "@80:", 71, "@80:"),
        ("@80:", "", 71, "@80:"),
        ("", "", 71, ""),
        ("10:", "@90:", 95, "@90:"),
        ("10:", "@90:", 50, "10:"),
        ("10:", "@90:", None, "10:"),
    ],
)
def test_stricter(one, other, value, expected):
    assert stricter(one, other, value) == expected


@pytest.mark.parametrize(
    "observation, text",
    [
        (Observation("disk / used", 71.0, "%", "@80:", "@90:", 0, 100), "'disk / used'=71%;@80:;@90:;0;100"),
        (Observation("load", 0.25), "load=0.25"),
        (Observation("free", 1e-7, "s"), "free=0.0000001s"),
        (Observation("big", 12e15, "B", "", "", 0), "big=12000000000000000B;;;0"),
        (Observation("days", None, "s", "", "14:"), "days=U;;14:"),
        (Observation("nothing", float("nan"), "s"), "nothing=U"),
        (Observation("endless", float("inf"), "s"), "endless=U"),
        (Observation("a=b 'c' | d;e", 1.0), "'a%3Db %27c%27 %7C d%3Be'=1"),
        (Observation("two\nlines", 1.0), "'two lines'=1"),
        (Observation("", 1.0), "_=1"),
    ],
)
def test_metric(observation, text):
    assert metric(observation) == text


@given(st.text(), st.one_of(st.none(), st.floats()), st.sampled_from(["", "s", "B", "%"]))
def test_nagiosplugin_would_accept_every_metric(name, value, unit):
    text = metric(Observation(name, value, unit))
    quoted, _, number = text.rpartition("=")
    assert quoted.strip("'") == label(name)
    assert "=" not in quoted
    assert quoted.count("'") in (0, 2)
    assert number == "U" or set(number.removesuffix(unit)) <= set("-0123456789.")


def result(host: str, *observed: Observation) -> Result:
    return Result(f"f#s@{host}", "f", "s", 1, host, "ok", steps=[StepResult("x", 2, "ok", "", observed)])


def test_a_label_once_with_the_stricter_range_and_the_value_that_was_reached():
    found = observations(
        [
            result("web-1", Observation("disk / used", None, "%", "@80:", "@90:")),
            result("web-1", Observation("disk / used", 71.0, "%", "", "@75:")),
        ],
        hosts=False,
    )
    assert found == [Observation("disk / used", 71.0, "%", "@80:", "@75:")]


def test_labels_with_hosts():
    found = observations([result("web-1", Observation("load", 1.0)), result("-", Observation("dns", 2.0))], hosts=True)
    assert [item.name for item in found] == ["web-1:load", "dns"]


def test_labels_that_differ_in_what_no_label_may_hold_stay_two():
    made = [label(f"command test 1 {operator} 2") for operator in ("=", "'", ";", "|", "_")]
    assert len(set(made)) == 5
    assert made[-1] == "command test 1 _ 2"
    assert len(label("=" * 200)) <= 100


@pytest.mark.parametrize("other", ["a%3Db", "a%3db"])
def test_a_label_that_another_one_is_written_as_stays_its_own(other):
    pairs = [("a=b", 1.0), (other, 2.0), ("a=b", 1.0), (other, 2.0)]
    found = observations([result("-", *[Observation(name, value) for name, value in pairs])], hosts=False)
    assert [(one.name[:5], one.value) for one in found] == [("a%3Db", 1.0), (other, 2.0)]
    assert [label(one.name) for one in found] == [one.name for one in found]
    assert len({one.name for one in found}) == 2


def test_long_labels_that_begin_alike_stay_two():
    made = [label(f"command {'x' * 200}{end} printed") for end in "ab"]
    assert made[0] != made[1]
    assert all(len(one) <= 100 for one in made)
    assert [label(one) for one in made] == made
    assert label("a" * 100) == "a" * 100


@pytest.mark.parametrize("first, second", [("a=1", "a;1"), ("a=1", "a_1"), ("x | y", "x _ y"), ("it's", "it=s")])
def test_labels_of_banned_characters_stay_two(first, second):
    steps = [StepResult("s", 1, "ok", "", [Observation(first, 1.0), Observation(second, 2.0)])]
    found = observations([Result("f#s@a", "f", "s", 1, "a", "ok", steps=steps)], hosts=False)
    assert [seen.value for seen in found] == [1.0, 2.0]
    assert [metric(seen) for seen in found] == [metric(Observation(first, 1.0)), metric(Observation(second, 2.0))]
