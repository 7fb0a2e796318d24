from __future__ import annotations

import html
import json
import re
import subprocess
import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest import cleaning
from infratest.check import in_quotes
from infratest.cleaning import MASK, clean, decoded, differing, keep_secret, literal, masked
from infratest.quoting import quoted


@pytest.fixture
def secrets():
    """Leave no secret of a test behind in this process."""
    before = set(cleaning._secrets)
    yield
    cleaning._secrets.clear()
    cleaning._secrets.update(before)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("plain", "plain"),
        ("  around  ", "around"),
        ("a\nb", "a b"),
        ("a\r\nb", "a b"),
        ("a\tb", "a b"),
        ("a\x00b", "a\ufffdb"),
        ("\x1b[2Ja", "\ufffd[2Ja"),
        ("a\x07\x08b", "a\ufffd\ufffdb"),
        ("a\u202eb", "a\ufffdb"),  # right-to-left override
        ("a\u200bb", "a\ufffdb"),  # zero width
        ("1\u00a0234\u202f5", "1 234 5"),  # blanks that may not be broken
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),  # line breaks that are not \n
        ("\x9b31m", "\ufffd31m"),  # CSI in one character
        ("\ud800", "\ufffd"),
        ("Größe 小 ✓ 😀", "Größe 小 ✓ 😀"),
        ("", ""),
    ],
)
def test_one_line(text, expected):
    assert clean(text) == expected


def test_lines_are_kept_where_asked_for():
    assert clean("a\r\nb\n\x0cc", lines=True) == "a\nb\n c"


@pytest.mark.parametrize("limit, expected", [(5, "abcd…"), (6, "abcdef"), (7, "abcdef"), (1, "…")])
def test_limit(limit, expected):
    assert clean("abcdef", limit) == expected


@given(st.text(), st.integers(1, 50), st.booleans())
def test_never_more_and_never_control(text, limit, lines):
    cleaned = clean(text, limit, lines)
    assert len(cleaned) <= limit
    assert all(character.isprintable() or (lines and character == "\n") for character in cleaned)
    assert cleaned == clean(cleaned, limit, lines)


def test_leading_blanks_do_not_hide_the_text():
    assert clean(" " * 100_000 + "x") == "x"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("  a:\n    b", "  a:\n    b"),
        ("\n \n  a", "  a"),
        ("\ta", " a"),
        (" " * 9000 + "x", " " * 40 + "x"),
        ("  ", ""),
    ],
)
def test_indentation_is_kept_where_lines_are(text, expected):
    assert clean(text, lines=True) == expected


def test_megabytes_cost_little():
    started = time.process_time()
    assert len(clean("y\n" * 4_000_000, 100)) == 100
    assert time.process_time() - started < 1


def test_secrets_are_masked_everywhere(secrets):
    keep_secret("hunter2!")
    keep_secret("hunter2!longer")
    assert masked("a hunter2!longer b hunter2! c") == f"a {MASK} b {MASK} c"
    assert "hunter2" not in clean("x hunter2! y")


def test_a_secret_on_the_cut_does_not_show_its_beginning(secrets):
    secret = "k" * 3000
    keep_secret(secret)
    for before in range(0, 40):
        assert "k" not in clean("-" * before + (secret + " ") * 3, 50)


def test_a_secret_too_short_to_mask_is_not_kept(secrets):
    keep_secret("abc")
    assert masked("abc") == "abc"


@pytest.mark.parametrize("data, text", [(b"\xc3\xb6", "ö"), (b"a\xffb", "a\ufffdb"), (b"", "")])
def test_decoded(data, text):
    assert decoded(data) == text


def test_where_two_texts_part_within_a_secret_nothing_of_it_is_shown(secrets):
    keep_secret("correct-horse-battery")
    words = differing("x" * 300 + "correct-horse", "x" * 300 + "correct-horse-battery staple")
    assert "battery" not in words
    assert MASK in words
    assert "battery" not in literal("a correct-horse-battery\r")


@pytest.mark.parametrize(
    "command, around",
    [
        ("printf %s {} | base64", 0),
        ("echo {} | base64", 0),
        ("printf '%s\\r\\n' {} | base64", 0),
        ("echo {} | basenc --base64url", 0),
        ("printf %s {} | base64 | tr -d =", 0),
        ("printf u:%s {} | base64 -w 0", 6),
        ("printf us:%s {} | base64 -w 0", 6),
        ("printf usr:%s {} | base64 -w 0", 9),
        ("printf u:%s:rest {} | base64 -w 0", 13),
        (r"echo {} | od -An -v -tx1 | tr -d ' \n'", 2),
        (r"echo {} | od -An -v -tx1 | tr -d ' \n' | tr a-f A-F", 2),
    ],
)
@pytest.mark.parametrize("secret", ["hunter2", "S3cret!!", "a?>b~~?>?>", "größer", "horse-" * 25])
def test_a_secret_is_masked_as_programs_encode_it(secrets, command, around, secret):
    """`around`: characters that may stay: what stands before and behind, and at each edge one that is of both."""
    script = command.format('"$1"')
    out = subprocess.run(["sh", "-c", script, "sh", secret], capture_output=True, text=True, check=True).stdout
    assert MASK not in clean(out)
    keep_secret(secret)
    assert MASK in clean(out)
    assert len(clean(out).replace(MASK, "").replace(" ", "")) <= around


def test_what_only_looks_encoded_is_not_masked(secrets):
    keep_secret("hunter2!")
    assert masked("aHVudGVy aHVu 68756e746572 Q2hlZXJz") == "aHVudGVy aHVu 68756e746572 Q2hlZXJz"


@pytest.mark.parametrize("secret", ["Corr'ectHorse", 'Corr\\ectHo"rse\\', "Zx9 q/+&=%\"'\\Ü<b>"])
def test_a_secret_is_masked_however_deep_in_quotes_it_stands(secrets, secret):
    """A word of a shell, in a command, in a sentence, in a reason, in JSON: each may write it anew."""
    keep_secret(secret)
    ways = (quoted, in_quotes, repr, json.dumps, lambda text: json.dumps(text, ensure_ascii=False))
    small = re.sub("%..", lambda found: found.group().lower(), urllib.parse.quote(secret, safe=""))
    told, texts = {html.escape(secret), small}, {secret}
    for _ in range(3):
        texts = {f"a {way(each)} b" for each in texts for way in ways}
        told |= texts
    assert [text for text in told if MASK not in masked(text)] == []
