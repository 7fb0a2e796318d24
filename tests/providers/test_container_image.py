"""Recipes of images and the package sources they take over, by values."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infratest.errors import UnknownName, UserError
from infratest.providers.container.apt_sources import Sources, entries
from infratest.providers.container.image import names, recipe

NOWHERE = Sources(mirror="http://mirror.example/debian")


def test_the_recipes_that_come_with_the_package() -> None:
    assert names() == ["debian-12"]
    assert recipe("debian-12", Path("/nowhere")).command == ("/sbin/infratest-init",)


def test_the_tag_changes_with_every_byte_of_the_recipe_and_with_the_sources(tmp_path: Path) -> None:
    shutil.copytree(recipe("debian-12", tmp_path).folder, tmp_path / "mine")
    (tmp_path / "same").mkdir()
    shutil.copytree(tmp_path / "mine", tmp_path / "same" / "mine")
    first = recipe("mine", tmp_path).tag(NOWHERE)
    assert first.startswith("infratest/mine:")
    assert recipe("mine", tmp_path / "same").tag(NOWHERE) == first
    assert recipe("mine", tmp_path).tag(Sources(mirror=NOWHERE.mirror, lists="deb http://a b main\n")) != first
    for name in ("recipe.toml", "setup.sh", "init"):
        kept = (tmp_path / "mine" / name).read_bytes()
        (tmp_path / "mine" / name).write_bytes(kept + b"\n# one more\n")
        assert recipe("mine", tmp_path).tag(NOWHERE) != first
        (tmp_path / "mine" / name).write_bytes(kept)
    assert recipe("mine", tmp_path).tag(NOWHERE) == first


def test_an_unknown_image_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown image 'debian12': did you mean 'debian-12'\? .*recipe\.toml"):
        recipe("debian12", tmp_path)


@pytest.mark.parametrize(
    "text, words",
    [
        ('suite = "bookworm"\nmirror = "http://a"\npackages = []\n', "command is missing"),
        ("suite = \n", "cannot be used"),
        ('suite = "bookworm"\nmirror = "http://a"\npackages = 3\ncommand = []\n', "cannot be used"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.toml").write_text(text)
    with pytest.raises(UserError, match=words):
        recipe("mine", tmp_path)


def test_package_sources_of_both_forms(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# a comment\n"
        "deb http://a.example/debian bookworm main contrib # more\n"
        "deb-src http://a.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/x y.gpg] https://b.example/debian bookworm-updates main\n"
        "deb [ trusted=yes ] http://c.example/debian bookworm main\n"
        "deb cdrom:[Debian]/ bookworm main\n"
        "deb http://broken.example\n"
    )
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb deb-src\n# a comment\nURIs: http://d.example/debian\nSuites: bookworm\n bookworm-security\n"
        "Components: main\n\n"
        "Types: deb\nEnabled: no\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n\n"
        "Types: deb-src\nURIs: http://source.example/debian\nSuites: bookworm\nComponents: main\n"
    )
    (tmp_path / "sources.list.d" / "old.save").write_text("deb http://old.example/debian bookworm main\n")
    assert list(entries(tmp_path)) == [
        ("http://a.example/debian", "bookworm", ("main", "contrib")),
        ("https://b.example/debian", "bookworm-updates", ("main",)),
        ("http://c.example/debian", "bookworm", ("main",)),
        ("http://d.example/debian", "bookworm", ("main",)),
        ("http://d.example/debian", "bookworm-security", ("main",)),
    ]


def test_without_sources_for_the_suite_the_recipes_mirror_is_taken() -> None:
    found = Sources.of_this_machine("no-such-suite", "http://mirror.example/debian")
    assert (found.mirror, found.lists) == ("http://mirror.example/debian", "")
