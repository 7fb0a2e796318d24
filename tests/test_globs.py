"""Shell patterns, held against Python's own reading of them."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.globs import fits, is_pattern


@pytest.mark.parametrize(
    "pattern, text, right",
    [
        ("telnetd*", "telnetd", True),
        ("telnetd*", "telnetd-ssl", True),
        ("telnetd*", "inetutils-telnetd", False),
        ("*-dev", "libc6-dev", True),
        ("*-dev", "libc6-dev-i386", False),
        ("lib?6", "libc6", True),
        ("lib?6", "lib6", False),
        ("[lm]ibc6", "libc6", True),
        ("[!l]ibc6", "libc6", False),
        ("lib[a-d]6", "libc6", True),
        ("lib[c", "lib[c", True),
        ("Lib*", "libc6", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_what_a_pattern_stands_for(pattern, text, right):
    assert fits(pattern, text) is right
    assert is_pattern(pattern) is any(sign in pattern for sign in "*?[")


@settings(max_examples=500, deadline=None)
@given(st.text("ab-[]!*?c", max_size=8), st.text("ab-c!]", max_size=8))
def test_patterns_are_read_as_python_reads_them(pattern, text):
    assert fits(pattern, text) is fnmatchcase(text, pattern)
