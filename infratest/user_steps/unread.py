"""Steps and hooks of the user's own that are written where nobody reads them. For `infratest lint`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from infratest.gherkin.find import below
from infratest.user_steps.load import HOOKS, PLACES, base_of

#: What a file of steps holds, and a file of hooks: any other Python file is none of ours.
_STEPS = re.compile(r"^@(?:given|when|then|step|Given|When|Then|Step)\(", re.MULTILINE)
_HOOKS = re.compile(r"^def (?:before|after)_\w+\(", re.MULTILINE)
#: Bytes of a file that are looked into.
LARGEST = 2**20


def unread(folder: Path) -> list[str]:
    """Return what is wrong with where steps and hooks lie, each with its file.

    Args:
        folder: of the stack file.
    Raises:
        FeatureError: a folder of features that cannot be listed.
    """
    base = base_of(folder)
    where = f"steps are read from {' or '.join(PLACES)} beside the stack file, not from folders in them"
    found = [f"{path}: steps that nobody reads: {where}" for path in _steps(folder, base)]
    for place in (folder, folder / "features"):
        path = place / HOOKS
        if (base is None or place.resolve() != base) and _HOOKS.search(_text(path)):
            beside = f"hooks lie beside the folder of steps{f', {base}' if base else ', and there is none'}"
            found.append(f"{path}: hooks that never run: {beside}")
    return found


def _steps(folder: Path, base: Path | None) -> Iterator[Path]:
    """Yield the files of steps that are in no place of steps."""
    places = [base / "steps"] if base is not None else []
    searched = [each for each in (folder / "features", *places) if each.is_dir()]
    for path in dict.fromkeys(each for place in searched for each in below(place)):
        read = base is not None and path.parent.resolve() == (base / "steps").resolve()
        if path.suffix == ".py" and not read and "steps" in path.parts and _STEPS.search(_text(path)):
            yield path


def _text(path: Path) -> str:
    """Return the beginning of a regular file, an empty text where there is none."""
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""
