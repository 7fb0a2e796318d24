"""The contract of providers on the simulated cloud, with each fault switched on that a provider must get over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infratest.testing.providers import Case, MakingContract, case_of
from tests.contracts.case_files import with_hosts

FAULTS: dict[str, dict[str, Any]] = {
    "slow, and every time otherwise": {"latency": "2s", "spread": 1.0},
    "many calls refused for the moment": {"throttle": ["30 %"], "unavailable": ["20 %"]},
    "five calls a second": {"limit": 5},
    "lost replies": {"lose": ["first", "20 %"]},
    "lost replies, and the listing lags": {"lose": ["first create", "10 %"], "lag": "8s"},
    "a listing that lags": {"lag": "20s"},
    "a listing that forgets": {"lag": "20s", "forget": ["first"]},
    "zombies": {"zombie": ["first"]},
    "all of it": {
        "latency": "1s", "spread": 0.5, "throttle": ["10 %"], "unavailable": ["10 %"], "limit": 20,
        "lose": ["15 %"], "lag": "10s", "forget": ["first"], "zombie": ["first"],
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=FAULTS, ids=str)
def faults(request: pytest.FixtureRequest) -> dict[str, Any]:
    return FAULTS[request.param]


@pytest.fixture(scope="module")
def name() -> str:
    return "simulator"


@pytest.fixture(scope="module")
def case(faults: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with with_hosts(case_of("simulator", tmp_path_factory.mktemp("simulator"), faults)) as case:
        yield case


class TestWithFaults(MakingContract):
    """All that every provider must do."""
