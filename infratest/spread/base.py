"""The contract of what carries portions to workers and brings their answers. For type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infratest.errors import InfratestError

    #: The number of a portion, and what `worker.answer` said, or why nobody did.
    Answered = tuple[int, str | InfratestError]


class Asked(Protocol):
    """Portions under way."""

    def answers(self, seconds: float) -> Iterator[Answered]:
        """Give answers as they come, for at most so many seconds."""

    def drop(self) -> None:
        """Let go of those that have not come."""


class Engine(Protocol):
    """What has workers call `worker.answer`."""

    def ask(self, portions: Mapping[int, tuple[str, str]]) -> Asked:
        """Have portions asked.

        Args:
            portions: by number, the host's name and the portion's text. A host goes to the same worker each time where
            that can be.
        Raises:
            InfratestError: there are no workers, or they cannot be reached.
        """
