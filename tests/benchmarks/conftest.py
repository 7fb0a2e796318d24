"""The benchmarks' modules are not installed: they are imported from the tree."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("INFRATEST_CACHE", str(tmp_path_factory.getbasetemp() / "bench-cache"))
