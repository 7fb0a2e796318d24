"""Stack files written and loaded in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.stack.file import load


@pytest.fixture
def load_text(tmp_path, monkeypatch):
    """Write a stack file here and load it by its bare name."""
    monkeypatch.chdir(tmp_path)

    def write_and_load(text, **arguments):
        Path("stack.yaml").write_text(text, encoding="utf-8")
        return load(Path("stack.yaml"), **arguments)

    return write_and_load
