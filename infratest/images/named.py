"""What an image's name in a stack file stands for, told by one rule. For every provider that makes hosts from images.

Nothing is asked of anybody: a name that can be no image is refused before anything is made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from infratest.errors import UnknownName, UserError
from infratest.images import recipe as recipes
from infratest.paths import path_of

#: The rule, as messages and docs/images.md say it.
RULE = (
    "a name with a tag or a digest is a registry image (ubuntu:24.04), any other is one of infratest's recipes "
    "(debian-12) or else a path beside the stack file: a folder with a recipe.toml or a Dockerfile, or a file"
)

RECIPE, REGISTRY, DOCKERFILE, FILE = "recipe", "registry image", "Dockerfile", "file"

BUILT_BY = "Dockerfile"

#: How a name begins that is a path whatever else it holds.
PATHS = ("/", "./", "../", "~")

# The grammar of references, as https://pkg.go.dev/github.com/distribution/reference has it.
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_REFERENCE = re.compile(
    rf"(?:{_REGISTRY}/)?{_PART}(?:/{_PART})*(?P<tag>:\w[\w.-]{{0,127}})?(?P<digest>@sha(?:256:[0-9a-f]{{64}}|512:[0-9a-f]{{128}}))?",
    re.ASCII,
)
_REPOSITORY = re.compile(rf"(?:{_REGISTRY}/)?{_PART}(?:/{_PART})*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Named:
    """An image as a stack file names it.

    Args:
        kind: RECIPE, REGISTRY, DOCKERFILE or FILE. name: as it is written. path: where it lies, the stack file's folder
        of what lies nowhere: a registry image, a recipe that comes with infratest.
    """

    kind: str
    name: str
    path: Path


def named(name: str, folder: Path) -> Named:
    """Return what a name stands for.

    Args:
        folder: the stack file's.
    Raises:
        UnknownName: nothing that is here; with the nearest name. UserError: it can be no image.
    """
    if not name.startswith(PATHS) and ("@" in name or ":" in name.rpartition("/")[2]):
        return Named(kind=REGISTRY, name=_checked(name), path=folder)
    if "/" not in name and name in recipes.names():
        return Named(kind=RECIPE, name=name, path=folder)
    path = path_of(folder, name)
    if (path / recipes.RECIPE).is_file():
        return Named(kind=RECIPE, name=name, path=path)
    if (path / BUILT_BY).is_file():
        return Named(kind=DOCKERFILE, name=name, path=path)
    if path.is_file():
        return Named(kind=FILE, name=name, path=path)
    if path.is_dir():
        raise UserError(f"image {name}: the folder {path} holds neither a {recipes.RECIPE} nor a {BUILT_BY}")
    raise UnknownName(_unknown(name, path))


def _checked(name: str) -> str:
    """Return a registry image's name. Raises UserError: no registry can have one of that name."""
    match = _REFERENCE.fullmatch(name)
    if match and (match["tag"] or match["digest"]):
        return name
    small = _REFERENCE.fullmatch(name.lower())
    hint = f"; small letters alone, as {name.lower()}" if small and name != name.lower() else ""
    raise UserError(
        f"image {name}: no registry has images of such a name{hint}; write [REGISTRY/]NAME:TAG or NAME@sha256:DIGEST "
        f"(the rule: {RULE})"
    )


def _unknown(name: str, path: Path) -> str:
    """Return the message for a name that stands for nothing: the nearest one, and how a registry image is written."""
    beside = _beside(path.parent, name.rpartition("/")[0])
    shipped = [] if "/" in name else recipes.names()
    near = get_close_matches(name, [*shipped, *beside], n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    foreign = not near and _REPOSITORY.fullmatch(name)
    tagged = f"; a registry image is written with its tag, {name}:latest" if foreign else ""
    return (
        f"unknown image {name!r}: {hint}recipes are {', '.join(recipes.names())}; and there is no {path}{tagged} "
        f"(the rule: {RULE})"
    )


def _beside(folder: Path, written: str) -> list[str]:
    """Return what of a folder could be an image, as a stack file would write it."""
    try:
        there = sorted(folder.iterdir())
    except OSError:
        return []
    images = [one.name for one in there if one.is_file() or any((one / each).is_file() for each in _MARKS)]
    return [f"{written}/{one}" if written else one for one in images]


_MARKS = (recipes.RECIPE, BUILT_BY)
