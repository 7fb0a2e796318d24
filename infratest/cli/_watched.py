"""Which files `infratest watch` looks at, and what they were when it looked: a value, to be held against the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.errors import InfratestError
from infratest.gherkin.find import SUFFIX
from infratest.project.session import Session
from infratest.project.sources import Sources, known_hosts, sources
from infratest.providers.base import HostSpec
from infratest.provisioners.base import provisioners
from infratest.stack.declared import StackFile

#: What tells one state of a file from the next: inode, size, time of change; None where there is no file.
Stamp = tuple[int, int, int] | None
#: Files in folders of features and of steps that a run reads.
READ = (SUFFIX, ".py")


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
    read = sources(stack, session.stack_path.absolute(), features, passing=True)
    every = {path.absolute() for path in read.every()}
    folders = {path for path in every if path.is_dir()}
    paths = every - folders - _by_chance(read)
    stamps = {path: _stamp(path) for path in paths}
    folders |= {path.parent for path in paths | folders}
    # What a recipe says is read anew only where a file has changed.
    recipes = before.recipes if same and stamps == before.files else _recipes(stack)
    return Look(stamps, tuple(sorted({_nearest(each) for each in folders})), recipes, stack, now is not None)


def _by_chance(read: Sources) -> set[Path]:
    """Return what lies in a folder of features or steps and is no file that a run reads."""
    inside = (path.absolute() for path in (*read.features, *read.own_steps))
    return {path for path in inside if path.suffix not in READ and path.exists()}


def _recipes(stack: StackFile | None) -> dict[str, Any]:
    """Return all that each host is provisioned with: what its provisioners depend on, and the parameters."""
    if stack is None:
        return {}
    return {spec.name: (_digests(spec, stack), dict(stack.parameters)) for spec in known_hosts(stack)}


def _digests(spec: HostSpec, stack: StackFile) -> Any:
    try:
        return [each.digest() for each in provisioners(spec.provision, stack.folder, spec.where)]
    except InfratestError as error:  # the run says so
        return str(error)


def _stack(session: Session) -> StackFile | None:
    """Return what the stack file declares, None while it cannot be read: the run says why."""
    try:
        return session.stack
    except (InfratestError, OSError):
        return None


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
