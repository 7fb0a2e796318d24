"""Names of stacks that are healed on this machine, where all tests that run at once share the folder of marks."""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32


def own_name(folder: Path) -> str:
    """Return a name that the stack of no other folder has: the mark of one's heal must not keep off another's."""
    return f"shop-{crc32(os.fsencode(folder)):08x}"
