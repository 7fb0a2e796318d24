"""This machine, as exports look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infratest.exports._machine import Machine, here


@pytest.fixture
def machine() -> Iterator[Machine]:
    with here() as made:
        yield made
