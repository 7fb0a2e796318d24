"""An image of the engine's as the one part of a box, and back. Called by the provider, for `infratest box`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images import kept
from infratest.images.box_file import only
from infratest.images.cache import cache_folder
from infratest.images.kept import KeptImage, Origin
from infratest.providers.container.building import renamed
from infratest.providers.container.engine import PODMAN, Engine

PART = "image.tar"
#: A tag of ours; no other is ever loaded, so that a box moves no tag that somebody has.
TAG = re.compile(r"infratest/[a-z0-9][a-z0-9._/-]{0,199}:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def parts(engine: Engine, image: KeptImage, folder: Path, deadline: Deadline) -> dict[str, Path]:
    """Return an image as the engine saves it, written below a folder."""
    engine.run(["save", "--output", str(folder / PART), image.id], deadline)
    return {PART: folder / PART}


def take(engine: Engine, image: KeptImage, given: Mapping[str, Path], deadline: Deadline) -> bool:
    """Load an image under the tag that its box names and no other; return False where that is there already.

    Raises:
        ProviderError: it is no image of ours, or the engine does not take it.
    """
    only(given, (PART,), image.id)
    if not TAG.fullmatch(image.id):
        raise ProviderError(f"box of {clean(image.id, 100)}: that is no tag of infratest's, and no other is loaded")
    if engine.exists("image", image.id, deadline):
        return False
    cache_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix="load-", suffix=".tar", dir=cache_folder()) as ours:
        tag = f"localhost/{image.id}" if engine.kind == PODMAN else image.id
        renamed(f"box of {image.id}", given[PART], tag, ours)
        ours.flush()
        engine.run(["load", "--input", ours.name], deadline)
    kept.note(image.id, Origin(name=image.name, source=image.source))
    return True
