"""What is let in of what strangers send: keys, numbers, times, labels. Expected outcomes by hand, and properties."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infratest.intakes._admission import LONGEST, REASONS, Refusal, event, key_of, labels_of, number_of, written_number

NOW = 1_796_000_000.0


@pytest.mark.parametrize(
    "sent, key",
    [
        ("shop.orders", "shop.orders"),
        (b"shop.orders", "shop.orders"),
        ("shop orders.per;host=a", "shop_orders.per_host_a"),
        ("a..b.", "a.b"),
        ("disk /var\n used", "disk_var_used"),
        ("bücher.zahl", "bücher.zahl"),
        ("a\x1b[2Jb", "a_2Jb"),
        ("../../etc/passwd", "_.etc_passwd"),
    ],
)
def test_a_key_is_made_plain(sent, key):
    assert key_of(sent) == key


@pytest.mark.parametrize(
    "sent, reason",
    [
        ("", "no key"), ("...", "no key"), (" \n", "no key"), ("---", "no key"), ("x" * 10_000, "key too long"),
        (b"\xff\xfe", "not UTF-8"), ("\ud83d", "not UTF-8"),
    ],
)  # fmt: skip
def test_a_key_that_is_none_is_refused(sent, reason):
    with pytest.raises(Refusal, match=reason):
        key_of(sent)


@given(st.one_of(st.text(max_size=600), st.binary(max_size=600)))
@example("a" * 501)
@example("\u202egnp")
def test_whatever_is_sent_a_key_is_plain_or_refused(sent):
    key, reason = "", ""
    try:
        key = key_of(sent)
    except Refusal as refusal:
        reason = refusal.reason
    if reason:
        assert reason in REASONS
        return
    assert 0 < len(key) <= LONGEST
    assert key.isprintable()
    assert all(character.isalnum() or character in "_-." for character in key)
    assert "" not in key.split(".")
    assert key_of(key) == key, "what is plain stays as it is"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_no_finite_number_is_kept(value):
    with pytest.raises(Refusal, match="no finite number"):
        number_of(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_no_event_has_a_number_that_is_not_finite(value):
    with pytest.raises(Refusal, match="no finite number"):
        event("x", value, 1_796_000_000.0)


@pytest.mark.parametrize("value", [True, "3", None, [1]])
def test_what_is_no_number_is_not_understood(value):
    with pytest.raises(Refusal, match="not understood"):
        number_of(value)


@pytest.mark.parametrize("text, number", [(b"3", 3.0), (b"-2.5", -2.5), (b"+4", 4.0), (b"1e3", 1000.0), (b".5", 0.5)])
def test_a_number_in_digits(text, number):
    assert written_number(text) == number


@pytest.mark.parametrize(
    "text, reason",
    [
        (b"nan", "no finite"), (b"-inf", "no finite"), (b"1e999", "no finite"), (b"", "not understood"),
        (b"1_000", "not understood"), (b"0x10", "not understood"), (b"1 ", "not understood"), (b"e", "not understood"),
        (b"1" * 41, "not understood"), ("٣".encode(), "not understood"),
    ],
)  # fmt: skip
def test_what_is_no_number_in_digits(text, reason):
    with pytest.raises(Refusal, match=reason):
        written_number(text)


@given(st.binary(max_size=60))
def test_digits_are_a_finite_number_or_refused(text):
    number, reason = 0.0, REASONS[0]
    try:
        number = written_number(text)
    except Refusal as refusal:
        reason = refusal.reason
    assert reason in REASONS
    assert number - number == 0


@pytest.mark.parametrize("years", [-2, 2])
def test_a_time_two_years_off_is_refused(years):
    with pytest.raises(Refusal, match="time too far off"):
        event("x", 1.0, NOW, time=NOW + years * 365 * 86400)


def test_a_time_of_last_month_is_kept_and_none_is_now():
    assert event("x", 1.0, NOW, time=NOW - 31 * 86400).time == NOW - 31 * 86400
    assert event("x", 1.0, NOW).time == NOW


def test_nan_is_no_time():
    with pytest.raises(Refusal, match="time too far off"):
        event("x", 1.0, NOW, time=float("nan"))


def test_labels_are_clean_and_cannot_say_what_a_result_is():
    assert labels_of({"team": "we\nb", "a b": "x" * 300}) == {"team": "we b", "a_b": "x" * 199 + "…"}
    for sent in (
        {"id": "f#s@h"},
        {"id!": "f#s@h"},
        {"stack": "other"},
        {"x": 3},
        {3: "x"},
        dict.fromkeys(map(str, range(21)), "x"),
    ):
        with pytest.raises(Refusal, match="not understood"):
            labels_of(sent)


def test_a_unit_that_nobody_can_judge_is_refused():
    assert event("x", 1.0, NOW, unit="s").unit == "s"
    with pytest.raises(Refusal, match="not understood"):
        event("x", 1.0, NOW, unit="furlongs")
