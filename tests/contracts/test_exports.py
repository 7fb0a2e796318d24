"""Every export there is, asked what every export must do, by its tool's real checker on this machine."""

from __future__ import annotations

import pytest

from infratest.testing.exports import Case, ExportContract
from tests.contracts.case_files import case_of, cases

#: Those whose checker is no package of the ordinary run.
MARKS = {name: [pytest.mark.machines] for name, case in cases("export").items() if getattr(case, "MACHINES", False)}


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, [])) for name in cases("export")])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> Case:
    made: Case = case_of("export", name).CASE
    return made


class TestExports(ExportContract):
    """The suite, with each export that there is."""
