"""`infratest import cucumber-nagios DIR`: its features stay as they are, and run through a pack of steps.

One file is written, `steps/cucumber_nagios.py`, which hands the pack to the project, where the project's steps are read
(user_steps/load.py): beside the stack file, or in its folder of features. Each step of each
feature is looked at: what is none of the pack's, or is asked by nothing here, is told with its line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.gherkin.vocabulary import vocabulary
from infratest.importers.base import Imported, Importer, Remark, by_place
from infratest.importers.cucumber_nagios.pack import LATER, STEPS

#: Where the file is written, below the folder that the project's steps are in, and what is in it.
NAME = "steps/cucumber_nagios.py"
TEXT = '''"""The steps of cucumber-nagios, said in sentences of infratest."""

from infratest.importers.cucumber_nagios.pack import register

register()
'''
#: The stack file, which a project lies around.
STACK = "stack.yaml"
#: Bytes of a feature that are read, and features of one folder.
LARGEST, MOST = 2**20, 1000
_STEP = re.compile(r"\s*(?:Given|When|Then|And|But|\*)\s+(?P<text>.*\S)\s*")


class CucumberNagios(Importer):
    """Reads a folder of features."""

    summary = "a folder of cucumber-nagios' features, which run as they are"

    def read(self, path: Path, variables: Sequence[Path] = ()) -> Imported:
        """Return the file of steps, and which steps nothing here asks."""
        if not path.is_dir():
            raise UserError(f"{path} is no folder: name the one that holds the features")
        features = sorted(path.rglob("*.feature"))[: MOST + 1]
        if not features or len(features) > MOST:
            raise UserError(f"{path} holds {'no' if not features else f'more than {MOST}'} features")
        carried, left = 0, list[Remark]()
        for feature in features:
            for line, text in _steps(feature):
                why = _missing(text)
                carried += not why
                if why:
                    left.append(Remark(str(feature), line, f"{clean(text, 200)}: {why}"))
        folder, advice = _project(path)
        notes = [Remark(str(path / NAME), 1, advice)] if advice and carried else []
        name = os.path.relpath(folder / NAME, path.resolve())
        return Imported({name: TEXT} if carried else {}, carried, by_place(left), notes, unit="step")


def _project(path: Path) -> tuple[Path, str]:
    """Return the folder that holds the project's `steps/`, and what to do where none is known."""
    features = path.resolve()
    root = next((one for one in (features, *features.parents) if (one / STACK).is_file()), None)
    if root is None and features.name == "features":
        root = features.parent
    if root is None:
        where = (
            "the steps are read where it lies in the folder that holds steps, or beside a folder `features` that does"
        )
        return features, f"no {STACK} is here or above: {where}; import again when it is there, or move steps beside it"
    own = root / "features"
    inside = (own / "steps").is_dir() or own in (features, *features.parents)
    return (own if inside and not (root / "steps").is_dir() else root), ""


def _missing(text: str) -> str:
    """Return why a step is asked by nothing, empty where it is."""
    found = [(step, groups) for step in STEPS if (groups := re.fullmatch(step.pattern, text))]
    if found:
        step, groups = found[0]
        return step.unfit(*groups.groups())
    if vocabulary().match(text) is not None:
        return ""  # a sentence of ours, in a feature that is carried over already
    later = next((step for step in LATER if re.fullmatch(step.pattern, text)), None)
    return later.why if later else "it is no step of cucumber-nagios; one of your own is written in Python"


def _steps(feature: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each step of a feature, its keyword left out."""
    try:
        with feature.open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise UserError(f"{feature} cannot be read: {error.strerror}") from None
    if len(text) > LARGEST:
        raise UserError(f"{feature} is larger than {LARGEST // 1024} KiB, which no feature is")
    quoted = False
    for number, row in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
        if row.strip().startswith(('"""', "'''")):
            quoted = not quoted
        elif not quoted and (step := _STEP.fullmatch(row)):
            yield number, step["text"]
