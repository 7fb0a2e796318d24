"""Every output there is, asked what every output must do."""

from __future__ import annotations

import pytest

from infratest.outputs.base import Output
from infratest.outsiders import get
from infratest.testing.outputs import OutputContract
from tests.contracts.case_files import cases


@pytest.fixture(params=cases("output"))
def output(request: pytest.FixtureRequest) -> Output:
    output: Output = get("output", request.param)(**cases("output")[request.param].OPTIONS)
    return output


class TestOutputs(OutputContract):
    """The suite, with each output that there is."""
