"""The fact `memcached`: all that a Memcached server says of itself (stats). Argument: `cache.example:11211`.

From a host it takes python3. A server that wants a login is not known.
"""

from __future__ import annotations

from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._outside import FAILED, MUTE, OPEN, SILENT, UNRESOLVED
from infratest.facts._server_place import server_place, unanswered
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect

#: The port that it is given by IANA.
PORT = 11211


class Stats(Record):
    """What a server says of itself.

    Args:
        entries: by their names, as `curr_items`. seconds: from before the connection until they were there. refused:
        why there are none, in words.
    """

    entries: dict[str, str] = {}
    seconds: float = 0.0
    refused: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        shown = ("version", "curr_items", "curr_connections", "get_hits", "get_misses", "evictions", "bytes")
        return "\n".join(f"{name} {self.entries[name]}" for name in shown if name in self.entries)


NO_PYTHON = f"echo 'python3 is not installed on this host' >&2\nexit {NO_TOOL}"


class MemcachedFact(LooksForEach, LooksFromController):
    """Servers."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts import _memcached_stats
        from infratest.facts._outside_there import by_python, program_with

        return by_python(self.patience_there, NO_PYTHON, program_with(_memcached_stats.__file__))

    def words(self, argument: Argument) -> tuple[str, ...]:
        host, port = _place(argument)
        return ("memcached", host, str(port), "")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows, seconds

        _, answers = rows(self.readable(answer))
        found = {}
        for index, argument in enumerate(arguments, 1):
            if index in answers:
                outcome, took, words = answers[index]
                found[argument] = _stats(outcome, seconds(took), words, argument)
        return found

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> Stats | FactError:
        from infratest.facts._memcached_stats import memcached

        had = deadline.at_most(self.patience).left
        outcome, took, words = memcached(*connect(*_place(argument)), had)
        if outcome in (SILENT, MUTE) and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{argument[0]}: no answer before our own deadline")
        return _stats(outcome, took, words, argument)


def _place(argument: Argument) -> tuple[str, int]:
    return server_place(argument[0], "Memcached server", PORT)


def _stats(outcome: str, took: float, words: str, argument: Argument) -> Stats | FactError:
    from infratest.facts._memcached_stats import LOCKED

    if outcome == LOCKED:
        return FactError(f"could not ask {argument[0]}: {words}")
    if outcome == OPEN:
        *rows, end = words.split("\t")
        entries = {row.partition(" ")[0]: row.partition(" ")[2] for row in rows}
        if end != "." or "version" not in entries:
            raise FactError(f"the answer is not understood, or cut off: {words[-80:]!r}")
        return Stats(entries, took)
    try:
        return Stats(seconds=took, refused=unanswered(outcome, words, argument[0]))
    except FactError as error:
        if outcome not in (FAILED, UNRESOLVED):
            raise
        return error
