from __future__ import annotations

import base64
import contextlib
import functools
import html
import json
import re
import subprocess
import time
import urllib.parse
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infratest.steps.http import UrlLine
from infratest.steps.output import PrintsMatching

from infratest import cleaning
from infratest.check import in_quotes
from infratest.cleaning import (
    MASK,
    beginning,
    cited,
    clean,
    decoded,
    differing,
    ending,
    keep_secret,
    literal,
    masked,
    masked_line,
)
from infratest.errors import FactError
from infratest.facts.base import Answer
from infratest.facts.database.rows import Rows
from infratest.facts.http.reply import Reply
from infratest.facts.lines import LINE, PATTERN, LinesFact
from infratest.outsiders import get
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
        ("echo {} | base64 -w 20", 0),
        ("printf u:%s {} | base64 -w 4", 13),
        ("echo {} | od -An -v -tx1", 2),
        ("echo {} | od -v -tx1z", 7),
        ("printf 'and before it: %s' {} | od -v -Ax -tx1z", 87),
        ("printf %s {} | busybox xxd", 0),
        ("printf %s {} | busybox xxd -g1 -c 5", 0),
        ("printf %s {} | busybox xxd -p -c 7", 0),
        ("printf %s {} | busybox xxd -i", 3),
        ("printf %s {} | busybox hexdump -C", 8),
        ("printf %s {} | openssl base64", 0),
        ("printf %s {} | python3 -c 'import sys; print(sys.stdin.buffer.read().hex(\":\"))'", 0),
        ("printf %s {} | python3 -c 'import sys, json; print(json.dumps(sys.stdin.buffer.read().hex(\"\\n\", 3)))'", 2),
        ("printf %s {} | base64 -w 9 | python3 -c 'import sys, json; print(json.dumps(sys.stdin.read()))'", 4),
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
    assert masked("aHVudGU aHVu 68756e7465 Q2hlZXJz") == "aHVudGU aHVu 68756e7465 Q2hlZXJz"  # five bytes of it


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


def _small_percent(text: str) -> str:
    return re.sub("%..", lambda escape: escape.group().lower(), urllib.parse.quote(text, safe=""))


def _in_rows(text: str, width: int) -> str:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


#: Ways in which texts are put into others, each within the others.
QUOTES = [
    quoted, in_quotes, repr, json.dumps, functools.partial(json.dumps, ensure_ascii=False), html.escape,
    functools.partial(html.escape, quote=False), urllib.parse.quote, urllib.parse.quote_plus, _small_percent,
]  # fmt: skip
#: Ways in which bytes are written as letters and digits, by the length of rows.
ENCODINGS = [
    lambda data, width: _in_rows(base64.b64encode(data).decode(), width),
    lambda data, width: _in_rows(base64.urlsafe_b64encode(data).decode(), width),
    lambda data, width: json.dumps(_in_rows(base64.b64encode(data).decode(), width)),
    lambda data, width: data.hex(":"),
    lambda data, width: data.hex(" ", 2).upper(),
    lambda data, width: _in_rows(data.hex(), width),
    lambda data, width: ", ".join(f"0x{byte:02x}" for byte in data),
    lambda data, width: "".join(f"%{byte:02X}" for byte in data),
    lambda data, width: "\n".join(
        f"{at:08x}: {data[at : at + 8].hex(' ')}  {re.sub(rb'[^ -~]', b'.', data[at : at + 8]).decode()}"
        for at in range(0, len(data), 8)
    ),
]
#: No letter, digit or mark of these stands in what is put around them.
SECRETS = st.text("GHJKLMgjkmqz" + "'\"\\" * 2 + " %&+/=<>{}$!?~:;-_\nÜ€😀", min_size=6, max_size=20).filter(
    lambda text: sum(character in "GHJKLMgjkmqz" for character in text) >= 4
)


@settings(max_examples=200)
@given(SECRETS, st.lists(st.sampled_from(QUOTES), max_size=4))
def test_a_secret_is_masked_in_whatever_quotes_within_quotes(secret, ways):
    with only(secret):
        text = secret
        for way in ways:
            text = way(text)
        assert MASK in masked(f"in {text} out")
        assert not set(masked(f"in {text} out").replace(MASK, "").replace("amp", "").replace("quot", "")) & set(
            "GHJKLMgjkmqz"
        )


@given(SECRETS, st.sampled_from(ENCODINGS), st.integers(4, 76), st.text("GHJKLMgjk:", max_size=3))
def test_a_secret_is_masked_in_whatever_digits_and_rows(secret, way, width, before):
    with only(secret):
        text = way(before.encode() + secret.encode(), width)
        assert MASK in masked(f"\n{text}\n")
        rest = masked(f"\n{text}\n").replace(MASK, "")
        assert len(re.sub(r"0x|[^0-9a-zA-Z]", "", rest)) <= 2 * len(before) + 3 + 8 * ("0000" in text)


#: Ways in which a secret goes over several lines, by their length.
ROWS = [ENCODINGS[at] for at in (0, 1, 5, 8)] + [lambda data, _: data.decode()]


def _parts(row: str) -> set[str]:
    return {row[at : at + 8] for at in range(len(row) - 7)}


@settings(max_examples=60, deadline=None)
@given(
    st.text("GHJKLMgjkmqz" * 3 + "%&+/=-_", min_size=30, max_size=90),
    st.lists(st.integers(9, 29), max_size=2),
    st.sampled_from(ROWS),
    st.integers(8, 40),
    st.integers(0, 3),
)
def test_no_line_that_is_cited_holds_a_row_of_a_secret(secret, breaks, way, width, around):
    """Whatever cites one line cites it out of the whole: what a command prints, a file has, a URL answers."""
    for at in breaks:  # a key is a secret of several lines
        secret = f"{secret[:at]}\n{secret[at:]}"
    rows = way(secret.encode(), width).split("\n")
    text = "\n".join([*["one"] * around, *rows, *["two"] * around, ""])
    with only(secret):
        for at, row in enumerate(rows, around):
            pattern = f"^{re.escape(row)}$"
            fact = LinesFact()
            reasons = [
                PrintsMatching("cat it", text=pattern).place(text) or "",
                UrlLine("http://a/", pattern=pattern).look(Reply(200, 0.1, body=text)).saw,
                fact.within(text.encode(), ("/a", PATTERN, pattern)).in_words(),
                fact.within(b"begin\n" + text.encode() + b"end", ("/a", LINE, row, "begin", "end")).in_words(),
            ]
            shown = [reason.replace(literal(pattern), "").replace(in_quotes(pattern), "") for reason in reasons]
            assert [each for each in shown if _parts(row) & _parts(each)] == []
            assert (MASK in masked_line(text.split("\n"), at)) or len(row) < 8


#: Programs that write in rows.
DUMPS = (
    "base64 -w 20", "base64 -w 13", "od -c", "od -a", "od -x", "od", "od -b", "od -An -tx1", "od -tx4", "od -tx1z",
    "busybox xxd", "busybox xxd -p -c 9", "busybox hexdump -C", "busybox hexdump",
)  # fmt: skip


@pytest.mark.parametrize("program", DUMPS)
def test_a_row_of_a_secret_is_masked_though_it_stands_alone(secrets, program):
    """In a journal, in a value of a database, in a list: the rows around it are not there, or are no lines."""
    secret = "hUnter2-Tr0ub4dor&3-cOrrect-hOrse-bAttery"
    keep_secret(secret)
    done = subprocess.run(["sh", "-c", program], input=f"{secret}\n", capture_output=True, text=True, check=True)
    rows = [row for row in done.stdout.split("\n") if len(row) > 12][:2]
    assert len(rows) == 2
    for shown in (*rows, json.dumps(rows), Rows(("a", "b"), ((rows[0], "x"), (rows[1], "y"))).in_words(), rows[0][:-3]):
        hidden = masked(shown)
        assert MASK in hidden, shown
        left = {hidden[at : at + 10] for at in range(len(hidden) - 9)}
        assert not [
            part for row in rows for part in (row[at : at + 10] for at in range(9, len(row) - 9)) if part in left
        ]


def test_what_is_cut_is_masked_before(secrets):
    keep_secret("S3cretPassw0rd")
    assert beginning("the word S3cretPassw0rd is", 14) == "the word *****"
    assert ending("it is S3cretPassw0rd now", 10) == "****** now"
    assert cited("the word S3cretPassw0rd is", 14) == "'the word *****'"
    assert cited(b"the word S3cretPassw0rd\0is", 26) == f"b'the word {MASK}\\x00is'"
    assert cited(b"the word S3cretPassw0rd", 14) == "b'the word *****'"
    assert cited("a 'quoted' one\n", 80) == repr("a 'quoted' one\n")


@pytest.mark.parametrize("fact", ["sysctl", "user", "mount", "socket", "journal", "cron", "package-list"])
def test_an_answer_that_is_not_understood_shows_no_beginning_of_a_secret(secrets, fact):
    keep_secret("S3cretPassw0rdThatIsLong" * 4)
    asked = {"journal": ("", "boot", "", ""), "sysctl": ("vm.swappiness",), "user": ("root",)}.get(fact, ())
    with pytest.raises(FactError) as refused:
        get("fact", fact)().read(Answer(0, "S3cretPassw0rdThatIsLong" * 4 + "\n"), [asked])
    assert "S3cret" not in str(refused.value)


def test_a_line_that_no_secret_goes_over_is_cited_as_it_is(secrets):
    lines = "a\nS3cretPassw0rd\nLongerThanOne\nb\nc".split("\n")
    keep_secret("S3cretPassw0rd\nLongerThanOne")
    assert [masked_line(lines, at) for at in range(5)] == ["a", MASK, MASK, "b", "c"]
    assert masked_line([line.encode() for line in lines], 3) == "b"
    assert masked("\n".join(lines), by_line=True).split("\n") == ["a", MASK, MASK, "b", "c"]


def test_each_line_of_a_secret_of_several_is_one_by_itself(secrets):
    keep_secret("BEGIN!\nQwErTyUi\nshort\nsixsix")
    assert masked("BEGIN! and QwErTyUi, short, sixsix") == f"{MASK} and {MASK}, short, {MASK}"


@given(st.text("GHJK'\"\\ &%", min_size=6, max_size=20).filter(lambda text: text.strip(" &%'\"\\")), st.text())
def test_json_stays_json_where_secrets_are_masked_in_it(secret, text):
    with only(secret):
        assert json.loads(masked(json.dumps({"text": text, "secret": f"{secret}"}))).keys() == {"text", "secret"}


@contextlib.contextmanager
def only(secret: str) -> Iterator[None]:
    """Know this secret alone: a drawn one would mask what the next is put into."""
    before = set(cleaning._secrets)
    cleaning._secrets.clear()
    keep_secret(secret)
    yield
    cleaning._secrets.clear()
    cleaning._secrets.update(before)


@pytest.mark.parametrize(
    "text",
    ["q\\\"'" * 300_000, "q" + "%25" * 300_000, "q" + "&amp;" * 200_000, "\n00000000: 71 2f" * 60_000, "ab " * 100_000],
)
def test_no_text_can_make_masking_look_for_long(secrets, text):
    keep_secret("q/'%&\" x%25&y")
    started = time.process_time()
    assert masked(text) == text
    assert time.process_time() - started < 5
