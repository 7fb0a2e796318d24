"""Which files `infratest watch` looks at, and what they were when it looked: a value, to be held against the next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.errors import FeatureError, InfratestError
from infratest.gherkin.find import SUFFIX, below
from infratest.project.session import Session
from infratest.providers.base import HostSpec
from infratest.stack.declared import StackFile

#: What tells one state of a file from the next: inode, size, time of change; None where there is no file.
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class Look:
    """The files as they were at one moment.

    Args:
        files: each file that is looked at, with its stamp. folders: in which the kernel is asked for events.
        recipes: by host, all that it is provisioned with; as it was last time where the stack file cannot be read.
        declared: what the stack file named, likewise. sound: whether the stack file could be read.
    """

    files: Mapping[Path, Stamp] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    recipes: Mapping[str, Any] = field(default_factory=dict)
    declared: StackFile | None = None
    sound: bool = False

    def changed_since(self, before: Look) -> list[Path]:
        """Return the files that are not as they were, or are not there any more, or were not there."""
        every = {**before.files, **self.files}
        return sorted(path for path in every if before.files.get(path) != self.files.get(path))

    def to_provision(self, before: Look) -> set[str]:
        """Return the hosts whose recipe has changed; a host that was not declared before is for `up`."""
        known = self.recipes.keys() & before.recipes.keys()
        return {name for name in known if self.recipes[name] != before.recipes[name]}


def look(session: Session, features: Sequence[str], before: Look) -> Look:
    """Return the files as they are now.

    Args:
        features: as named on the command line. before: the last look; what it knew of the stack file stands where
        that is broken just now.
    """
    # Reading a stack file costs more than all the rest, and what it says depends on these files alone.
    same = before.sound and all(_stamp(path) == stamp for path, stamp in before.files.items())
    now = before.declared if same else _stack(session)
    stack = now or before.declared
    stack_path = session.stack_path.absolute()
    paths = {stack_path}
    folders = {stack_path.parent}
    for place in _places(features, stack, stack_path.parent):
        found, inside = _below(place)
        paths |= found
        folders |= inside
    sources = {spec.name: list(_sources(spec, stack.folder)) for spec in stack.hosts} if stack else {}
    for each in sources.values():
        paths |= set(each)
    stamps = {path: _stamp(path) for path in paths}
    folders |= {path.parent for path in paths}
    recipes = {name: (_said(stack, name), [stamps[path] for path in each]) for name, each in sources.items()}
    return Look(stamps, tuple(sorted({_nearest(each) for each in folders})), recipes, stack, now is not None)


def _stack(session: Session) -> StackFile | None:
    """Return what the stack file declares, None while it cannot be read: the run says why."""
    try:
        return session.stack
    except (InfratestError, OSError):
        return None


def _said(stack: StackFile | None, name: str) -> Any:
    """Return what the stack file itself says of how a host is provisioned."""
    return [(spec.provision, dict(stack.parameters)) for spec in stack.hosts if spec.name == name] if stack else []


def _places(features: Sequence[str], stack: StackFile | None, folder: Path) -> Iterator[Path]:
    """Yield where the features that would be run are, or would be: the same places that `gherkin.find` looks in."""
    declared = stack.features if stack else ()
    for name in features or declared or ("features",):
        if name.startswith("@"):
            continue
        path = re.sub(rf"({re.escape(SUFFIX)}):\d+$", r"\1", name)
        for place in (Path.cwd(), folder) if features else (folder,):
            yield place / path


def _below(place: Path) -> tuple[set[Path], set[Path]]:
    """Return the feature files at a place, and the folders where they are."""
    if not place.is_dir():
        return {place}, set()
    folders = {place, place.parent}
    found = set()
    with suppress(FeatureError):  # a folder that cannot be listed: the run says so
        for path in below(place):
            if path.is_dir():
                folders.add(path)
            elif path.suffix == SUFFIX:
                found.add(path)
    return found, folders


def _sources(spec: HostSpec, folder: Path) -> Iterator[Path]:
    """Yield the scripts and files that a host is provisioned with."""
    for item in spec.provision:
        for kind, value in item.items():
            yield folder / (value if kind == "shell" else value["from"])


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _nearest(folder: Path) -> Path:
    """Return the folder, or where it is not there just now, the one in which it would come back."""
    while not folder.is_dir():
        folder = folder.parent
    return folder
