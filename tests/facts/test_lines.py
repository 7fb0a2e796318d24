"""The facts `lines` and `checksum`: what a file's lines are by every way in, carried, searched and natively."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import resource
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest import cleaning
from infratest.cleaning import decoded
from infratest.facts._carried import LIMIT, NOT_UTF8
from infratest.facts.base import Answer
from infratest.facts.checksum import Checksum, ChecksumFact
from infratest.facts.lines import UNPACKED, Lines, LinesFact
from tests.worlds.shells import SHELLS, shell

MIB = 2**20
#: Where the host's programs may take bytes for characters.
LOCALE = {"LC_ALL": "C"}


def snippet(arguments, name="dash", path=None, fact=LinesFact, limits=None):
    """Ask by the snippet, as a host is asked."""
    words, programs = shell(name)
    done = subprocess.run(
        [*words, "-c", fact().ask(arguments)], capture_output=True, check=True, timeout=60,
        env={"PATH": path or programs, **LOCALE}, preexec_fn=limits,
    )  # fmt: skip
    values = fact().read(Answer(exit=0, out=decoded(done.stdout)), arguments)
    return [values[argument] for argument in arguments]


def here(arguments):
    values = LinesFact().look_here(arguments)
    return [values[argument] for argument in arguments]


@pytest.fixture(params=[*SHELLS, "natively"])
def seen(request):
    """How many lines are so and which is the first, by one way in."""

    def asked(*arguments):
        values = here(arguments) if request.param == "natively" else snippet(arguments, request.param)
        assert {value.problem for value in values} == {""}
        return [(value.count, value.first) for value in values]

    return asked


LINE, PATTERN = "line", "pattern"
NONE = (0, None)
#: What stands in a file (written by hand); what is asked; how many lines are so, and the first.
FILES = {
    "empty": (b"", [("any", "", NONE), (PATTERN, "x*", NONE), (LINE, "", NONE), (PATTERN, r"\bx", NONE)]),
    "one line without an end": (b"x", [("any", "", (1, 1)), (PATTERN, "^x$", (1, 1)), (LINE, "x", (1, 1))]),
    "empty lines": (
        b"\n\n\n",
        [("any", "", (3, 1)), (LINE, "", (3, 1)), (PATTERN, "^$", (3, 1)), (PATTERN, ".", NONE)],
    ),
    "carriage returns": (b"a\r\nb\r\n", [(LINE, "a", NONE), (LINE, "a\r", (1, 1)), (PATTERN, "a$", NONE)]),
    "lines": (
        b"one\ntwo\nthree\ntwo\n",
        [(LINE, "two", (2, 2)), (LINE, "tw", NONE), (PATTERN, "^t", (3, 2)), ("any", "", (4, 1))],
    ),
    "NULs": (b"a\0b\nc\n", [(PATTERN, "a.b", (1, 1)), (PATTERN, "^c", (1, 2)), (LINE, "c", (1, 2)), (LINE, "a", NONE)]),
    "latin-1": (b"caf\xe9\nx\n", [(PATTERN, "^caf.$", (1, 1)), (PATTERN, "[^a-z]", (1, 1)), (LINE, "x", (1, 2))]),
    "UTF-8": ("é✓x\n".encode(), [(PATTERN, "^..x$", (1, 1)), (PATTERN, "^.x$", NONE), (LINE, "é✓x", (1, 1))]),
    "what is special": (
        b"[a-z]*\\ -e .^$\n-v\n", [(LINE, "[a-z]*\\ -e .^$", (1, 1)), (LINE, "-v", (1, 2)), (PATTERN, "-v", (1, 2)),
        (PATTERN, r"\*\\", (1, 1))],
    ),
    "not as grep reads it": (b"word words\nk\n", [(PATTERN, r"\bwords?\b", (1, 1)), (PATTERN, "(?i)K", (1, 2))]),
}  # fmt: skip
HAY = b"hay and hay\n"


#: Of these there is no larger one.
SMALL = ("empty", "one line without an end", "empty lines", "not as grep reads it")


@pytest.mark.parametrize(
    "size, name", [*(("small", one) for one in FILES), *(("large", one) for one in FILES if one not in SMALL)]
)
def test_the_lines_of_a_file(seen, tmp_path, name, size):
    """Once as it is, and once behind so much hay that it is not carried; the lines are then further down."""
    data, asked = FILES[name]
    before = 0
    if size == "large":
        before = LIMIT // len(HAY) + 1
        data = HAY * before + data
        asked = [one for one in asked if one[0] != "any" and "^a-z" not in one[1] and one[1] != "."]
    (tmp_path / "file").write_bytes(data)
    questions = [(str(tmp_path / "file"), kind, text) for kind, text, _ in asked]
    assert seen(*questions) == [(count, first and first + before) for _, _, (count, first) in asked]


def test_all_lines_of_a_large_file_are_counted(seen, tmp_path):
    (tmp_path / "file").write_bytes(HAY * 200_000 + b"last")
    path = str(tmp_path / "file")
    questions = [(path, "any", ""), (path, PATTERN, "^hay"), (path, PATTERN, "^last$"), (path, LINE, "last")]
    assert seen(*questions) == [(200_001, 1), (200_000, 1), (1, 200_001), (1, 200_001)]


@given(
    parts=st.lists(
        st.sampled_from([b"a", b"b", b"\n", b"\n", b"\0", b"\xff", b"\x80", "é".encode(), b"\r"]), max_size=20
    ),
    kind=st.sampled_from([LINE, PATTERN]),
    text=st.sampled_from(["a", "ab", "b.?", "^a", "b$", "[^a]", "", "é", "a.b", "^.$", "..", "\x01", "a\\s"]),
)
@settings(max_examples=60, deadline=None)
def test_carried_searched_and_natively_it_is_the_same(tmp_path_factory, parts, kind, text):
    """The patterns that grep is not asked are answered of a file of this size all the same."""
    folder, data = tmp_path_factory.mktemp("any"), b"".join(parts)
    (folder / "small").write_bytes(data)
    (folder / "large").write_bytes(data + b"\n" + b"=" * LIMIT)
    expected = here([(str(folder / "small"), kind, text)])[0]
    small = snippet([(str(folder / "small"), kind, text)])[0]
    assert small == (expected if data else small.changed(count=0, first=None, problem=""))
    large = [(str(folder / "large"), kind, text)]
    values = [snippet(large)[0], snippet(large, "busybox")[0], here(large)[0]]
    assert len({(one.count, one.first, one.problem) for one in values}) == 1


PACKED = {
    "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
    "zst": lambda data: subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout,
}  # fmt: skip


@pytest.mark.parametrize("packer", PACKED)
def test_what_is_compressed_is_looked_at_unpacked(tmp_path, packer):
    noise = os.urandom(2 * LIMIT).hex().encode()
    (tmp_path / f"small.{packer}").write_bytes(PACKED[packer](b"one\nerror: two\n"))
    (tmp_path / f"large.{packer}").write_bytes(PACKED[packer](noise + b"\nerror: two\n"))
    for name in SHELLS:
        if packer == "zst" and name == "busybox":
            continue  # it has none, and finds the one behind it in PATH
        for path in (tmp_path / f"small.{packer}", tmp_path / f"large.{packer}"):
            values = snippet(
                [(str(path), PATTERN, "^error"), (str(path), PATTERN, "^fatal"), (str(path), "any", "")], name
            )
            assert [(one.count, one.first, one.problem) for one in values] == [(1, 2, ""), (0, None, ""), (2, 1, "")]


def test_natively_too(tmp_path):
    for packer in ("gz", "bz2", "xz"):
        (tmp_path / packer).write_bytes(PACKED[packer](b"one\nerror: two\n"))
        assert here([(str(tmp_path / packer), PATTERN, "^error")])[0].first == 2
    (tmp_path / "x").write_bytes(PACKED["zst"](b"one"))
    assert LinesFact().look_here([(str(tmp_path / "x"), "any", "")]) == {}  # its snippet has a program for it


def test_what_cannot_be_unpacked_is_unknown(tmp_path):
    cut = gzip.compress(os.urandom(4 * LIMIT))
    (tmp_path / "small").write_bytes(gzip.compress(b"one\n")[:-9])
    (tmp_path / "large").write_bytes(cut[: 3 * LIMIT])
    (tmp_path / "bomb").write_bytes(gzip.compress(b"x" * (UNPACKED + 1)))
    (tmp_path / "odd").write_bytes(PACKED["zst"](b"one"))
    questions = [(str(tmp_path / name), PATTERN, "^z$") for name in ("small", "large", "bomb", "odd")]
    problems = [one.problem for one in snippet(questions)]
    assert problems[0].startswith("it cannot be unpacked: ")
    assert problems[1] == "it cannot be read to its end"
    assert problems[2] == "it unpacks to more than 32 MiB"
    assert "compressed by zstd and its name does not end in .zst" in problems[3]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("many", [1, LIMIT])
def test_a_text_of_two_bytes_a_character_is_unknown(tmp_path, encoding, many):
    (tmp_path / "x").write_bytes(("\ufeff" + "error: two\n" * many).encode(encoding))
    questions = [(str(tmp_path / "x"), PATTERN, "^error"), (str(tmp_path / "x"), "any", "")]
    for values in (here(questions), *(snippet(questions, name) for name in SHELLS)):
        assert [one.problem for one in values] == [NOT_UTF8] * 2


def test_without_the_program_it_is_unknown(tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("head", "od", "tr", "grep", "cut", "wc", "stat", "base64", "cat"):
        (programs / name).symlink_to(shutil.which(name))
    (tmp_path / "x.zst").write_bytes(PACKED["zst"](b"one"))
    (value,) = snippet([(str(tmp_path / "x.zst"), "any", "")], path=str(programs))
    assert value.problem == "it is compressed by zstd, which is not installed on this host"


def test_the_part_between_two_lines(seen, tmp_path):
    (tmp_path / "my.cnf").write_text("[a]\nport=1\n[b]\nport=2\nx=2\n[a]\nport=3\n[end]\n")
    path = str(tmp_path / "my.cnf")
    questions = [
        (path, PATTERN, "^port", "[b]", "[a]"),
        (path, LINE, "port=3", "[b]", "[a]"),
        (path, "any", "", "[a]", "[b]"),
    ]
    assert seen(*questions) == [(1, 4), NONE, (1, 2)]


def test_a_part_that_does_not_begin_or_end_is_absent(tmp_path):
    (tmp_path / "x").write_text("[b]\ny\n[a]\n")
    path = str(tmp_path / "x")
    for ask in (here, snippet):
        values = ask([(path, "any", "", begin, end) for begin, end in (("[b]", "[c]"), ("[c]", "[a]"), ("[a]", "[b]"))])
        assert [one.missing for one in values] == ["[c]", "[c]", "[b]"]


def test_what_can_neither_be_carried_nor_searched_is_unknown_with_its_size(tmp_path):
    (tmp_path / "x").write_bytes(HAY * 200_000)
    path = str(tmp_path / "x")
    questions = [
        (path, PATTERN, r"\bhay\b"),
        (path, "whole", "hay"),
        (path, "any", "", "a", "b"),
        (path, PATTERN, "hay"),
    ]
    values = snippet(questions)
    assert [one.problem for one in values[:3]] == [
        f"it has 2.29 MiB: where {why}, only files of up to 1 MiB are looked at"
        for why in (
            "grep may not read this pattern as RE2 does",
            "the whole text is matched",
            "a part of it is asked about",
        )
    ]
    assert values[3].count == 200_000
    assert snippet([("/proc/version", "whole", "x")])[0].problem.startswith("it tells no size: ")


def test_the_whole_text(seen, tmp_path):
    (tmp_path / "x").write_text("one\ntwo\n")
    asked = ["one\ntwo", "(?s)one.two", "one.two", "^one$", "(?m)^one$", r"two\n$"]
    questions = [(str(tmp_path / "x"), "whole", pattern) for pattern in asked]
    assert [count for count, _ in seen(*questions)] == [1, 1, 0, 0, 1, 1]


def test_no_file_and_denied(tmp_path):
    (tmp_path / "folder").mkdir()
    missing = [(str(tmp_path / name), "any", "") for name in ("no", "folder")]
    assert snippet(missing) == here(missing) == [Lines(there=False)] * 2


@pytest.fixture
def secret():
    before = set(cleaning._secrets)
    cleaning.keep_secret("correct-horse-battery")
    yield "correct-horse-battery"
    cleaning._secrets.clear()
    cleaning._secrets.update(before)


def test_a_secret_is_not_sent_to_the_host(tmp_path, secret):
    (tmp_path / "small").write_text(f"x\npassword={secret}\n")
    (tmp_path / "large").write_bytes(HAY * 200_000)
    questions = [(str(tmp_path / name), LINE, f"password={secret}") for name in ("small", "large")]
    questions += [(str(tmp_path / "small"), PATTERN, f"^p.*{secret}$")]
    assert secret not in LinesFact().ask(questions)
    values = snippet(questions)
    assert [one.count for one in values] == [1, 0, 1]
    assert "where a secret is looked for, only files of up to 1 MiB" in values[1].problem
    assert secret not in values[0].shown


def test_a_line_without_an_end_has_a_bound_and_past_it_nothing_is_denied(tmp_path):
    with (tmp_path / "x").open("wb") as file:
        file.truncate(40 * MIB)

    def small():
        resource.setrlimit(resource.RLIMIT_AS, (24 * MIB, 24 * MIB))

    (value,) = snippet([(str(tmp_path / "x"), PATTERN, "needle")], limits=small)
    assert value.problem == "it cannot be read to its end"


# Checksums.

SUMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}


@pytest.mark.parametrize("name", SHELLS)
def test_checksums_are_those_of_hashlib(tmp_path, name):
    paths = [tmp_path / each for each in ("x", "back\\slash", "line\nbreak", "-n", "empty")]
    for path in paths:
        path.write_bytes(os.urandom(1000) if path.name != "empty" else b"")
    questions = [(str(path), algorithm) for path in paths for algorithm in SUMS]
    questions += [(str(tmp_path / "none"), "MD5"), (str(tmp_path), "MD5")]
    values = snippet(questions, name, fact=ChecksumFact)
    expected = [hashlib.new(one, path.read_bytes()).hexdigest() for path in paths for one in SUMS.values()]
    assert [value.sum for value in values[:-2]] == expected
    assert values[-2:] == [Checksum(there=False)] * 2


def test_a_checksum_of_what_cannot_be_read_is_unknown():
    (value,) = snippet([(f"/proc/{os.getpid()}/mem", "MD5")], fact=ChecksumFact)
    assert value.problem == "it cannot be read to its end"
