"""Where features are: what a user names on the command line or in the stack file, made into files and their ids.

Looked for in the current directory, then beside the stack file; `@name` is a ready-made one of the package.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from infratest.errors import FeatureError
from infratest.registry import unknown

SUFFIX = ".feature"


@dataclass(frozen=True)
class Found:
    """A feature file, its path as ids name it, and the lines asked for (none: the whole file)."""

    path: Path
    name: str
    lines: tuple[int, ...] = ()


def find(arguments: Sequence[str], declared: Sequence[str], folder: Path) -> list[Found]:
    """Return the feature files to run, each once.

    Args:
        arguments: from the command line: files, `file:line`, folders, `@name`; none means what is declared.
        declared: the stack file's `features`. folder: of the stack file.
    Raises:
        FeatureError: one that is not there, or nothing at all.
    """
    found: dict[Path, Found] = {}
    for argument in arguments or declared or ("features",):
        places = [Path(), folder] if arguments else [folder]
        for item in _resolve(argument, places, folder):
            before = found.get(item.path)
            lines = () if before is not None and not (before.lines and item.lines) else item.lines
            found[item.path] = Found(item.path, item.name, (before.lines if before and lines else ()) + lines)
    if not found:
        raise FeatureError(f"no feature in {', '.join(arguments or declared or ('features',))}: nothing to run")
    return list(found.values())


def ready_made() -> list[str]:
    """Return the names of the features that come with the package."""
    names = (Path(item.name) for item in files("infratest.features").iterdir())
    return sorted(f"@{name.stem}" for name in names if name.suffix == SUFFIX)


def split(argument: str) -> tuple[str, tuple[int, ...]]:
    """Return the path in an argument and the line behind it, if any: a path may hold colons too."""
    match = re.fullmatch(r"(.+\.feature):(\d+)", argument)
    return (match[1], (int(match[2]),)) if match else (argument, ())


def _resolve(argument: str, places: Sequence[Path], folder: Path) -> list[Found]:
    if argument.startswith("@"):
        path = Path(str(files("infratest.features"))) / f"{argument[1:]}{SUFFIX}"
        if not path.is_file():
            raise FeatureError(unknown("ready-made feature", argument, ready_made()))
        return [Found(path, argument)]
    name, lines = split(argument)
    for place in places:
        path = place / name
        if path.is_file():
            _refuse_lines_beyond(path, name, lines)
            return [Found(path.resolve(), _named(path, folder), lines)]
        if path.is_dir():
            inside = sorted(file for file in path.rglob(f"*{SUFFIX}") if _visible(file, path))
            if not inside:
                raise FeatureError(f"{path}: holds no {SUFFIX} file: nothing to run")
            return [Found(file.resolve(), _named(file, folder)) for file in inside]
    looked = " and ".join(dict.fromkeys(str(place.resolve()) for place in places))
    raise FeatureError(f"{name}: no such feature or folder; looked in {looked}")


def _refuse_lines_beyond(path: Path, name: str, lines: Sequence[int]) -> None:
    """Refuse a line that the file has not: it would be taken for the last scenario, and a slip go unseen."""
    for line in lines:
        there = len(path.read_bytes().splitlines())
        if not 1 <= line <= there:
            raise FeatureError(f"{name}:{line}: no such line; the file has {there}")


def _visible(file: Path, root: Path) -> bool:
    """Whether no folder on the way is hidden: a checkout's .git or a virtual environment holds no features of ours."""
    return not any(part.startswith(".") for part in file.relative_to(root).parts)


def _named(path: Path, folder: Path) -> str:
    """Return the path that ids hold: from the stack file's folder, else from here, else whole."""
    absolute = path.resolve()
    for root in (folder.resolve(), Path().resolve()):
        if absolute.is_relative_to(root):
            return absolute.relative_to(root).as_posix()
    return absolute.as_posix()
