"""Paths as a stack file means them. Used where one of its keys names a file here."""

from __future__ import annotations

from pathlib import Path


def path_of(folder: Path, text: str) -> Path:
    """Return the path that a stack file means: relative ones begin in its folder, and `~` is the user's home.

    The home of a user whom nobody knows is none: such a `~name` stays as it is written.
    """
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:
        return folder / text
