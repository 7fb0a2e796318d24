"""What the facts `command` and `root-command` share: one snippet and one answer for each text."""

from __future__ import annotations

from abc import abstractmethod

from infratest.facts.base import Answer, Argument, Fact
from infratest.found import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class CommandFact(Fact):
    """A user's own command."""

    alone = True

    @abstractmethod
    def script(self, argument: Argument) -> str:
        """Return the shell that runs one command."""

    def value(self, answer: Answer) -> Output:
        """Return what it answered; every exit status is a value."""
        return Output(
            exit=answer.exit, out=answer.out, err=answer.err, seconds=answer.seconds, whole=not answer.truncated
        )

    def ask(self, arguments: Sequence[Argument]) -> str:
        return "".join(self.script(argument) for argument in arguments)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        return dict.fromkeys(arguments, self.value(answer))
