"""What tests of heal begin with: a world in which web-1 is sick."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.heal_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, sick={"web-1"})
