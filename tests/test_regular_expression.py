"""Patterns: RE2's meaning, its mistakes in words, and what `grep -E` of two makers says of the same lines."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from infratest.errors import UserError
from infratest.facts.lines import CHANGED, DELETED
from infratest.regular_expression import Grep, as_grep, characters, compiled, text


@pytest.mark.parametrize(
    "pattern, words",
    [
        (r"(a)\1", r"invalid escape sequence at character 4, \1; RE2 has no backreferences (\1)"),
        ("x(?=y)", "invalid perl operator at character 2, (?=; RE2 has no backreferences"),
        ("(?<!a)b", "lookaround ((?=, (?!, (?<=, (?<!)"),
        ("a(b", "missing )"),
        ("a**", "bad repetition operator at character 2, **"),
        ("[z-a]", "invalid character class range at character 2, z-a"),
        ("x{1001}", "invalid repetition size at character 2, {1001}"),
        ("((((x{99}){99}){99}){99})", "the pattern '((((x{99}){99}){99}){99})': "),
    ],
)
def test_a_mistake_in_a_pattern_is_told_with_its_place(pattern, words, capfd):
    with pytest.raises(UserError) as caught:
        compiled(pattern)
    assert words in str(caught.value)
    assert capfd.readouterr().err == ""  # RE2's own log


#: Bytes of a line, and as which characters they are searched.
READ = {
    "UTF-8": ("é✓".encode(), "é✓"),
    "latin-1": (b"caf\xe9 x", "caf\ufffd x"),
    "a stray byte is nothing": (b"a\x80b", "ab"),
    "a character that breaks off": (b"\xe2\x82", "\ufffd"),
    "overlong": (b"\xf0\x80\x80\x80x", "\ufffdx"),
    "a surrogate": (b"\xed\xa0\x80", "\ufffd"),
    "bytes of no character": (b"\xff\xfe\0", "\ufffd\ufffd\0"),
    "utf-16": ("a\n".encode("utf-16-le"), "a\0\n\0"),
}


@pytest.mark.parametrize("name", READ)
def test_what_bytes_are_read_as(name):
    data, expected = READ[name]
    assert text(data) == expected
    assert characters(data).decode("utf-8") == expected


#: Pattern, and what grep is asked, or None where grep may read it in another way: written by hand.
TRANSLATED = {
    "error": Grep("-E", "error"),
    r"^\d+\.\d+$": Grep("-E", "^[0-9]+[.][0-9]+$"),
    r"(?i)error|fail": Grep("-Ei", "error|fail"),
    r"a\sb": Grep("-E", "a[\t\f\r ]b"),
    r"[\w.-]+@": Grep("-E", "[.0-9A-Z_a-z-]+@"),
    r"[]\^]": Grep("-E", "[]^]"),
    r"\^\[x": Grep("-E", r"\^[[]x"),
    r"[\^-]": Grep("-E", "[-^]"),
    r"(?:a|b){2,3}?c": Grep("-E", "(a|b){2,3}c"),
    r"\Sx": Grep("-E", "[^\t\f\r ]x"),
    r"\\": Grep("-E", r"[\]"),
    "": Grep("-E", ""),
    "(a|^b)c": Grep("-E", "(a|^b)c"),
    "(a|^b)+": None,
    "(?i)kill": None,  # U+212A
    "(?i)[a-z]": None,
    "a|": None,
    "(|a)": None,
    "a{b": None,
    "a{1000}": None,
    "a{02}": None,
    "x^y": None,
    "a$b": None,
    r"\bword\b": None,
    r"\pL": None,
    r"[^\d]": Grep("-E", "[^0-9]"),
    r"[\D]": None,
    "é": None,
    r"\x41": None,
    r"a\nb": None,
    "(?m)^a": None,
    r"\Qa.b\E": None,
    "(?P<name>a)": None,
    "[[:print:]]": None,
}  # fmt: skip


@pytest.mark.parametrize("pattern", TRANSLATED)
def test_what_grep_is_asked(pattern):
    assert as_grep(pattern) == TRANSLATED[pattern]


LITERALS = st.sampled_from([*"abkKsS019 _-/#,:=<>'\"!@~%&;\t", *(rf"\{one}" for one in '\\.[]()*+?{}|^$-/"'), "]", "}"])
MEMBERS = st.sampled_from(
    [*"ab019_.:=^*+?(){}|$-#\" [", r"\]", r"\\", r"\[", r"\-", r"\^", r"\d", r"\w", r"\s", "a-c", "0-9", " -~", "+--",
     "[:alpha:]", "[:space:]", "[:punct:]", "[:upper:]"]
)  # fmt: skip
SETS = st.builds(
    "[{}{}]".format, st.sampled_from(["", "", "^"]), st.lists(MEMBERS, min_size=1, max_size=5).map("".join)
)
ATOMS = st.one_of(LITERALS, LITERALS, SETS, st.sampled_from([".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"]))
REPEATED = st.sampled_from(["", "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}", "{0}", "{1,2}?"])


def branches(atoms):
    branch = st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "", "", "^"]),
        st.lists(st.builds("{}{}".format, atoms, REPEATED), max_size=4).map("".join),
        st.sampled_from(["", "", "", "$"]),
    )
    return st.lists(branch, min_size=1, max_size=3).map("|".join)


def groups(inner):
    grouped = st.builds("({}{})".format, st.sampled_from(["", "?:"]), inner)
    return branches(st.one_of(ATOMS, grouped))


PATTERNS = st.builds(
    "{}{}".format, st.sampled_from(["", "", "", "(?i)"]), st.recursive(branches(ATOMS), groups, max_leaves=3)
)
#: What lines are made of: what patterns are about, and bytes that no tool may stumble over.
PARTS = st.sampled_from(
    [*(bytes([code]) for code in b"abckKsSAB019 _-/#,:=.[]()*+?{}|^$\\\"'\t\r\v\f"), b"aa", b"ab", b"00", b"\0", b"\1",
     "é".encode(), "✓".encode(), "\u212a".encode(), "\u017f".encode(), b"\xff", b"\x80", b"\xe2\x82", b"\xc3"]
)  # fmt: skip
TEXTS = st.lists(st.lists(PARTS, max_size=6).map(b"".join), min_size=1, max_size=40)


def by_grep(program: list[str], grep: Grep, data: bytes) -> list[int]:
    """Return the numbers of the lines that a grep says match."""
    tr = [*program[:-1], "tr"]
    once = subprocess.run([*tr, "-d", DELETED], input=data, capture_output=True, check=True)
    twice = subprocess.run([*tr, CHANGED, r"\001"], input=once.stdout, capture_output=True, check=True)
    words = [*program, grep.option, "-n", "-e", grep.pattern]
    done = subprocess.run(words, input=twice.stdout, capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    assert done.returncode in (0, 1), (grep, done.stderr)
    assert done.stderr == b""
    return [int(row.partition(b":")[0]) for row in done.stdout.split(b"\n")[:-1]]


@pytest.mark.parametrize("program", [["grep"], ["busybox", "grep"]], ids=["GNU", "busybox"])
@given(pattern=PATTERNS, lines=TEXTS)
@example(pattern="a.c", lines=["aéc".encode(), b"a\xffc", b"a\0c", b"a\x80c", b"ac"])
@example(pattern="(a|^a*)+?", lines=[b"a"])
@example(pattern="(?i)[^a]", lines=[b"A", b"a", b"b", b"\xff"])
@example(pattern="[^x]{2}$", lines=["é".encode(), "éé".encode(), b"\xe2\x82a"])
@settings(max_examples=150, deadline=None)
def test_grep_sees_what_re2_sees(program, pattern, lines):
    try:
        grep = as_grep(pattern)
    except UserError:
        grep = None
    assume(grep is not None)
    searched = compiled(pattern)
    expected = [number for number, line in enumerate(lines, 1) if searched.search(characters(line))]
    seen = by_grep(program, grep, b"\n".join(lines) + b"\n")
    assert seen == expected, grep
