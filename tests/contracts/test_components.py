"""Every component there is, asked what every component must do."""

from __future__ import annotations

import pytest

from infratest.testing.components import Case, ComponentContract
from tests.contracts.case_files import case_of, cases


@pytest.fixture(params=cases("component"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> Case:
    found: Case = case_of("component", name).CASE
    return found


class TestComponents(ComponentContract):
    """The suite, with each component that there is."""
