"""What the tests of bad input and faults share: a place to run the installed commands in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from installed import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")
