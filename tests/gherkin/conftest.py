"""Features from text, as values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infratest.gherkin.parse import feature
from infratest.gherkin.suite import Feature
from infratest.gherkin.vocabulary import vocabulary


@pytest.fixture
def parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], Feature]:
    """Parse the text of a feature, `x.feature` in the current directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.feature"

    def parse(text: str | bytes) -> Feature:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return feature(path, "x.feature", vocabulary())

    return parse
