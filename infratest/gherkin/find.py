"""Where features are: what a user names on the command line or in the stack file, made into files and their ids.

Looked for in the current directory, then beside the stack file; `@name` is a ready-made one of the package. Links to
folders are followed; what cannot be listed or named is refused, because what is left out unseen would look green. The
name that ids hold begins at the stack file's folder, wherever one stands, and means one file from there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from infratest.errors import FeatureError, NoFeature, unknown
from infratest.paths import path_of
from infratest.spelling import slip_of

SUFFIX = ".feature"

#: Bytes that are not UTF-8, as Python holds them (PEP 383), and what ends a line or controls a terminal.
_UNNAMEABLE = re.compile("[\ud800-\udfff\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class FeaturePath:
    """A feature file, its path as ids name it, and the lines asked for (none: the whole file)."""

    path: Path
    name: str
    lines: tuple[int, ...] = ()


def find(arguments: Sequence[str], declared: Sequence[str], folder: Path) -> list[FeaturePath]:
    """Return the feature files to run, each once.

    Args:
        arguments: from the command line: files, `file:line`, folders, `@name`; none means what is declared.
        declared: the stack file's `features`. folder: of the stack file.
    Raises:
        NoFeature: one that is not there, or nothing at all. FeatureError: one that cannot be looked for.
    """
    name = _typed(declared, folder) if arguments else _declared(folder)
    found: dict[Path, FeaturePath] = {}
    for argument, places in _looked_for(arguments, declared, folder):
        for item in _resolve(argument, places, name):
            before = found.get(item.path)
            if before is not None:
                item = replace(before, lines=before.lines + item.lines if before.lines and item.lines else ())
            found[item.path] = item
    if not found:
        raise NoFeature(f"no feature in {', '.join(arguments or declared or ('features',))}: nothing to run")
    return list(found.values())


def named(names: Sequence[str], folder: Path) -> list[FeaturePath]:
    """Return the feature files, whole, that names out of ids mean.

    Args:
        names: as ids hold them. folder: of the stack file.
    Raises:
        NoFeature: one is not there. FeatureError: it cannot be looked at.
    """
    found = []
    for name in names:
        if name.startswith("@"):
            found.append(_of_the_package(name))
        elif _is(folder / name, os.path.isfile):
            found.append(FeaturePath((folder / name).resolve(), name))
        else:
            raise NoFeature(f"{name}: no such feature of this stack; looked in {folder.resolve()}")
    return found


def looked_at(arguments: Sequence[str], declared: Sequence[str], folder: Path) -> Iterator[Path]:
    """Yield every path that `find` looks at for the same arguments: files, folders, and what is not there.

    Raises:
        FeatureError: a folder that cannot be listed.
    """
    for argument, places in _looked_for(arguments, declared, folder):
        if argument.startswith("@"):
            yield _ready_made(argument)
            continue
        for place in places:
            yield from whole(place / split(argument)[0])


def whole(path: Path) -> Iterator[Path]:
    """Yield a path and, of a folder, all that is below it. Raises FeatureError."""
    yield path
    if path.is_dir():
        yield from below(path)


def _looked_for(
    arguments: Sequence[str], declared: Sequence[str], folder: Path
) -> Iterator[tuple[str, Sequence[Path]]]:
    """Yield what is looked for, and the folders in which it may be; `~` is a shell's matter on the command line."""
    for argument in arguments:
        yield argument, [Path(), folder]
    for argument in () if arguments else declared or ("features",):
        yield str(path_of(Path(), argument)) if argument.startswith("~") else argument, [folder]


def _ready_made(argument: str) -> Path:
    return Path(str(files("infratest.features"))) / f"{argument[1:]}{SUFFIX}"


def ready_made() -> list[str]:
    """Return the names of the features that come with the package."""
    names = (Path(item.name) for item in files("infratest.features").iterdir())
    return sorted(f"@{name.stem}" for name in names if name.suffix == SUFFIX)


def split(argument: str) -> tuple[str, tuple[int, ...]]:
    """Return the path in an argument and the line behind it, if any: a path may hold colons too."""
    match = re.fullmatch(r"(.+\.feature):(\d+)", argument)
    return (match[1], (int(match[2]),)) if match else (argument, ())


def _of_the_package(argument: str) -> FeaturePath:
    path = _ready_made(argument)
    if not path.is_file():
        raise FeatureError(unknown("ready-made feature", argument, ready_made()))
    return FeaturePath(path, argument)


def _resolve(argument: str, places: Sequence[Path], name_of: Callable[[Path], str]) -> list[FeaturePath]:
    """Return the files that an argument means. name_of: returns the name for ids of a path as it was come by."""
    if argument.startswith("@"):
        return [_of_the_package(argument)]
    name, lines = split(argument)
    _refuse_unnameable(Path(name))
    for place in places:
        path = place / name
        if _is(path, os.path.isfile):
            _refuse_lines_beyond(path, name, lines)
            return [FeaturePath(path.resolve(), _usable(name_of(path)), lines)]
        if _is(path, os.path.isdir):
            inside = sorted(_features_below(path))
            if not inside:
                raise NoFeature(f"{path}: holds no {SUFFIX} file: nothing to run")
            return [FeaturePath(file.resolve(), _usable(name_of(file))) for file in inside]
        if _is(path, os.path.exists):
            raise FeatureError(f"{name}: is neither a file nor a folder but a pipe, socket or device; name a feature")
    looked = " and ".join(dict.fromkeys(str(place.resolve()) for place in places))
    raise NoFeature(f"{name}: no such feature or folder; looked in {looked}")


def _refuse_lines_beyond(path: Path, name: str, lines: Sequence[int]) -> None:
    """Refuse a line that the file has not: it would be taken for the last scenario, and a slip go unseen."""
    for line in lines:
        there = len(path.read_bytes().splitlines())
        if not 1 <= line <= there:
            raise FeatureError(f"{name}:{line}: no such line; the file has {there}")


def below(folder: Path) -> Iterator[Path]:
    """Yield all that is below a folder, links followed, but for what is hidden: .git holds no features of ours.

    A link that leads back to where it stands is not followed again. Called for what a plan was made from, too.

    Raises:
        FeatureError: a folder that cannot be listed.
    """
    yield from _below(folder, frozenset())


def _below(folder: Path, outside: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        info = folder.stat()
        identity = (info.st_dev, info.st_ino)
        if identity in outside:
            return
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        inside = [entry for entry in entries if not entry.name.startswith(".")]
        folders = {entry.name for entry in inside if entry.is_dir()}
    except OSError as error:
        words = "give the right to list it, or move it out of the features"
        raise FeatureError(f"{_printable(folder)}: cannot be listed: {error.strerror}; {words}") from None
    for entry in inside:
        yield folder / entry.name
        if entry.name in folders:
            yield from _below(folder / entry.name, outside | {identity})


def refuse_odd(folder: Path) -> None:
    """Refuse what lies in a folder under a feature's name and is no file: whoever takes files alone would pass it over.

    Raises:
        FeatureError: it is a pipe, a socket, a device, a link that leads nowhere, or its name is nearly a feature's.
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_dir():
            continue
        _refuse_nearly(path)
        if path.suffix == SUFFIX and not path.is_file():
            what = (
                "a link that leads nowhere" if path.is_symlink() and not path.exists() else "a pipe, socket or device"
            )
            raise FeatureError(f"{_printable(path)}: is no file but {what}; remove it, or write a feature there")


def _refuse_nearly(path: Path) -> None:
    if path.suffix[1:].isalpha() and slip_of(path.suffix, [SUFFIX]):
        raise FeatureError(f"{_printable(path)}: is this a feature? write its name with {SUFFIX}, or move it away")


def _features_below(folder: Path) -> Iterator[Path]:
    for path in below(folder):
        if path.is_dir():
            continue
        _refuse_nearly(path)
        if path.suffix == SUFFIX:
            _refuse_unnameable(path.relative_to(folder))
            yield path


def _refuse_unnameable(path: Path) -> None:
    """Refuse a name that no report could show: ids, files and monitoring systems take UTF-8 and one line."""
    if _UNNAMEABLE.search(str(path)):
        raise FeatureError(f"{_printable(path)}: its name is not UTF-8, or holds a control character; rename it")


def _printable(path: Path) -> str:
    """Return a path with what cannot be shown written as Python writes it: `z\\xe9.feature`."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _is(path: Path, kind: Callable[[Path], bool]) -> bool:
    """Whether a path is a file, or a folder; one on the way to which we are not let is neither, and refused."""
    try:
        path.stat()
    except PermissionError:
        raise FeatureError(f"{_printable(path)}: cannot be looked at: Permission denied") from None
    except (OSError, ValueError):
        return False
    return kind(path)


def _usable(name: str) -> str:
    """Return a name for ids. Raises FeatureError: another one would be read out of those, or nobody could show it."""
    _refuse_unnameable(Path(name))
    if "#" in name:
        raise FeatureError(f"{name}: holds a #, behind which ids name the scenario; rename it")
    if name.startswith("@"):
        raise FeatureError(f"{name}: begins with @, as only names of ready-made features do; rename it, or move it")
    return name


def _declared(folder: Path) -> Callable[[Path], str]:
    """Return what gives a path found in a declared place the name that ids hold.

    That is what it has from the stack file's folder: outside of that as it is written in the stack file, which is the
    same in each checkout, where the place behind a link is not. Below `~` it is the whole path, for ids name one file.
    """

    def name(path: Path) -> str:
        return _inside(path, folder) or (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()

    return name


def _typed(declared: Sequence[str], folder: Path) -> Callable[[Path], str]:
    """Return what gives a path that a user named the name that ids hold: as it is declared, else from there, too.

    From the current directory none has its name: ids would change with that, and nothing that is kept by them be found.
    What has no folder in common with the stack file's has its whole path, which is shorter.
    """

    @cache
    def known() -> Mapping[Path, str]:
        try:
            return {item.path: item.name for item in find((), declared, folder)}
        except FeatureError:  # of other features than those named: whoever runs them is told
            return {}

    def name(path: Path) -> str:
        return _inside(path, folder) or known().get(path.resolve()) or _from_there(path.resolve(), folder.resolve())

    return name


def _from_there(path: Path, folder: Path) -> str:
    apart = Path(os.path.commonpath([path, folder])) == Path(path.anchor)
    return path.as_posix() if apart else Path(os.path.relpath(path, folder)).as_posix()


def _inside(path: Path, folder: Path) -> str:
    """Return the path of a file in the project, links resolved, from there; of any other nothing."""
    absolute, project = path.resolve(), folder.resolve()
    return absolute.relative_to(project).as_posix() if absolute.is_relative_to(project) else ""
