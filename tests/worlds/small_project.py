"""A small project in a folder: a stack file, features, steps; and the installed commands run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.worlds import forked

BIN = Path(sys.executable).parent
STACK = "stack: one\nprovider: local\nhosts:\n  web: {count: 2, groups: [web]}\n  db: {groups: [data]}\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files below a folder, private to this user, and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
    return folder


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run an installed command in a folder, as a user would; it begins with its modules imported, where it can."""
    if words[0] in forked.PRELOADED:
        return forked.run(words[1:], program=words[0], cwd=folder, env=_kept() | environment)
    return started(folder, *words, **environment)


def started(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run an installed command in a folder, from its very start: for tests of what is imported, and when."""
    return subprocess.run(
        [str(BIN / words[0]), *words[1:]],
        cwd=folder,
        env=_kept() | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("INFRATEST", "PYTEST"))}
