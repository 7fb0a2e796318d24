"""This machine, on two shelves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.providers import Case, case_of

MAKES = False


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    yield case_of("proxmox", folder, {"site": "cellar"}, cpus=2)
