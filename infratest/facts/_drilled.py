"""What a drill has seen of one of its sentences: the fact `drill`, which the drill itself keeps."""

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

#: What a sentence of a drill waits for.
TURNS, HEALS, HOLDS = "turns", "heals", "holds"


class Drilled(Record):
    """Whether it was so, and what was seen in words."""

    holds: bool
    saw: str

    def in_words(self) -> str:
        return self.saw


class KeptByDrill(LooksFromController):
    """What the drill that runs has kept of it; by itself it asks nobody."""

    alone = True

    def ask(self, arguments: Sequence[Argument]) -> str:
        return f"echo 'a drill is watched from where it is run: leave `from` out' >&2\nexit {NO_TOOL}"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        self.readable(answer)
        raise FactError("a host cannot say what came of a drill")

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: FactError("only `infratest drill` can say that") for argument in arguments}
