"""Every provider there is, asked what every provider must do: files, this machine, a real sshd, real containers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.testing.providers import Case, FindingContract, MakingContract
from tests.contracts.case_files import case_of, cases

MAKING = [
    pytest.param(name, marks=getattr(case, "MARKS", ())) for name, case in cases("provider").items() if case.MAKES
]
FINDING = [name for name, case in cases("provider").items() if not case.MAKES]


@pytest.fixture(scope="module")
def case(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with case_of("provider", name).case(tmp_path_factory.mktemp(name)) as case:
        yield case


@pytest.fixture(scope="module")
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", MAKING, indirect=True)
class TestMaking(MakingContract):
    """Those that make hosts."""

    def another(self, name: str, folder: Path) -> Case:
        module = case_of("provider", name)
        return module.another(folder) if hasattr(module, "another") else super().another(name, folder)


@pytest.mark.parametrize("name", FINDING, indirect=True)
class TestFinding(FindingContract):
    """Those that only find them."""
