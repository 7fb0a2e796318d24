"""JSON as the state directory reads and writes it: the same as `json`, without what that imports."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.json_text import dumps, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_it_writes_and_reads_what_json_does(value):
    assert dumps(value) == json.dumps(value, ensure_ascii=False, sort_keys=True)
    assert loads(dumps(value)) == value
    assert loads(f" \n{json.dumps(value, indent=1)}\t") == value


@given(VALUES, st.data())
def test_damaged_text_is_read_as_json_reads_it(value, data):
    text = dumps(value)
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + data.draw(st.sampled_from(["", "}", '"', "\\", "1", "\x00", ",", "NaN"])) + text[at + 1 :]
    try:
        expected = json.loads(damaged)
    except ValueError:
        with pytest.raises(json.JSONDecodeError):
            loads(damaged)
    else:
        assert repr(loads(damaged)) == repr(expected)


@pytest.mark.parametrize("text", ["", " ", '{"a": 1', '{"a": 1} 2', '"half', "[1,]", "nul", b"\xff", b"\xef\xbb\xbf1"])
def test_what_is_no_json_is_an_error_and_not_a_value(text):
    """In a Python of its own: in this one `json` is imported, and the parser finds its error there."""
    program = (
        "import sys\nfrom infratest.json_text import loads\nassert 'json' not in sys.modules\n"
        f"try:\n    print(loads({text!r}))\nexcept ValueError:\n    print('no JSON')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("no JSON\n", "")


def test_what_has_no_json_is_an_error():
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="cannot be written as JSON"):
            dumps([value])
    for value in ({1: 2}, object(), {"a": b"b"}):
        with pytest.raises(TypeError):
            dumps(value)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, b"[" * 200_000])
def test_what_is_nested_without_end_is_an_error_of_the_text(text):
    with pytest.raises(ValueError, match="deeper in one another"):
        loads(text)
