"""What tests of heal begin with: an empty state directory, and a world in which web-1 is sick."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.store.directory import StateDir
from tests.worlds.heal_world import World


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "state")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, sick={"web-1"})
