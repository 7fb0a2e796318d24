"""A step of a session, as the fact `page` is asked for it. Made by sentences and by the planner, read by the fact."""

from __future__ import annotations

from infratest.errors import UserError
from infratest.record import Record

#: What a step does.
OPEN, FOLLOW, PRESS, SEND = "open", "follow", "press", "send"
FILL, SELECT, DESELECT, TICK, UNTICK, CHOOSE, ATTACH = (
    "fill", "select", "deselect", "tick", "untick", "choose", "attach",
)  # fmt: skip

#: Behind what is put into a field: a secret stands in it as the feature has it.
LITERAL = "literal"

#: Steps of one session.
MOST = 50
#: Between the parts of a step; no text of a feature holds it.
SEPARATOR = "\x1f"
#: Begins an argument whose session is kept and gone on with: of a scenario whose steps are not known before.
KEPT = "kept"


class SessionStep(Record):
    """One step.

    Args:
        does: one of the words above. words: the step for people, without what may be a secret. goal: what it is done to
        and with. careless: whatever the server answers will do.
    """

    does: str
    words: str
    goal: tuple[str, ...] = ()
    careless: bool = False

    @property
    def text(self) -> str:
        """The step as an argument has it. Raises UserError: it holds what no text does."""
        parts = (self.does, "careless" if self.careless else "", self.words, *self.goal)
        if any(SEPARATOR in part or "\0" in part for part in parts):
            raise UserError(f"{self.words}: it holds a character that no text has")
        return SEPARATOR.join(parts)


def step_of(text: str) -> SessionStep:
    """Return the step that a text of an argument is."""
    does, careless, words, *goal = text.split(SEPARATOR)
    return SessionStep(does, words, tuple(goal), bool(careless))
