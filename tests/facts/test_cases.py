"""Every fact there is, asked what every fact must do, with recorded answers of real hosts (data/facts/<fact>/)."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.facts.base import Fact
from infratest.outsiders import get, names
from infratest.testing.facts import FactContract

DATA = Path(__file__).parent.parent / "data" / "facts"


@pytest.fixture(params=names("fact"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fact(name: str) -> Fact:
    fact: Fact = get("fact", name)()
    return fact


@pytest.fixture
def recorded(name: str) -> Path:
    return DATA / name


class TestFacts(FactContract):
    """The suite, with each fact that there is."""
