"""Every receiver there is, asked what every receiver must do, with a real server on the loopback at the other end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infratest.testing.receivers import TAKES, Case, ReceiverContract
from tests.contracts.case_files import case_of, cases


@pytest.fixture(scope="module", params=cases("receiver"))
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Case]]:
    """The case of a receiver while its counterpart runs: one for all questions."""
    name = str(request.param)
    with case_of("receiver", name).case(tmp_path_factory.mktemp("case")) as made:
        yield name, made


@pytest.fixture
def name(running: tuple[str, Case]) -> str:
    return running[0]


@pytest.fixture
def case(running: tuple[str, Case]) -> Case:
    running[1].forget()
    running[1].behave(TAKES)
    return running[1]


class TestReceivers(ReceiverContract):
    """The suite, with each receiver that there is."""
