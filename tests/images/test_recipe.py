"""Recipes of images and the package sources they take over, by values."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from infratest.errors import UnknownName, UserError
from infratest.images.recipe import names, recipe
from infratest.images.sources import Sources, entries

NOWHERE = Sources(mirror="http://mirror.example/debian")


def test_the_recipes_that_come_with_the_package() -> None:
    assert names() == ["debian-11", "debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04"]
    assert recipe("debian-12", Path("/nowhere")).command == ("/sbin/infratest-init",)
    for name in names():  # by which a firewall of the stack file is had on their hosts
        assert "nftables" in recipe(name, Path("/nowhere")).packages


def test_a_recipe_takes_keys_and_files_from_the_one_that_it_is_like(tmp_path: Path) -> None:
    debian, ubuntu, older = (recipe(name, tmp_path) for name in ("debian-12", "ubuntu-24.04", "ubuntu-22.04"))
    assert (ubuntu.packages, ubuntu.masked, ubuntu.stop_signal) == (debian.packages, debian.masked, "SIGRTMIN+3")
    assert ubuntu.files["setup.sh"] == debian.files["setup.sh"]
    assert (ubuntu.suite, older.suite, older.registry, older.mirror) == (
        "noble",
        "jammy",
        "ubuntu:22.04",
        ubuntu.mirror,
    )
    assert (older.distribution, older.keyring) == ("ubuntu", "ubuntu-archive-keyring.gpg")
    assert older.files[older.keyring] == ubuntu.files[ubuntu.keyring]
    assert sorted(older.files) == [
        "debian-12/recipe.toml", "init", "recipe.toml", "setup.sh", "ubuntu-24.04/recipe.toml",
        "ubuntu-archive-keyring.gpg",
    ]  # fmt: skip


def test_the_tag_changes_with_the_recipe_that_it_is_like(tmp_path: Path) -> None:
    shutil.copytree(recipe("debian-12", tmp_path).folder, tmp_path / "base")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "recipe.toml").write_text('like = "base"\nsuite = "trixie"\n')
    first = recipe("mine", tmp_path).tag(NOWHERE)
    assert first.startswith("infratest/mine:")
    (tmp_path / "base" / "setup.sh").write_text("#!/bin/sh\n")
    assert recipe("mine", tmp_path).tag(NOWHERE) != first


def test_an_ubuntu_brings_the_key_that_its_archive_is_signed_by(tmp_path: Path) -> None:
    ubuntu = recipe("ubuntu-24.04", tmp_path)
    keyring = tmp_path / "keyring.gpg"
    keyring.write_bytes(ubuntu.files[ubuntu.keyring])
    words = ["gpg", "--homedir", str(tmp_path), "--show-keys", "--with-colons", str(keyring)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    keys = {row.split(":")[9] for row in shown.splitlines() if row.startswith("fpr:")}
    # As Ubuntu publishes them: the archive's of 2018 and of 2012, and the installation media's of 2012.
    assert keys == {
        "F6ECB3762474EDA9D21B7022871920D1991BC93C", "790BC7277767219C42C86F933B4FE6ACC0B21F32",
        "843938DF228D22F7B3742BC0D94AA3F0EFE21092",
    }  # fmt: skip


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
        ('suite = "a"\nmirror = "b"\npackages = []\ncommand = []\nmaskd = []\n', "unknown key 'maskd': .*masked"),
        ('like = "debian-21"\n', "unknown image 'debian-21': did you mean 'debian-1"),
        ('like = "mine"\n', "recipes that are like each other have no beginning"),
        ('like = "debian-12"\nmasked = "ssh.service"\n', "masked is no list of texts: 'ssh.service'"),
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


def test_without_sources_of_the_distribution_the_recipes_own_are_taken() -> None:
    lists = "deb http://mirror.example/other no-such-suite main\n"
    found = Sources.of_this_machine("no-such-suite", "http://mirror.example/other", "no-such-distribution", lists)
    assert (found.mirror, found.lists) == ("http://mirror.example/other", lists)
