"""The table in the docstring of apply_failed_ranges, as data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.model import Report, Result
from infratest.outputs._perfdata import Range, apply_failed_ranges

LETTERS = {"o": "ok", "w": "warning", "c": "critical", "u": "unknown", "s": "skipped", "b": "unknown"}


def report(letters: str, problem: str = "") -> Report:
    """Return a report of one result a letter; `b` is blocked."""
    results = [
        Result(str(n), "f", "s", 1, "h", LETTERS[letter], blocked_by="x" if letter == "b" else None)
        for n, letter in enumerate(letters)
    ]
    return Report("shop", "", "2026-01-31T12:00:00Z", 0.0, results, problem=problem)


@pytest.mark.parametrize(
    "letters, warning, critical, state, exit",
    [
        # Without ranges: the report's own.
        ("oo", None, None, "ok", 0),
        ("ow", None, None, "warning", 1),
        ("oc", None, None, "critical", 2),
        ("ob", None, None, "ok", 0),
        ("", None, None, "unknown", 3),
        # -c alone.
        ("oc", None, "0", "critical", 2),
        ("oc", None, "1", "ok", 0),
        ("occ", None, "1", "critical", 2),
        ("ocw", None, "1", "warning", 1),
        ("o", None, "1:", "critical", 2),
        ("oc", None, "@1:1", "critical", 2),
        ("occ", None, "@1:1", "ok", 0),
        # -w alone: without -c one failed scenario is critical.
        ("oc", "0", None, "critical", 2),
        ("oo", "1:", None, "warning", 1),
        # Both.
        ("oc", "0", "2", "warning", 1),
        ("occc", "0", "2", "critical", 2),
        ("oo", "0", "2", "ok", 0),
        # Never greener than unknown.
        ("ou", "5", "5", "unknown", 3),
        ("ouc", "5", "5", "unknown", 3),
        ("ouc", "0", "5", "unknown", 3),
        ("ouc", "5", "0", "critical", 2),
        ("cbbb", None, "5", "unknown", 3),
        ("cbbb", None, None, "critical", 2),
        ("cbbb", "5", "0", "critical", 2),
        ("", "5", "5", "unknown", 3),
        ("ss", "5", "5", "unknown", 3),
        ("ss", "1:", "5", "unknown", 3),
        ("b", "5", "5", "unknown", 3),
        ("wb", "5", "5", "warning", 1),
        # Failed and let pass is enough to have judged something.
        ("c", "5", "5", "ok", 0),
        ("cs", "5", "5", "ok", 0),
    ],
)
def test_table(letters, warning, critical, state, exit):
    ranges = [Range(text) if text is not None else None for text in (warning, critical)]
    assert apply_failed_ranges(report(letters), *ranges) == (state, exit)


def test_a_problem_is_unknown_whatever_the_ranges_let_pass():
    assert apply_failed_ranges(report("oc", "a feature could not be read"), None, Range("5")) == ("unknown", 3)


@given(st.text(alphabet="owcusb", max_size=8), st.integers(0, 4), st.integers(0, 4))
def test_ranges_never_make_unknown_green(letters, warning, critical):
    given = report(letters)
    state, _ = apply_failed_ranges(given, Range(str(warning)), Range(str(critical)))
    if given.state == "unknown":
        assert state == "unknown"
    if "u" in letters:
        assert state in ("unknown", "critical")


@given(st.text(alphabet="owcusb", max_size=8))
def test_the_default_range_is_the_report_itself(letters):
    given = report(letters)
    assert apply_failed_ranges(given, None, Range("0")) == (given.state, given.exit)
