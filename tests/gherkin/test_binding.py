"""Matched sentences with their values in: the arguments, the threshold and the tail."""

from __future__ import annotations

import pytest

from infratest.check import Check
from infratest.errors import UserError
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written, match_of
from infratest.gherkin.sentence import Tail, check, declared
from infratest.gherkin.vocabulary import vocabulary
from infratest.thresholds import Bound, Threshold


@check('the file "{path}" of {port:word} has {count:number} lines[ in {bound:time}]', example="", shell=("path",))
def given(**arguments: object) -> dict[str, object]:
    """Return what it is built from."""
    return arguments


(GIVEN,) = declared(given)


def plain(text: str, shell: bool) -> str:
    return text.replace("{p}", "7")


def bound_to(text: str, fill=plain):
    match = match_of(GIVEN, text)
    assert match is not None, text
    return bind(match, fill)


def test_arguments_are_unescaped_filled_and_typed():
    seen = []

    def fill(text: str, shell: bool) -> str:
        seen.append((text, shell))
        return text.replace("{param.n}", "3")

    made = bound_to(r'the file "/a \"b\"" of 80/tcp has {param.n} lines', fill)
    assert made.built == {"path": '/a "b"', "port": "80/tcp", "count": 3}
    assert made.threshold is None
    assert made.tail == Tail()
    assert set(seen) == {('/a "b"', True), ("80/tcp", False), ("{param.n}", False)}


@pytest.mark.parametrize("number", ["1.5", "{param.n}"])
def test_a_number_that_is_not_whole(number):
    with pytest.raises(UserError, match=r"of x has .* lines': '.*' is not a whole number"):
        bound_to(f'the file "/a" of x has {number} lines')


@pytest.mark.parametrize(
    "words, wanted",
    [
        ("in less than 500 ms", Threshold(Bound("less than", 0.5, None, "s"))),
        (
            "in less than 2 s, warning 500 ms",
            Threshold(Bound("less than", 2, None, "s"), Bound("less than", 0.5, None, "s")),
        ),
        (
            "in at least 1 min, warning 2 min",
            Threshold(Bound("at least", 60, None, "s"), Bound("at least", 120, None, "s")),
        ),
        (
            "in between 1 s and 9 s, warning between 2 s and 8 s",
            Threshold(Bound("between", 1, 9, "s"), Bound("between", 2, 8, "s")),
        ),
        (
            "in between 1 s and 9 s, warning 2 s and 8 s",
            Threshold(Bound("between", 1, 9, "s"), Bound("between", 2, 8, "s")),
        ),
        ("in exactly 3 days", Threshold(Bound("exactly", 259200, None, "s"))),
    ],
)
def test_thresholds(words, wanted):
    assert bound_to(f'the file "/a" of x has 1 lines {words}').threshold == wanted


@pytest.mark.parametrize(
    "words, message",
    [
        ("in less than 5", "'5' is not a number with one of ms, s"),
        ("in less than 1 s, warning 2 s", "looser"),
        ("in at least 2 s, warning 1 s", "looser"),
        ("in between 9 s and 1 s", "write the lower one first"),
        ("in between 1 s and 9 s, warning 2 s", "with its number"),
        ("in exactly 3 s, warning 2 s", "leave it out"),
        ("in less than {param.x}", "is not a number"),
    ],
)
def test_bounds_that_cannot_be(words, message):
    with pytest.raises(UserError, match=message) as raised:
        bound_to(f'the file "/a" of x has 1 lines {words}')
    assert str(raised.value).startswith('\'the file "/a" of x has 1 lines')


def test_a_warning_without_its_bound():
    with pytest.raises(UserError, match="a warning value needs a bound before it, as 'in less than 500 ms'"):
        bound_to('the file "/a" of x has 1 lines, warning 3 s')


@pytest.mark.parametrize(
    "words, wanted",
    [
        ("", Tail()),
        (' on "web-{p}"', Tail(on="web-7")),
        (" on exactly one host", Tail(quantifier="exactly one")),
        (" on at least 2 hosts", Tail(quantifier="at least", count=2)),
        (" on no host", Tail(quantifier="no")),
        (" on every host", Tail()),
        (' on every host in "web"', Tail(quantifier="every", group="web")),
        (" on all hosts", Tail(quantifier="every")),
        (" on any host", Tail(quantifier="at least", count=1)),
        (' on exactly {p} hosts in "g-{p}"', Tail(quantifier="exactly", count=7, group="g-7")),
        (" on at most 2 hosts", Tail(quantifier="at most", count=2)),
        (" on at least 66.7 % of the hosts", Tail(quantifier="at least", count=66.7, share=True)),
        (" on at most {p}% of the hosts", Tail(quantifier="at most", count=7, share=True)),
        (" from the host", Tail(view="host")),
        (" from the controller", Tail(view="controller")),
        (' from "db-{p}"', Tail(view="named", viewpoint="db-7")),
        (' from every host in "app"', Tail(view="group", viewpoint="app")),
        (" within 1.5 min", Tail(within=90)),
        (" within {p} s", Tail(within=7)),
        (" for 250ms", Tail(during=0.25)),
        (
            ' on at least 3 hosts from "db" within 2 h',
            Tail(quantifier="at least", count=3, view="named", viewpoint="db", within=7200),
        ),
    ],
)
def test_tails(words, wanted):
    match = match_of(GIVEN, f'the file "/a" of x has 1 lines{words}')
    assert match is not None
    assert match.tail(plain) == wanted
    assert wanted.across == (wanted.quantifier != "all")


def test_a_time_that_is_less_than_none():
    match = match_of(GIVEN, 'the file "/a" of x has 1 lines within -3 s')
    assert match is not None
    with pytest.raises(UserError, match="less than zero"):
        bind(match, plain)


def test_a_sentence_of_ours():
    match = vocabulary().match('the disk "/" is less than 90 % full, warning 80 % on "web-1" within 5 s')
    assert match is not None
    made = bind(match, plain)
    assert isinstance(made.built, Check)
    assert made.threshold == Threshold(Bound("less than", 90, None, "%"), Bound("less than", 80, None, "%"))
    assert made.tail == Tail(on="web-1", within=5)


def test_what_follows_the_claim_is_read_once_where_no_value_is_put_in():
    match = match_of(GIVEN, 'the file "{p}" of x has 1 lines in less than 2 s on "web" within 3 s')
    assert match is not None
    assert match.tail(plain) is match.tail(as_written)
    assert match.threshold(plain) is match.threshold(as_written)
    filled = match_of(GIVEN, 'the file "/a" of x has 1 lines in less than {p} s on "{p}" within {p} s')
    assert filled is not None
    assert filled.tail(plain) == Tail(on="7", within=7)
    assert filled.tail(lambda text, shell: text.replace("{p}", "8")) == Tail(on="8", within=8)
    assert filled.threshold(plain) == Threshold(Bound("less than", 7, None, "s"))
    with pytest.raises(UserError, match=r"'\{p\}"):
        filled.threshold(as_written)


@pytest.mark.parametrize(
    "claim",
    [
        "port 23 is not listening",
        "no unit is failed",
        'the file "/a" does not exist',
        'the journal on this boot has no line matching "x"',
        'the command "true" prints nothing',
    ],
)
def test_a_denial_on_any_host_which_one_reads_as_none_and_another_as_one_is_refused(claim):
    for tail in (" on any host", ' on any host in "web"'):
        match = vocabulary().match(claim + tail)
        assert match is not None
        with pytest.raises(UserError, match="may be none of them or one that is enough; write `on all hosts`"):
            bind(match, plain)
    match = vocabulary().match(f"{claim} on all hosts")
    assert match is not None
    assert bind(match, plain).tail.quantifier == "every"


def test_what_is_so_on_any_host_may_have_a_denial_in_its_quotes():
    match = vocabulary().match('the file "/etc/not no" exists on any host')
    assert match is not None
    assert bind(match, plain).tail == Tail(quantifier="at least", count=1)
