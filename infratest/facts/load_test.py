"""The fact `load-test`: what came of a URL that was asked at an even pace. Argument: the URL.

It is made by the act of that name and kept until its scenario ends: looked at without one before it, nothing is known.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

#: Errors of different kinds that are named.
NAMED = 3


class LoadTest(Record):
    """What came of it.

    Args:
        times: seconds of each good answer, the shortest first. errors: what the others came to, and how many of each:
        a status of 400 and above, or why there was no answer, in words.
    """

    times: tuple[float, ...]
    errors: tuple[tuple[str, int], ...] = ()

    @property
    def asked(self) -> int:
        return len(self.times) + self.failed

    @property
    def failed(self) -> int:
        return sum(many for _, many in self.errors)

    def percentile(self, rank: float) -> float | None:
        """Return the seconds within which so many percent of all requests had a good answer; None where they had not.

        By the nearest rank, so that it is a time that was measured. A request without a good answer is slower than
        every other: a server that refuses quickly is not quick.
        """
        place = max(0, -int(-self.asked * rank // 100) - 1)
        return self.times[place] if place < len(self.times) else None

    def in_words(self) -> str:
        words = f"{self.asked} requests, {self.failed} without a good answer"
        if not self.errors:
            return words
        kinds = sorted(self.errors, key=lambda each: (-each[1], each[0]))
        more = f", {len(kinds) - NAMED} more kinds" if len(kinds) > NAMED else ""
        return f"{words} ({', '.join(f'{many} {kind}' for kind, many in kinds[:NAMED])}{more})"


class LoadTestFact(LooksFromController):
    """What an act before it in its scenario left; by itself it asks nobody."""

    alone = True

    def ask(self, arguments: Sequence[Argument]) -> str:
        return f"echo 'a load is measured where it comes from: leave `from` out' >&2\nexit {NO_TOOL}"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        self.readable(answer)
        raise FactError("a host cannot say what came of a load")

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: FactError(_unasked(argument[0])) for argument in arguments}


def _unasked(url: str) -> str:
    return f'nothing asked "{url}" before: write `When "{url}" is asked 50 times a second for 10 s` in this scenario'
