"""Every output there is, asked what every output must do."""

from __future__ import annotations

import pytest

from infratest.options import build
from infratest.outputs.base import Output
from infratest.outsiders import get
from infratest.testing.outputs import OutputContract
from tests.contracts.case_files import cases


@pytest.fixture(params=cases("output"))
def output(request: pytest.FixtureRequest) -> Output:
    kind = get("output", request.param)
    output: Output = kind(build(kind.Options, cases("output")[request.param].OPTIONS, request.param))
    return output


class TestOutputs(OutputContract):
    """The suite, with each output that there is."""
