"""The fact `content`: a text is looked for byte by byte in the whole of a file, with one verdict by every way in."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest import cleaning
from infratest.cleaning import decoded
from infratest.facts._carried import LIMIT, NOT_UTF8, TOGETHER
from infratest.facts.base import Answer
from infratest.facts.content import Content, ContentFact
from tests.worlds.shells import SHELLS, shell

MIB = 2**20
ABSENT = Content(there=False)


def snippet(arguments, name="dash", path=None, limits=None):
    """Ask by the snippet, as a host is asked."""
    words, found = shell(name)
    done = subprocess.run(
        [*words, "-c", ContentFact().ask(arguments)], capture_output=True, check=True, timeout=60,
        env={"PATH": path or found, "LC_ALL": "C"}, preexec_fn=limits,
    )  # fmt: skip
    values = ContentFact().read(Answer(exit=0, out=decoded(done.stdout)), arguments)
    return [values[argument] for argument in arguments]


def here(arguments):
    values = ContentFact().look_here(arguments)
    return [values[argument] for argument in arguments]


@pytest.fixture(params=[*SHELLS, "natively"])
def held(request):
    """Which of these questions are answered with yes, by one way in."""

    def asked(*arguments):
        found = here(arguments) if request.param == "natively" else snippet(arguments, request.param)
        assert {content.problem for content in found} == {""}
        return [content.holds for content in found]

    return asked


#: What stands in a file (written by hand), and what it holds and does not hold.
FILES = {
    "a large file with the text at its end": (b"x" * 2 * MIB + b"END", ["END", "xEND"], ["ENDx", "EN D"]),
    "a hole before the text, as copytruncate leaves": (b"\0" * 2 * MIB + b"NEEDLE", ["NEEDLE"], ["NEEDLES"]),
    "a NUL in the text": (b"a\0b", ["a", "b"], ["ab"]),
    "NULs in a large file": (b"a\0b" * MIB, ["a", "b", "ba"], ["ab"]),
    "latin-1": (b"caf\xe9 \xff\xfe end", ["caf", " end"], ["caf\xe9", "\ufffd"]),
    "latin-1 in a large file": (b"caf\xe9\n" * MIB, ["caf", "\ncaf"], ["caf\xe9", "\ufffd"]),
    "UTF-8": ("caf\xe9 \ufffd".encode(), ["caf\xe9", "\ufffd"], ["cafe"]),
    "UTF-8 in a large file": ("caf\xe9 \ufffd\n".encode() * 100_000, ["caf\xe9", "\ufffd\nc"], ["cafe"]),
    "several lines": (b"one\ntwo\r\nthree", ["one\ntwo", "two\r\nthree", "\n"], ["one\nthree", "two\nthree"]),
    "several lines of a large file": (
        b"one\n" * MIB + b"two\nthree\n", ["one\ntwo", "one\none\none", "three\n"], ["two\none", "one\n\none", "\nx"],
    ),
    "one line that is all of the file": (b"ab" * 2 * MIB, ["ab", "ba"], ["aa", "bb", "ab\n"]),
    "characters that tools take for more": (
        b"[a-z]*\\n -e .^$" * 10_000, ["[a-z]*", "\\n", "-e", ".^$", "]*\\"], ["[a-c]", "b", "^.", "\n"],
    ),
    "an empty file": (b"", [], ["x", "\n"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_holds_what_its_bytes_say(held, tmp_path, name):
    data, has, lacks = FILES[name]
    path = tmp_path / "file"
    path.write_bytes(data)
    questions = [(str(path), text) for text in [*has, *lacks]]
    assert held(*questions) == [True] * len(has) + [False] * len(lacks)


@given(
    data=st.lists(st.sampled_from([b"a", b"b", b"ab", b"\n", b"\0", b"\xff", b"\xc3\xa9", b"]-", b"\\"]), max_size=30),
    text=st.text(st.sampled_from("ab\n\xe9]-\\\ufffd\x01"), min_size=1, max_size=4),
    size=st.sampled_from([0, LIMIT + 1]),
)
@settings(max_examples=60, deadline=None)
def test_carried_searched_and_natively_it_is_the_same(tmp_path_factory, data, text, size):
    path = tmp_path_factory.mktemp("any") / "file"
    whole = b"".join(data) + b"." * size
    path.write_bytes(whole)
    expected = [text.encode() in whole]
    assert [one.holds for one in snippet([(str(path), text)])] == expected
    assert [one.holds for one in here([(str(path), text)])] == expected


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("many", [1, LIMIT])
def test_of_a_text_of_two_bytes_a_character_nothing_is_denied(tmp_path, encoding, many):
    """Its bytes are others than those of the text that is looked for, which may well be in it."""
    (tmp_path / "file").write_bytes(("\ufeff" + "needle\n" * many).encode(encoding))
    questions = [(str(tmp_path / "file"), text) for text in ("needle", "hay")]
    for found in (here(questions), *(snippet(questions, name) for name in SHELLS)):
        assert found == [Content(problem=NOT_UTF8)] * 2


def test_memory_has_a_bound_and_past_it_nothing_is_denied(tmp_path):
    """Of one byte again and again nothing can be left out; a search that needs more than it may have is no answer."""
    (tmp_path / "file").write_bytes(b"x" * 40 * MIB)
    path = str(tmp_path / "file")

    def small():
        resource.setrlimit(resource.RLIMIT_AS, (24 * MIB, 24 * MIB))

    found = snippet([(path, "xy"), (path, "y")], limits=small)
    assert (found[0].holds, found[0].problem) == (False, "it cannot be read to its end")
    assert found[1] == Content(holds=False)


def test_a_file_without_a_size_is_read_all_the_same(held):
    assert held(("/proc/version", "Linux version"), ("/proc/version", "no such words")) == [True, False]


@pytest.fixture
def secret():
    """A text that is a secret of this process."""
    before = set(cleaning._secrets)
    cleaning.keep_secret("correct-horse-battery")
    yield "correct-horse-battery"
    cleaning._secrets.clear()
    cleaning._secrets.update(before)


@pytest.mark.parametrize("name", SHELLS)
def test_a_secret_is_not_sent_to_the_host(tmp_path, secret, name):
    (tmp_path / "a").write_bytes(b"x" * 900_000 + secret.encode())
    (tmp_path / "b").write_text("nothing")
    (tmp_path / "c").write_bytes(b"x" * 2 * MIB + secret.encode())
    questions = [(str(tmp_path / "a"), "x"), (str(tmp_path / "a"), f"={secret}"), (str(tmp_path / "a"), f"x{secret}")]
    questions += [(str(tmp_path / "b"), secret), (str(tmp_path / "c"), "xcorrect"), (str(tmp_path / "c"), secret)]
    assert secret not in ContentFact().ask(questions)
    found = snippet(questions, name)
    assert [content.holds for content in found] == [True, False, True, False, True, False]
    assert [content.problem for content in found[:5]] == [""] * 5
    assert "a secret is looked for in a file of at most 1 MiB" in found[5].problem
    (empty,) = snippet([("/proc/version", secret)], name)  # it tells no size
    assert "that tells its size" in empty.problem


# What it costs.


def counted(arguments, cwd):
    """Return what the snippet is answered with here, and how often each program was spawned, counted by stand-ins."""
    programs = cwd / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("head", "base64", "stat", "od", "tr", "grep"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} >>"{cwd}/log"\nexec {shutil.which(name)} "$@"\n')
        (programs / name).chmod(0o755)
    (cwd / "log").write_text("")
    found = snippet(arguments, path=f"{programs}:{os.environ['PATH']}")
    spawned = (cwd / "log").read_text().split()
    return found, {name: spawned.count(name) for name in spawned}


@pytest.mark.parametrize("count", [1, 7])
def test_small_files_cost_three_programs_however_many(tmp_path, count):
    paths = [tmp_path / str(number) for number in range(count)]
    for path in paths:
        path.write_text(f"this is\n{path.name}\n")
    questions = [(str(path), text) for path in paths for text in (path.name, "not this")]
    found, spawned = counted(questions, tmp_path)
    assert found == [Content(holds=True, line=2), Content(lines=2)] * count
    assert spawned == {"stat": 1, "head": 1, "base64": 1}


@pytest.mark.parametrize("count", [1, 7])
def test_those_that_are_not_there_cost_one_program(tmp_path, count):
    found, spawned = counted([(str(tmp_path / f"not there {number}"), "x") for number in range(count)], tmp_path)
    assert found == [ABSENT] * count
    assert spawned == {"stat": 1}


def test_large_files_are_searched_where_they_are(tmp_path):
    paths = [tmp_path / str(number) for number in range(8)]
    for path in paths:
        path.write_bytes(b"x" * 900_000 + path.name.encode())
    found, spawned = counted([(str(path), path.name) for path in paths], tmp_path)
    assert found == [Content(holds=True)] * 8
    assert spawned == {"stat": 1, "head": 8, "od": 8, "tr": 8, "grep": 8}


def test_what_is_carried_together_has_a_bound(tmp_path):
    count = TOGETHER // LIMIT + 3
    paths = [tmp_path / f"{number:02}" for number in range(count)]
    for path in paths:
        path.write_bytes(b"x" * (LIMIT - 2) + path.name.encode())
    found, spawned = counted([(str(path), path.name) for path in paths], tmp_path)
    assert [content.holds for content in found] == [True] * count
    assert spawned == {"stat": 1, "head": 4, "base64": 1, "od": 3, "tr": 3, "grep": 3}


def test_odd_paths_are_read_with_all_others(tmp_path):
    paths = [tmp_path / name for name in ("line\nbreak", "\xfc", "a, b <==", "tab\t")]
    for path in paths:
        path.write_text(f"this is {path.name}")
    missing = [(str(tmp_path / name), "x") for name in ("not\nthere", "nor\nthis")]
    found, spawned = counted([*((str(path), f"this is {path.name}") for path in paths), *missing], tmp_path)
    assert [content.holds for content in found] == [True] * 4 + [False] * 2
    assert found[4:] == [ABSENT, ABSENT]
    assert spawned["head"] == 1


def test_one_that_cannot_be_read_to_its_end_is_unknown_alone(tmp_path):
    (tmp_path / "good").write_text("good")
    memory = "/proc/self/mem"  # a regular file whose first byte nobody has mapped: EIO
    other = memory.replace("self", "thread-self")
    found = snippet([(memory, "good"), (str(tmp_path / "good"), "good"), (other, "good")])
    assert [(content.holds, bool(content.problem)) for content in found] == [
        (False, True),
        (True, False),
        (False, True),
    ]


def test_no_file_pretends_to_be_another(tmp_path):
    texts = ["in 2 1\n.\n", "is 3\ndone\n", "bytes base64\n", "\n", "no line break", "error 1 x\n\n"]
    # The line that head writes before a file, as it is, and with any number of slashes and dots before the path.
    texts += [f"\n==> {way}{tmp_path}/2 <==\n" for way in ("", "/" * 60, "/." * 30, "/././//." * 8)]
    paths = [tmp_path / str(number) for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(f"<{text}>")
    questions = [(str(path), f"<{text}>") for path in paths for text in texts]
    found = snippet(questions)
    assert [content.holds for content in found] == [here == there for here in texts for there in texts]
