"""Values in shell text stay data, whatever quotes the user has put around them: a real shell says what they become."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.quoting import put_in

#: Shell text with `@` where the value stands; what is printed is the value and nothing else.
PLACES = (
    "printf %s @",
    "printf %s '@'",
    'printf %s "@"',
    """printf %s "$(printf '%s' @)" """,
    """printf %s "$(printf %s "@")" """,
    """printf %s "$(printf %s '@')" """,
    "(printf %s @)",
    """: "a ' b" 'c " d' \\" \\' && printf %s @""",
    """printf %s ''"@" """,
)
EVIL = (
    "; echo no", "$(echo no)", "`echo no`", "it's", '"', "\\", "a\nb", "' ; echo no '", '" ; echo no "', "", "plain",
    "*", "ö",
)  # fmt: skip


def printed(place, value):
    text = place.replace("@", put_in(place, place.index("@"), value))
    return subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", EVIL)
def test_a_value_is_what_it_is_at_every_place(place, value):
    assert printed(place, value) == value


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PLACES), st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12))
def test_any_text_at_all(place, value):
    assert printed(place, value) == value


@pytest.mark.parametrize("text", ["echo `cat @`", 'echo "`cat @`"', "echo \\@", 'echo "\\@"'])
def test_where_nothing_can_be_quoted_a_value_is_refused(text):
    with pytest.raises(ValueError, match="a value cannot stand"):
        put_in(text, text.index("@"), "x")
