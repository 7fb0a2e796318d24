"""What an image's name stands for: one rule, and what is said where it stands for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import UnknownName, UserError
from infratest.images.named import DOCKERFILE, FILE, RECIPE, REGISTRY, named

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder: a recipe, a folder with a Dockerfile, one with neither, an archive."""
    for path in ("images/worker/recipe.toml", "images/app/Dockerfile", "images/notes/README", "root.tar", "debian-12"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    "name, kind",
    [
        ("debian-12", RECIPE),
        ("./debian-12", FILE),
        ("images/worker", RECIPE),
        ("./images/worker", RECIPE),
        ("images/app", DOCKERFILE),
        ("images/app/", DOCKERFILE),
        ("root.tar", FILE),
        ("ubuntu:24.04", REGISTRY),
        ("team/app:1", REGISTRY),
        ("localhost:5000/app:1", REGISTRY),
        (f"registry.example:5000/team/app@{DIGEST}", REGISTRY),
        (f"registry.example/team/app:1.2-rc.1@{DIGEST}", REGISTRY),
    ],
)
def test_a_name_is_of_one_kind(folder: Path, name: str, kind: str) -> None:
    assert named(name, folder).kind == kind


@pytest.mark.parametrize(
    "name, words",
    [
        (
            "debian-21",
            r"unknown image 'debian-21': did you mean 'debian-1[123]'\? recipes are debian-11, .*:24\.04",
        ),
        ("images/wroker", r"did you mean 'images/worker'\?.*and there is no .*/images/wroker \(the rule"),
        ("rot.tar", r"did you mean 'root\.tar'\?"),
        ("./roottar", r"did you mean './root\.tar'\?"),
        ("team/app", r"a registry image is written with its tag, team/app:latest"),
        ("registry.example:5000/app", r"is written with its tag, registry.example:5000/app:latest"),
        ("nginx", r"unknown image 'nginx': .*a registry image is written with its tag, nginx:latest"),
        ("ubuntu", r"did you mean 'ubuntu-2[24]\.04'\?"),
        ("nothing/at/All", r"unknown image 'nothing/at/All': recipes are [^;]*; and there is no [^;]* \(the rule"),
    ],
)
def test_a_slip_is_no_registry_image(folder: Path, name: str, words: str) -> None:
    with pytest.raises(UnknownName, match=words):
        named(name, folder)


@pytest.mark.parametrize(
    "name, words",
    [
        ("images/notes", "holds neither a recipe.toml nor a Dockerfile"),
        ("Team/App:1", "small letters alone, as team/app:1"),
        ("app:", r"write \[REGISTRY/\]NAME:TAG"),
        ("app:a b", r"no registry has images of such a name"),
        ("app@sha256:1234", r"no registry has images of such a name"),
        ("--privileged:1", r"no registry has images of such a name"),
        ("app:1\n", r"no registry has images of such a name"),
        ("http://registry.example/app:1", r"no registry has images of such a name"),
    ],
)
def test_what_can_be_no_image_is_refused(folder: Path, name: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        named(name, folder)
