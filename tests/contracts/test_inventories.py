"""Every inventory there is, asked what every inventory must do, on this machine."""

from __future__ import annotations

import pytest

from infratest.testing.inventories import Case, InventoryContract
from tests.contracts.case_files import case_of, cases


@pytest.fixture(params=cases("inventory"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> Case:
    case: Case = case_of("inventory", name).CASE
    return case


class TestInventories(InventoryContract):
    """The suite, with each inventory that there is."""
