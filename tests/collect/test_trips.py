"""Round trips to many places: who does not end by its deadline loses no other."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from infratest.check import CONTROLLER
from infratest.collect.asked import Facts
from infratest.collect.trips import Trips
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded
from infratest.facts.base import Need

if TYPE_CHECKING:
    from infratest.collect.asked import Batch

HANGS, ANSWERS = Need("name", ("hangs",)), Need("name", ("answers",))


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def test_who_does_not_end_is_given_up_and_loses_no_other(threads: ThreadPoolExecutor) -> None:
    let_go = threading.Event()

    def work(batch: Batch, needs: Iterable[Need], deadline: Deadline, facts: Facts) -> None:
        if batch in (HANGS, "hung"):
            assert let_go.wait(60)
        for need in needs:
            facts.at(batch if isinstance(batch, str) else CONTROLLER)[need] = "answered"

    trips, began = Trips(work, threads, 1), monotonic()
    try:
        for batch in (HANGS, "hung", ANSWERS):
            trips.begin(batch, (ANSWERS if batch == "hung" else batch,), Deadline(1.5))
        ended = [trips.ended(None) for _ in range(3)]
        assert monotonic() - began < 30
        seen = {batch: facts for batch, facts, _ in filter(None, ended)}
        assert seen[ANSWERS].at(CONTROLLER) == {ANSWERS: "answered"}
        assert isinstance(seen[HANGS].at(CONTROLLER)[HANGS], DeadlineExceeded)
        assert isinstance(seen["hung"].at("hung")[ANSWERS], DeadlineExceeded)
        assert trips.lost == 2
    finally:
        let_go.set()
    assert trips.ended(0.5) is None  # what comes of them then is nobody's any more
