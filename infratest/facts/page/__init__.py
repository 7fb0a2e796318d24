"""The fact `page`: what a session of several steps comes to: pages opened, links followed, forms filled in and sent.

Argument: the steps in order, each a text as `SessionStep` writes it. A session begins without cookies and has a
deadline of its own; it is asked once for all sentences of its scenario, each of which reads the page it was written
behind. From the controller alone: a session is many answers, each of which says what is asked next. HTML is parsed by
the extra `browse`.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._session_step import KEPT, SEPARATOR, step_of
from infratest.facts.base import Answer, Argument, LooksFromController

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect
    from infratest.facts.page.session import Session

#: The one session that is kept, by its argument's first word.
_kept: dict[str, Session] = {}


class PageFact(LooksFromController):
    """Sessions. Seconds that one has for all of its steps."""

    alone = True
    encoded = True
    patience = 60.0

    def ask(self, arguments: Sequence[Argument]) -> str:
        return "echo 'pages are opened from the controller alone' >&2\nexit 69"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        self.readable(answer)
        raise FactError("pages are opened from the controller alone")

    def described(self, argument: Argument) -> str:
        return "; ".join(step_of(text).words for text in argument if SEPARATOR in text)

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        from infratest.facts.page.session import Session

        values: dict[Argument, Any] = {}
        for argument in arguments:
            steps, session = argument, Session(connect)
            if argument and argument[0].startswith(KEPT):
                steps, session = argument[1:], _kept.get(argument[0]) or session
                _kept.clear()
                _kept[argument[0]] = session
            values[argument] = session.visit([step_of(text) for text in steps], deadline.at_most(self.patience))
        return values
