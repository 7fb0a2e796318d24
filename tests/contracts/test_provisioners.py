"""Every provisioner there is, asked what every provisioner must do, on this machine."""

from __future__ import annotations

import pytest

from infratest.testing.provisioners import Case, ProvisionerContract
from tests.contracts.case_files import case_of, cases


@pytest.fixture(params=cases("provisioner"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> Case:
    case: Case = case_of("provisioner", name).CASE
    return case


class TestProvisioners(ProvisionerContract):
    """The suite, with each provisioner that there is."""
