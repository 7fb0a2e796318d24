"""`page: oncall`: the end of a ladder. A person is told that nothing on it has helped.

Every ladder ends so; who writes it down says whom. It is no try of its own: no budget holds it back, and nothing is
looked at again after it. The heal engine does it once a problem.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError, UserError
from infratest.model import Result
from infratest.remedies.base import Outcome, Remedy, Surroundings


@dataclass(frozen=True, kw_only=True)
class Options:
    """Who is told."""

    to: str | tuple[str, ...] = field(
        default=(),
        metadata={
            "description": "receivers of `monitor:` (default: those that `tell:` names for every result)",
            "title": "a receiver or a list of them",
            "short": True,
        },
    )


class Page(Remedy):
    """Tell receivers that the ladder is at its end."""

    name = "page"
    Options = Options
    usage = "expected receivers of `monitor:`, as `page: oncall`, or `page: {}`"
    on_host = False

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        said: str | tuple[str, ...] = self.options.to
        self._to: tuple[str, ...] = (said,) if isinstance(said, str) else said
        if not all(isinstance(one, str) and one for one in self._to):
            raise UserError(f"page: {self.usage}, found {argument!r}")

    def describe(self) -> str:
        return f"page {clean(', '.join(self._to), 80)}".strip()

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        try:
            words = surroundings.page(result, self._to, deadline)
        except InfratestError as error:
            raise HealError(f"{self.describe()}: {error}") from error
        return Outcome(words=words, command=self.describe())
