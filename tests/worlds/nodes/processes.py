"""What /proc tells of each process that runs. One that ends while it is looked at is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def told(name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the process id of each process, and what its file of this name in /proc holds.

    Not by a pattern of paths such as `[0-9]*/stat`: pathlib asks first whether each is there, and what Linux says of a
    process that has just ended, that there is none, it does not expect.
    """
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                content = Path("/proc", entry, name).read_bytes()
            except OSError:
                continue
            yield int(entry), content
