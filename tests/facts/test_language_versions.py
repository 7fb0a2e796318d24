"""Versions of packages of languages: by hand from the documents, and as `packaging` and rubygems order them."""

from __future__ import annotations

import itertools
import subprocess

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from infratest.errors import FactError
from infratest.facts.language_package.versions import KEYS, latest_first, order

#: Each is earlier than the next: PEP 440's summary, semver.org 11, the documentation of Gem::Version.
IN_ORDER = {
    "pip": "1.dev1 1.0a1.dev2 1.0a1 1.0a2.dev456 1.0b1.dev456 1.0b2 1.0b2.post345 1.0rc1 1.0 1.0+abc.5 1.0+abc.7 1.0+5"
    " 1.0.post456.dev34 1.0.post456 1.0.15 1.1.dev1 1.9 1.10 2013.10 1!0.1",
    "npm": "0.9.9 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0"
    " 1.0.1 1.2 1.9.0 1.10.0 2",
    "cargo": "0.1.0-alpha.1 0.1.0 0.1.1 0.2.0 1.0.0",
    "gem": "1.0.a 1.0.a.2 1.0.b1 1.0.rc1 1.0 1.0.1 1.9 1.10.pre 1.10 2.0.0.rc2",
}  # fmt: skip
SAME = [
    ("pip", "1.0", "1.0.0"), ("pip", "v1.0-RC.1", "1.0c1"), ("pip", "1.0-1", "1.0.post1"), ("pip", "0!1", "1"),
    ("npm", "1.2", "1.2.0"), ("npm", "1.2.3+a", "1.2.3+b"), ("gem", "1", "1.0.0"), ("gem", "1.a", "1.0.a.0"),
]  # fmt: skip
NONE = [("pip", "1.0-x"), ("pip", "latest"), ("pip", ""), ("pip", "1..2"), ("pip", "1.0+"), ("npm", "1.2.3.4"),
        ("npm", "1.x"), ("npm", "^1.2"), ("npm", "1.2.3-"), ("cargo", "1.2.3-a..b"), ("gem", "a"), ("gem", "1..2"),
        ("gem", "~> 1.2")]  # fmt: skip


@pytest.mark.parametrize("language", IN_ORDER)
def test_versions_that_are_written_in_order(language):
    versions = IN_ORDER[language].split()
    for (first, one), (second, other) in itertools.product(enumerate(versions), repeat=2):
        assert order(one, other, language) == (first > second) - (first < second), (one, other)
    assert latest_first([*versions[::2], "?", *versions[1::2]], language) == [*versions[::-1], "?"]


@pytest.mark.parametrize("language, one, other", SAME)
def test_two_ways_to_write_one_version(language, one, other):
    assert order(one, other, language) == order(other, one, language) == 0


@pytest.mark.parametrize("language, text", NONE)
def test_what_is_no_version(language, text):
    with pytest.raises(FactError, match="is no version"):
        order(text, "1.0", language)


PARTS = [
    "1",
    "0",
    "10",
    "01",
    "2",
    ".",
    ".",
    "-",
    "_",
    "a",
    "rc",
    "beta",
    "c",
    "post",
    "dev",
    "rev",
    "+",
    "!",
    "x",
    "v",
    "r",
]
PYTHON = st.lists(st.sampled_from(PARTS), max_size=7).map("".join)


@settings(max_examples=400, deadline=None)
@given(PYTHON, PYTHON)
def test_pips_order_is_that_of_packaging(rest, other):
    read = []
    for text in ("1" + rest, "1" + other):
        try:
            Version(text)
        except InvalidVersion:
            with pytest.raises(FactError):
                order(text, "1", "pip")
        else:
            read.append(text)
    if len(read) == 2:
        one, two = map(Version, read)
        assert order(*read, "pip") == (one > two) - (one < two), read


RUBY = """
STDIN.each_line(chomp: true) do |row|
  texts = row.split(" ")
  known = texts.all? { |text| Gem::Version.correct?(text) }
  puts known ? Gem::Version.new(texts[0]) <=> Gem::Version.new(texts[1]) : "none"
end
"""
GEMS = st.lists(st.sampled_from(["1", "0", "10", ".", ".", "a", "rc", "B", "-"]), max_size=7).map("".join)


@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(st.lists(GEMS.map(lambda rest: "1" + rest), min_size=30, max_size=40))
def test_gems_order_is_that_of_rubygems(versions):
    pairs = list(itertools.product(versions, versions))
    rows = "".join(f"{one} {other}\n" for one, other in pairs)
    done = subprocess.run(["ruby", "-e", RUBY], input=rows, capture_output=True, text=True, check=True)
    right = done.stdout.split()
    assert len(right) == len(pairs)
    for pair, answer in zip(pairs, right, strict=True):
        if answer == "none":
            with pytest.raises(FactError):
                order(*pair, "gem")
        else:
            assert order(*pair, "gem") == int(answer), pair


def test_each_language_has_an_order():
    assert set(KEYS) == {"pip", "npm", "gem", "cargo"}
