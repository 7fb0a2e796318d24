"""A recipe's disk as the parts of a box, and back: called by the providers that make machines from such disks."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images import disk
from infratest.images.box_file import only
from infratest.images.cache import build_lock, cache_folder
from infratest.images.elsewhere import elsewhere
from infratest.images.kept import KeptImage

PARTS = (disk.DISK, disk.KERNEL, disk.INITRD)
#: An id of a disk, which is the name of its folder.
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}-[0-9a-f]{12}")
QCOW2 = b"QFI\xfb"


def parts(image: KeptImage) -> dict[str, Path]:
    """Return the files of a disk that is kept, by their names in a box."""
    place = cache_folder() / "disks" / Path(image.id).name
    return {name: place / name for name in PARTS}


def take(image: KeptImage, given: Mapping[str, Path], deadline: Deadline) -> bool:
    """Keep a disk that a box holds; return False where it is there already.

    Raises:
        ProviderError: it is no such disk, or has its content in another file of this machine.
    """
    only(given, PARTS, image.id)
    if not ID.fullmatch(image.id):
        raise ProviderError(f"box of {clean(image.id, 100)}: that is the id of no disk")
    with given[disk.DISK].open("rb") as file:
        begins = file.read(len(QCOW2))
        other = elsewhere(file)
    if begins != QCOW2:
        raise ProviderError(f"box of {image.id}: its {disk.DISK} is no qcow2")
    if other:
        words = f"its {disk.DISK} has its content in another file, {clean(other, 200)}, which whoever made it chose"
        raise ProviderError(f"box of {image.id}: {words}; it is not taken")
    place = cache_folder() / "disks" / image.id
    with build_lock(deadline):
        if (place / disk.ABOUT).is_file():
            return False
        shutil.rmtree(place, ignore_errors=True)  # half of one that was removed
        made = given[disk.DISK].parent / "made"
        made.mkdir()
        for name, path in given.items():
            path.rename(made / name)
        about = {"name": image.name, "made": image.made, "source": image.source}
        (made / disk.ABOUT).write_text(json.dumps(about), "utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        made.rename(place)  # whole, or not there
    return True
