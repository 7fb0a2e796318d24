"""Workers that are threads of this process: the same call as on a cluster, with nobody in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from infratest.spread.worker import answer

if TYPE_CHECKING:
    from infratest.spread.base import Answered


class Threads:
    """So many threads."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="worker")

    def ask(self, portions: Mapping[int, tuple[str, str]]) -> _Asked:
        """Have portions asked."""
        return _Asked({self._pool.submit(answer, text): number for number, (_, text) in portions.items()})

    def close(self) -> None:
        """Begin no more; who asks is waited for."""
        self._pool.shutdown(cancel_futures=True)


class _Asked:
    def __init__(self, numbers: dict[Future[str], int]) -> None:
        self._numbers = numbers

    def answers(self, seconds: float) -> Iterator[Answered]:
        try:
            for future in as_completed(self._numbers, timeout=seconds):
                yield self._numbers[future], future.result()
        except TimeoutError:
            return

    def drop(self) -> None:
        for future in self._numbers:
            future.cancel()
