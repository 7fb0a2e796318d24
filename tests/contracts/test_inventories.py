"""Every inventory there is, asked what every inventory must do, on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infratest.testing.inventories import Case, InventoryContract
from tests.contracts.case_files import case_of, cases


@pytest.fixture(params=cases("inventory"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """The case, or what its file makes while a test runs."""
    module = case_of("inventory", name)
    if not hasattr(module, "case"):
        yield module.CASE
        return
    with module.case(tmp_path_factory.mktemp("case")) as made:
        yield made


class TestInventories(InventoryContract):
    """The suite, with each inventory that there is."""
