"""Directories with owners and bits at any depth; held against what Python's os says of each path in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, quoted

#: Directory -> what is in it: path, owner, mode; a directory where the path ends in a slash.
FOLDERS: dict[str, dict[str, tuple[int, int]]] = {
    "whole": {"a.conf": (0, 0o644), "d/": (0, 0o755), "d/b.conf": (0, 0o600)},
    "open": {"a.conf": (0, 0o644), "d/": (0, 0o755), "d/b.conf": (0, 0o666)},
    "given": {"a.conf": (0, 0o644), "d/": (33, 0o755), "d/b.conf": (0, 0o644)},
    "odd": {"line\nbreak 1": (0, 0o640), "-dash": (0, 0o600), "x\nstat": (0, 0o400), "a b": (4242, 0o640)},
    "set": {"tool": (0, 0o4755)},
    "empty": {},
}
MODES = ("0755", "0640", "0777", "4755")


def objects(place: Path) -> Path:
    """Make the directories, and links: within, to another one, and to nowhere."""
    for folder, contents in FOLDERS.items():
        (place / folder).mkdir(mode=0o755)
        for name, (owner, mode) in contents.items():
            path = place / folder / name
            if name.endswith("/"):
                path.mkdir()
            else:
                path.write_text("x")
            os.chown(path, owner, 0)
            path.chmod(mode)
    (place / "whole" / "nowhere").symlink_to("nosuch")
    (place / "links").mkdir(mode=0o755)
    (place / "links" / "to-open").symlink_to(place / "open")
    (place / "link").symlink_to("whole")
    (place / "closed").mkdir(mode=0o700)
    return place


def _within(folder: Path) -> list[os.stat_result]:
    """Return what is so of a directory and of all in it, links followed."""
    seen = [folder.stat()]
    for parent, directories, files in os.walk(folder, followlinks=True):
        paths = [Path(parent) / name for name in [*directories, *files]]
        seen += [path.stat() for path in paths if path.exists()]
    return seen


def questions(objects: Path) -> Iterator[Question]:
    """Ask of each directory whose all of it is, and by which bits."""
    for name in (*FOLDERS, "links", "link", "nosuch", "whole/a.conf"):
        folder = objects / name
        seen = _within(folder) if folder.is_dir() else []
        files = [path.stat() for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
        subject = f"the directory {quoted(str(folder))} with all in it"
        about = f"{folder}: {[(one.st_uid, oct(one.st_mode)) for one in seen]}"
        for owners, uids in (("root", {0}), ("0", {0}), ("www-data", {33})):
            right = _right([one.st_uid in uids for one in seen])
            forms = (f"{subject} is owned by {quoted(owners)}", f"{subject} is not owned by {quoted(owners)}")
            yield from both(*forms, right, about)
        right = _right([one.st_uid in (0, 33) for one in seen])
        forms = (f'{subject} is owned by one of "root, 33"', f'{subject} is owned by none of "root, 33"')
        yield from both(*forms, right, about)
        for mode in MODES:
            forms = (f'{subject} has at most mode "{mode}"', f'{subject} does not have at most mode "{mode}"')
            yield from both(*forms, _right([_at_most(one, mode) for one in seen]), about)
            them = f"the files in {quoted(str(folder))}"
            forms = (f'{them} have at most mode "{mode}"', f'{them} do not have at most mode "{mode}"')
            yield from both(*forms, _right([_at_most(one, mode) for one in files]), about)
    closed = f"the directory {quoted(str(objects / 'closed'))} with all in it"
    yield Question(f'{closed} is owned by "root"', OK, "closed", UNKNOWN)
    yield Question(f'{closed} has at most mode "0600"', CRITICAL, "closed", UNKNOWN)


def _right(each: list[bool]) -> bool | str:
    """Return what is right where this is so of each: of some alone, neither the claim nor its negation."""
    return ABSENT if not each or len(set(each)) > 1 else each[0]


def _at_most(one: os.stat_result, mode: str) -> bool:
    return not stat.S_IMODE(one.st_mode) & ~int(mode, 8)
