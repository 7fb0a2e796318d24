"""Packages of languages: names that none can have, what is written wrongly, and all of this virtual environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.facts.base import Answer
from infratest.facts.language_package import LanguagePackageFact, package_name
from tests.facts.both_ways import snippet


@pytest.mark.parametrize(
    "language, name", [("npm", "@scope/one"), ("pip", "ruamel.yaml"), ("gem", "a_b-c"), ("cargo", "a-b")]
)
def test_names(language, name):
    assert package_name(language, name) == name


@pytest.mark.parametrize(
    "language, name",
    [
        ("conda", "one"),
        ("npm", "@scope/../one"),
        ("npm", "one/two"),
        ("npm", "@/x"),
        ("npm", "@x/"),
        ("pip", "-r"),
        ("pip", "@scope/one"),
        ("pip", "a b"),
        ("gem", ".."),
        ("gem", "a*"),
        ("cargo", ""),
    ],
)
def test_names_that_no_package_can_have(language, name):
    with pytest.raises(UserError):
        package_name(language, name)


@pytest.mark.parametrize("text", ["{", '{"version": "1', "", "[]", '"1.0"', '{"version": null}'])
def test_what_npm_has_not_written_is_not_understood(text):
    out = f"package 1\nplace 1 /a\nbegin 1 /a/package.json\n|{text}\n\nend\n"
    argument = ("npm", "one", "/a")
    found = LanguagePackageFact().read(Answer(0, out), [argument])[argument]
    assert "what npm wrote of one is not understood" in found.problem
    assert found.versions == ()


def test_all_that_pip_lists_in_this_environment():
    words = [sys.executable, "-m", "pip", "--disable-pip-version-check", "list", "--format", "json"]
    listed = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    right = {one["name"]: one["version"] for one in listed}
    found = snippet("language-package", [("pip", name, sys.prefix) for name in right])
    assert {argument[1]: value.versions for argument, value in found.items()} == {
        name: (version,) for name, version in right.items()
    }


def test_a_folder_that_is_a_file_or_has_odd_names(tmp_path: Path):
    odd = tmp_path / "a\nb 'c'"
    (odd / "node_modules/one").mkdir(parents=True)
    (odd / "node_modules/one/package.json").write_text('{"version": "1.0.0"}')
    (tmp_path / "file").touch()
    asked = [("npm", "one", str(odd)), ("npm", "one", str(tmp_path / "file")), ("npm", "two", str(odd))]
    one, file, two = snippet("language-package", asked).values()
    assert one.versions == ("1.0.0",)
    assert one.place == f"{odd}/node_modules"
    assert "is no folder" in file.problem
    assert (two.versions, two.problem, two.there) == ((), "", True)
