"""By what facts look into the store of a monitor: the store is above them in the house, and says here how it is read.

`infratest.project.stored` puts its functions here as it is imported, by whoever runs what asks for them. Without it
nothing is known, and said so.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.errors import FactError
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksFromController

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

    #: Answers one question to the store of a state directory that is of a place: the fields of a fact's value.
    #: Raises FactError.
    Reads = Callable[[str, str, tuple[str, ...]], Mapping[str, Any]]

#: Who reads, by the name of the fact.
reads: dict[str, Reads] = {}


class OfMonitorStore(LooksFromController):
    """A fact that a monitor's store knows.

    Its arguments: the state directory, empty without one; stack and environment that its store has to be of, as
    `shop/prod`; and what is asked.
    """

    alone = True
    #: Its name, as the register of facts has it.
    name: str

    def ask(self, arguments: Sequence[Argument]) -> str:
        return f"echo 'the store of a monitor is looked into where it lies: leave `from` out' >&2\nexit {NO_TOOL}"

    def described(self, argument: Argument) -> str:
        return " ".join(argument[2:])

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        self.readable(answer)
        raise FactError("a host cannot say what a monitor knows")

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument) for argument in arguments}

    @abstractmethod
    def value(self, **fields: Any) -> Any:
        """Return the fact's value."""

    def _look(self, argument: Argument) -> Any:
        if not argument[0] or self.name not in reads:
            return FactError("there is no state directory in which a monitor could keep anything; name it with --state")
        try:
            return self.value(**reads[self.name](argument[0], argument[1], argument[2:]))
        except FactError as error:
            return error
