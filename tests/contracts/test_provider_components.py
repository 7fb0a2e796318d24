"""Every provider that makes components, asked what every such provider must do: a simulated cloud, and real APIs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infratest import outsiders
from infratest.providers.cloud import drivers
from infratest.testing.provider_components import Case, ComponentsContract
from tests.contracts.case_files import case_of

#: Each case by its own word, with the provider that it is of.
CASES = {
    word: name
    for name in outsiders.names("provider")
    if hasattr(outsiders.get("provider", name), "COMPONENTS")
    for word in case_of("provider", name).COMPONENTS
}


#: Real services that take their time: a long test.
LONG = ("openstack",)
PARAMS = [pytest.param(word, marks=[pytest.mark.machines] * (word in LONG)) for word in CASES]


@pytest.fixture(scope="module", params=PARAMS)
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    with case_of("provider", CASES[request.param]).COMPONENTS[request.param]() as case:
        yield case


class TestComponents(ComponentsContract):
    """The suite, with each provider that makes components, and each driver of the one for clouds."""


def test_every_driver_that_makes_components_has_a_case() -> None:
    able = {name for name in drivers.names() if drivers.kind_of(name).makes}
    assert able == {word.partition(" ")[0] for word, name in CASES.items() if name == "cloud"}
