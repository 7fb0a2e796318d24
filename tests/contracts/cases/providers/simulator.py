"""A simulated cloud, without faults and with each that a provider must get over."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from infratest.clock import REAL
from infratest.providers.simulator.world import DELETED, World
from infratest.testing import provider_components
from infratest.testing.providers import Case, case_of
from tests.contracts.case_files import with_hosts

MAKES = True

FAULTS: dict[str, dict[str, Any]] = {
    "slow, and every time otherwise": {"latency": "2s", "spread": 1.0},
    "many calls refused for the moment": {"throttle": ["15 %"], "unavailable": ["10 %"]},
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


def case(folder: Path) -> AbstractContextManager[Case]:
    return with_hosts(case_of("simulator", folder, {}))


@contextmanager
def with_components(faults: Mapping[str, Any]) -> Iterator[provider_components.Case]:
    with tempfile.TemporaryDirectory() as folder:

        def at(state_id: str) -> dict[str, set[str]]:
            """Return it by what is written down of the cloud's world."""
            with World(Path(folder), REAL).open(changes=False) as contents:
                ours = [one for one in contents.items.values()
                        if one.labels["infratest.state"] == state_id and one.state != DELETED]  # fmt: skip
            hosts = [one for one in ours if one.kind == "host"]
            return {
                one.name: {host.name for host in hosts if one.id in host.uses or one.at == host.id}
                for one in ours
                if one.kind != "host"
            }

        yield provider_components.Case(name="simulator", at=at, options={"world": folder} | faults)


COMPONENTS = {"simulator": partial(with_components, {})} | {
    f"simulator, {words}": partial(with_components, faults) for words, faults in FAULTS.items()
}
