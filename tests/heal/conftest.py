"""What tests of heal begin with: an empty state directory, and a world in which web-1 is sick."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infratest.stack.state_dir import StateDir

sys.path.insert(0, str(Path(__file__).parents[1]))
from heal_world import World


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "state")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, sick={"web-1"})
