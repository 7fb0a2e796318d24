"""What tests of several verbs share: a machine on which no provider can be asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def around(tmp_path: Path) -> dict[str, str]:
    """Variables of a machine on which no provider can be asked: no programs, no engine, nobody logged in anywhere."""
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    names = [name for name in os.environ if name.startswith(("AWS_", "OS_"))]
    return dict.fromkeys(names, "") | {
        "PATH": str(nothing), "DOCKER_HOST": "unix:///nowhere.sock", "HOME": str(nothing),
        "XDG_STATE_HOME": str(nothing), "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
