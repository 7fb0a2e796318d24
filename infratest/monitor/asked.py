"""What a monitor is asked, and by whom: each word of a question with the function that answers it.

The functions know a book alone, so that they answer the same from a running monitor and from what one left in its
store (`kept`). A question comes over the socket (`control`), in a thread of its own; the loop's thread answers it, once
what came of it is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from infratest.alerting.moments import Moment
from infratest.errors import InfratestError, StateError, UserError, unknown
from infratest.monitor import answers
from infratest.monitor.book import Book
from infratest.monitor.monitor import Call, Monitor

#: Seconds that a question waits for the loop: a little less than who asks waits for its answer.
SECONDS = 9.0


@dataclass(frozen=True)
class Given:
    """What stands in a question beside its word, and who asks: a login's name, by the kernel's word.

    The getters raise UserError where something else stands there: a question may come from another version.
    """

    values: Mapping[str, Any]
    user: str

    def text(self, name: str, otherwise: str | None = None) -> str:
        """Return a text. otherwise: where none is given; None where one has to be."""
        value = self.values.get(name, otherwise)
        if not isinstance(value, str):
            raise UserError(f"monitor: a question without its {name}; does another version run there?")
        return value

    def number(self, name: str) -> float | None:
        """Return a number; None where none is given."""
        value = self.values.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise UserError(f"monitor: {name} is no number: {value!r}")
        return None if value is None else float(value)


#: Answers one word: JSON out. Raises InfratestError.
Answer = Callable[[Book, Moment, Given], Any]


@dataclass(frozen=True)
class Word:
    """One thing that can be asked. changes: whether anything is other afterwards, so that it has to be written."""

    answer: Answer
    changes: bool = False


WORDS: dict[str, Word] = {
    "status": Word(lambda book, now, given: answers.status(book, now)),
    "problems": Word(lambda book, now, given: answers.problems(book, now)),
    "due": Word(lambda book, now, given: answers.due(book, now)),
    "result": Word(lambda book, now, given: answers.result(book, given.text("id"), now)),
}


def word_of(question: Mapping[str, Any]) -> Word:
    """Return which word a question asks. Raises UserError."""
    name = question.get("word")
    if not isinstance(name, str) or name not in WORDS:
        raise UserError(f"monitor: {unknown('question', str(name), sorted(WORDS))}; does another version run there?")
    return WORDS[name]


class Asked:
    """Answers the questions of a running monitor; called by many threads.

    Args:
        monitor: whose loop answers.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._since = monitor.timepiece.now().wall

    def __call__(self, question: Mapping[str, Any], user: str) -> Any:
        """Answer one question. Raises InfratestError."""
        word, given = word_of(question), Given(question, user)
        came: SimpleQueue[Any] = SimpleQueue()

        def ask(monitor: Monitor) -> Any:
            return word.answer(monitor.book, monitor.timepiece.now(), given), monitor.unwritten

        self._monitor.inbox.put(Call(ask, came.put))
        try:
            answer = came.get(timeout=SECONDS)
        except Empty:
            raise StateError(f"monitor: process {os.getpid()} is busy, and did not answer in {SECONDS:g} s") from None
        if isinstance(answer, InfratestError):
            raise answer
        if word.changes and self._monitor.unwritten:
            raise StateError(
                "monitor: it holds as long as this monitor runs, and is not kept beyond that: "
                f"{self._monitor.unwritten}"
            )
        return {"answer": answer[0], "pid": os.getpid(), "since": self._since, "unwritten": answer[1]}
