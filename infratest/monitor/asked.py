"""What a monitor is asked, and by whom: each word of a question with the function that answers it.

The functions know a book alone, so that they answer the same from a running monitor and from what one left in its
store (`kept`). A question comes over the socket (`control`), in a thread of its own; the loop's thread answers it, once
what came of it is written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from infratest.errors import StateError, UserError, unknown
from infratest.monitor import answers, people
from infratest.monitor.monitor import Monitor
from infratest.monitor.question import Given, Word
from infratest.store.database.meta import another

#: The word that is answered with what the loop knows beside its book, whoever asks: it says whose the monitor is.
HEALTH = "health"

WORDS: dict[str, Word] = {
    "status": Word(lambda book, now, given: answers.status(book, now)),
    "problems": Word(lambda book, now, given: answers.problems(book, now)),
    "due": Word(lambda book, now, given: answers.due(book, now)),
    "result": Word(lambda book, now, given: answers.result(book, given.text("id"), now)),
    "latest": Word(lambda book, now, given: answers.latest(book, given.texts_by_name("digests"), now)),
    "left alone": Word(lambda book, now, given: answers.left_alone(book, given.texts("ids"), now)),
    HEALTH: Word(lambda book, now, given: answers.health(book, now)),
    "downtimes": Word(people.downtimes),
    "ack": Word(people.ack, changes=True),
    "unack": Word(people.unack, changes=True),
    "downtime": Word(people.downtime, changes=True),
    "downtime end": Word(people.downtime_end, changes=True),
    "pause": Word(people.pause, changes=True),
    "resume": Word(people.resume, changes=True),
    "note": Word(people.note, changes=True),
    "heartbeat": Word(people.heartbeat, changes=True),
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
        if word is not WORDS[HEALTH]:
            self._refuse_another(given.text("place"))

        def ask(monitor: Monitor) -> Any:
            answer = word.answer(monitor.book, monitor.timepiece.now(), given)
            return answer | _loop(monitor) if word is WORDS[HEALTH] else answer, monitor.unwritten

        answer = self._monitor.ask(ask)
        if word.changes and self._monitor.unwritten:
            raise StateError(
                "monitor: it holds as long as this monitor runs, and is not kept beyond that: "
                f"{self._monitor.unwritten}"
            )
        return {"answer": answer[0], "pid": os.getpid(), "since": self._since, "unwritten": answer[1]}

    def _refuse_another(self, place: str) -> None:
        """Raise UserError where another environment is meant: its ids are the same, and a downtime would be ours."""
        mine = self._monitor.watched.place
        if place != mine:
            raise UserError(f"monitor: {another('the one that runs there', mine, place)}")


def _loop(monitor: Monitor) -> dict[str, Any]:
    """Return how the loop does; what is asked now is of a turn that is not written yet."""
    return {
        "place": monitor.watched.place,
        "age": max(0.0, monitor.timepiece.now().steady - monitor.kept.steady),
        "waiting": monitor.looks_waiting,
        "unwritten": monitor.unwritten,
        "overgrown": monitor.writing.overgrown,
    }
