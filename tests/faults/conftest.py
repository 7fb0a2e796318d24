"""What the tests of bad input and faults share: a place to run the installed commands in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.installed import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")
