"""A file of the case's own, at a path that is known before its world is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = Path(f"/tmp/infratest-case-{os.getpid()}")


@contextmanager
def with_file(folder: Path) -> Iterator[None]:
    """Have the file, with a line in it and mode 0640, while this lasts."""
    FILE.write_text("one\n")
    FILE.chmod(0o640)
    try:
        yield
    finally:
        FILE.unlink(missing_ok=True)
        for path in FILE.parent.glob(f".infratest-*-{FILE.name}"):
            path.unlink()
