"""The contract of a subject's mutations: what a sentence claims, and the fault that breaks just that.

`mutations/<subject>.py` has FAULTS: the name of a check in `steps/<subject>.py` -> a function that gets the claim and
returns the act which makes it wrong, or a text that says why none is known. The fault breaks what the sentence names
and no more: the mode of a file, and not the file. Called by the engine, which does it on a host that this tool made,
looks whether the sentence turned red, and undoes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from infratest.acts._fault import KEPT_ON_DISK, token
from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline
from infratest.thresholds import Bound


@dataclass(frozen=True)
class Claim:
    """What a sentence says.

    Args:
        check: the sentence's check, with the values of its placeholders. negated: whether it says *not*.
        bound: what its number must be, None where it has none.
    """

    check: Any
    negated: bool = False
    bound: Bound | None = None


#: Returns the act that makes a claim wrong, or why none is known.
Fault = Callable[[Claim], Act | str]


@dataclass(frozen=True)
class ScriptAct(Act):
    """A fault that is a few lines of shell, and lines that undo it.

    `$1` is a path of the fault's own, free to keep things at; `$2` and so on are the arguments. `restore` is right
    whether or not `change` was done, or half of it: it is on record before.
    """

    words: str = field(metadata={"description": "what is done, in words"})
    change: str = field(metadata={"description": "the shell's lines that do it"})
    restore: str = field(metadata={"description": "the shell's lines that undo it"})
    arguments: tuple[str, ...] = field(metadata={"description": "what both get, from $2 on"})
    id: str = field(default_factory=token, compare=False, metadata={"description": "what tells it from other faults"})

    seconds: ClassVar[float] = 120.0

    def apply(self, access: Access, deadline: Deadline) -> str:
        succeeded(access.run(["sh", "-c", f"set -e\n{self.change}", "sh", *self._given], deadline), self.words)
        return self.words

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...]:
        return ("sh", "-c", f"set -e\n{self.restore}", "sh", *self._given)

    @property
    def _given(self) -> tuple[str, ...]:
        return f"{KEPT_ON_DISK}{self.id}", *self.arguments


def outside(bound: Bound) -> float | None:
    """Return a number, not negative, for which a bound does not hold; None where it holds for each."""
    near = max(1.0, abs(bound.top))
    tried = (bound.top + near, bound.top, bound.low, bound.low - near, 0.0)
    return next((number for number in tried if number >= 0 and not bound.holds(number)), None)


def in_words(act: Act) -> str:
    """Return what an act does, in words: its own, else its name and options."""
    if isinstance(act, ScriptAct):
        return act.words
    options = " ".join(str(value) for name, value in vars(act).items() if name != "id")
    return f"{type(act).__name__.removesuffix('Act').lower()} {options}"
