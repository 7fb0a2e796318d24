"""Directories of files of known sizes and ages, held against what is written here; ages go on, so bounds are wide."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, bounds, quoted

HOUR = 3600
#: Directory -> its files: name, size, hours since its change.
FOLDERS: dict[str, dict[str, tuple[int, int]]] = {
    "backups": {"old.dump": (3000, 50), "new.dump": (2000, 10), "newest.txt": (70, 1), ".hidden": (5, 90)},
    "odd": {
        "line\nbreak 99999999999 1": (11, 5),
        "-dash": (12, 6),
        "*": (13, 7),
        "a b.dump": (14, 8),
        "é.dump": (15, 9),
    },
    "many": {f"file-{number}": (number, 200 - number) for number in range(120)},
    "empty": {},
    "with spaces": {"one": (1, 3)},
}
#: Pattern -> whether it fits a name.
PATTERNS = {"*": lambda name: True, "*.dump": lambda name: name.endswith(".dump"), "n*": lambda name: name[0] == "n"}


def objects(place: Path) -> Path:
    """Make the directories, with a directory and links in one of them."""
    now = time.time()
    for folder, files in FOLDERS.items():
        (place / folder).mkdir()
        for name, (size, hours) in files.items():
            path = place / folder / name
            path.write_bytes(b"x" * size)
            os.utime(path, (now - hours * HOUR, now - hours * HOUR))
    inner = place / "backups" / "inner"
    inner.mkdir()
    (inner / "fresh.dump").write_text("not counted")
    (place / "backups" / "dangling.dump").symlink_to("nowhere")
    (place / "link").symlink_to("backups")
    (place / "closed").mkdir(mode=0o700)
    (place / "closed" / "x").write_text("x")
    return place


def questions(objects: Path) -> Iterator[Question]:
    """Ask all sentences of each directory, by each pattern."""
    for folder in (*FOLDERS, "nosuch", "backups/old.dump", "link"):
        files = FOLDERS.get("backups" if folder == "link" else folder)
        for pattern, fits in PATTERNS.items():
            chosen = None if files is None else {name: one for name, one in files.items() if fits(name)}
            yield from _of(objects / folder, pattern, chosen)
    closed = quoted(str(objects / "closed"))
    yield Question(f"the directory {closed} holds exactly 1 files", OK, "closed", UNKNOWN)
    yield Question(f"the newest file in {closed} was changed less than 1 h ago", OK, "closed", UNKNOWN)
    yield Question(f"the files in {closed} are more than 1 GiB in size", CRITICAL, "closed", UNKNOWN)


def _of(folder: Path, pattern: str, files: dict[str, tuple[int, int]] | None) -> Iterator[Question]:
    path, about = quoted(str(folder)), f"{folder} {pattern}: {files and list(files.items())[:5]}"
    newest = min(files.values(), key=lambda one: one[1]) if files else None
    count = ABSENT if files is None else len(files)
    glob = quoted(f"{folder}/{pattern}")
    subjects = [f"the newest file of {glob}"] + ([f"the newest file in {path}"] if pattern == "*" else [])
    for subject in subjects:
        yield from bounds(f"{subject} is {{}} in size", newest[0] if newest else ABSENT, about, " B")
        hours = newest[1] if newest else 1
        for bound, right in ((f"less than {hours + 1} h", OK), (f"more than {hours + 1} h", CRITICAL)):
            yield Question(f"{subject} was changed {bound} ago", right if newest else CRITICAL, about)
    named = f" named {quoted(pattern)}"
    yield from bounds(f"the directory {path} holds {{}} files{named}", count, about)
    if pattern == "*":
        yield from bounds(f"the directory {path} holds {{}} files", count, about)
        total = ABSENT if files is None else sum(size for size, _ in files.values())
        yield from bounds(f"the files in {path} are {{}} in size", total, about, " B")
