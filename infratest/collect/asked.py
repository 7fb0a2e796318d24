"""What is asked of a host and what came back, as values: one snippet a fact, the table of facts, evidence on request.

Called by the collectors (collector.py for many hosts, here.py for this machine), read by the judge. On the plugin
program's path.
"""

from __future__ import annotations

from time import sleep

from infratest.check import CONTROLLER
from infratest.cleaning import clean
from infratest.errors import FactError, InfratestError
from infratest.facts.base import NO_TOOL, Answer, LooksForEach, LooksFromController
from infratest.model import Evidence
from infratest.plugins import builtin
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from infratest.collect.script import Apart, Question
    from infratest.deadline import Deadline
    from infratest.errors import TransportError
    from infratest.facts.base import Argument, Fact, Need

    #: What arrives together: all of a host, which is its name here; of the controller each need by itself.
    Batch = str | Need
    #: A batch that is complete: what came back, and when it was asked, in seconds of the deadline's clock.
    Ended = tuple[Batch, "Facts", float]

#: A fact's arguments are asked in snippets of at most so many, so that an answer has room and time for all.
ARGUMENTS_AT_ONCE = 200

#: Seconds behind those that a sentence gives a server, where they are more than a snippet has.
BEHIND = 2.0

#: What a fact's output shows of itself as evidence.
EVIDENCE_LIMIT = 2000


class Facts:
    """What was collected: a value or a failure for each need at each location, and what cannot be asked at all.

    `blocked` holds location -> why nothing could be asked there.
    """

    def __init__(self) -> None:
        self._values: dict[str, dict[Need, Any]] = {}
        self.blocked: dict[str, TransportError] = {}
        self._answers: dict[tuple[str, Need], tuple[Ask, Answer, float, bool]] = {}
        self._unread: dict[str, list[Ask]] = {}
        self._sources: dict[Batch, Facts] = {}

    def take(self, batch: Batch, other: Facts) -> None:
        """Take a whole batch from another table, with what stands behind it."""
        self._sources[batch] = other
        if isinstance(batch, str):
            self._values[batch] = other.at(batch)
            if batch in other.blocked:
                self.blocked[batch] = other.blocked[batch]
        else:
            self.at(CONTROLLER)[batch] = other.at(CONTROLLER)[batch]

    def at(self, location: str) -> dict[Need, Any]:
        """Return what was collected at a location: need -> value or InfratestError."""
        return self._values.setdefault(location, {})

    def received(
        self,
        location: str,
        ask: Ask,
        answer: Answer | Apart | InfratestError,
        seconds: float,
        why: Callable[[InfratestError], InfratestError],
        between: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Take what a script brought for one ask.

        Args:
            between: when the script was sent and when its answer was there, by our monotonic clock.
            why: puts into words that there is no answer, for it may be known better than a script can tell.
        """
        if isinstance(answer, InfratestError):
            self.failed(location, ask, why(answer))
        elif isinstance(answer, Answer):
            if ask.fact.timed:
                answer = answer.changed(sent=between[0], came=between[1])
            self.answered(location, ask, answer, seconds)
        else:
            for need, part in zip(ask.needs, answer.parts, strict=True):
                self.received(location, Ask(ask.fact, (need,)), part, seconds, why, between)

    def answered(self, location: str, ask: Ask, answer: Answer, seconds: float) -> None:
        """Read the answer to a snippet into the table.

        Where an answer for many things cannot be read, or not for all, the rest is for `unread`.
        """
        values: Mapping[Argument, Any] = {}
        failure: InfratestError | None = None
        try:
            values = ask.fact.read(answer, ask.arguments)
        except Exception as error:  # noqa: BLE001 - a fact's own bug is unknown, and must not end the others
            failure = as_failure(ask.name, error)
        here, missing = self.at(location), []
        for need in ask.needs:
            known = need.argument in values
            self._answers[location, need] = (ask, answer, seconds, known)
            if known:
                here[need] = values[need.argument]
            else:
                here[need] = failure or FactError(f"{ask.name} gave no answer for {' '.join(need.argument)!r}")
                missing.append(need)
        # What was cut had too little room behind others.
        many = len(ask.needs) > 1 and isinstance(ask.fact, LooksForEach) and answer.exit != NO_TOOL
        if missing and not ask.fact.alone and (many or answer.truncated):
            self._unread.setdefault(location, []).append(Ask(ask.fact, tuple(missing), many, answer.truncated))

    def unread(self, location: str) -> list[Ask]:
        """Return what must be asked there once more, each thing alone; it is returned once."""
        return self._unread.pop(location, [])

    def failed(self, location: str, ask: Ask, error: InfratestError) -> None:
        self.at(location).update(dict.fromkeys(ask.needs, error))

    def evidence(self, location: str, need: Need) -> Evidence | None:
        """Return what stands behind a value, made when it is wanted: most of it never is.

        A user's command and an answer that could not be read at all show what was printed; all else the one value that
        is meant, or why it alone is not known, in words: a snippet answers for many, and what the others of them said
        is no evidence.
        """
        source = self._sources.get(need if location == CONTROLLER else location)
        if source is not None:
            return source.evidence(location, need)
        value = self.at(location).get(need)
        if (location, need) not in self._answers:
            if value is None or isinstance(value, InfratestError):
                return None
            return Evidence(need.fact, _asked_for(need), None, _shown(value), 0.0)
        ask, answer, seconds, known = self._answers[location, need]
        answer = ask.fact.shown(answer)
        if ask.fact.alone:
            return Evidence(need.fact, clean(" ".join(need.argument), 500), answer.exit, _printed(answer), seconds)
        if known:
            return Evidence(need.fact, _asked_for(need), answer.exit, _shown(value), seconds)
        output = clean(answer.err, EVIDENCE_LIMIT, lines=True) if ask.fact.encoded else _printed(answer)
        return Evidence(need.fact, _asked_for(need), answer.exit, output, seconds)


class InTurn:
    """Round trips to one place, made by the thread that waits for them: others cost more to import than to log in.

    Args:
        collect: asks everything and returns what came back by a deadline.
    """

    def __init__(self, collect: Callable[[Mapping[str, Iterable[Need]], Deadline], Facts]) -> None:
        self._collect = collect
        self._begun: list[tuple[Batch, Iterable[Need], Deadline]] = []

    def begin(self, batch: Batch, needs: Iterable[Need], deadline: Deadline) -> None:
        """Have this asked when somebody waits for it."""
        self._begun.append((batch, needs, deadline))

    def ended(self, seconds: float | None) -> Ended | None:
        """Return the next batch, however long it takes; where none was begun, None after these seconds."""
        if not self._begun:
            sleep(seconds or 0.0)
            return None
        batch, needs, deadline = self._begun.pop(0)
        began = deadline.now()
        return batch, self._collect({batch if isinstance(batch, str) else CONTROLLER: needs}, deadline), began


def _asked_for(need: Need) -> str:
    fact: Fact = builtin("fact", need.fact)()
    return clean(f"{need.fact} {fact.described(need.argument)}".strip(), 500)


def _printed(answer: Answer) -> str:
    said = answer.out if answer.exit == 0 or not answer.err else f"{answer.out}\n{answer.err}"
    return clean(said, EVIDENCE_LIMIT, lines=True)


def _shown(value: Any) -> str:
    from infratest.collect.evidence import in_words  # what is ok shows nothing

    return clean(in_words(value), EVIDENCE_LIMIT, lines=True)


def as_failure(fact: str, error: Exception) -> InfratestError:
    """Return what a fact raised as a failure of that fact alone."""
    if isinstance(error, InfratestError):
        return error
    return FactError(f"a bug in the fact {fact}: {type(error).__name__}: {error}")


def questions(location: str, wanted: Iterable[Ask], facts: Facts, left: float) -> list[tuple[Ask, Question]]:
    """Return each ask with its question; what no script can hold has failed, alone. `left`: seconds of the run."""
    from infratest.collect.script import SNIPPET_SECONDS, Question  # most checks of this machine ask no shell

    usual = max(1, round(min(SNIPPET_SECONDS, left - 1)))
    found = []
    for ask in wanted:
        good = ask.needs
        if _unwritable(ask) is not None:
            good = tuple([need for need in ask.needs if _writable(location, ask, need, facts)])
            ask = ask.changed(needs=good)
        if good:
            apart, at_once = ask.apart and len(good) > 1, ask.fact.at_once and not ask.in_turn
            longer, seconds = getattr(ask.fact, "patience_there", 0.0) + BEHIND, usual
            if longer > SNIPPET_SECONDS:
                seconds = max(1, round(min(longer, left - 1)))
            found.append((ask, Question(ask.text, seconds, ask.fact.alone, ask.parts, apart, at_once)))
    return found


def _writable(location: str, ask: Ask, need: Need, facts: Facts) -> bool:
    """Whether a script can ask for this; if not, that it cannot is its answer."""
    alone = Ask(ask.fact, (need,))
    error = _unwritable(alone)
    if error is not None:
        facts.failed(location, alone, as_failure(ask.name, error))
    return error is None


def _unwritable(ask: Ask) -> Exception | None:
    """Return why no script can ask for all of this, if so."""
    try:
        for argument in ask.arguments:
            if "\0" in "".join(argument):
                raise FactError(f"{clean(' '.join(argument), 80)!r} holds a NUL, which no word of a shell can")
        for word in [word for words in ask.parts for word in words] or (ask.text,):
            word.encode("utf-8", "surrogateescape")
    except Exception as error:  # noqa: BLE001 - a fact's own bug is unknown, and must not end the others
        return error
    return None


class Ask(Record):
    """One fact asked for some of its needs; a user's command is asked alone.

    `apart`: each of them is asked for alone, for the answer to all of them could not be read. `in_turn`: beside others
    its answer had too little room.
    """

    fact: Fact
    needs: tuple[Need, ...]
    apart: bool = False
    in_turn: bool = False

    @property
    def name(self) -> str:
        return self.needs[0].fact

    @derived
    def arguments(self) -> tuple[Argument, ...]:
        return tuple([need.argument for need in self.needs])

    @property
    def unprivileged(self) -> bool:
        return self.fact.unprivileged

    @derived
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The positional parameters of `text` for each need; none for a fact that has no such text."""
        fact = self.fact
        return tuple([fact.words(one) for one in self.arguments]) if isinstance(fact, LooksForEach) else ()

    @property
    def text(self) -> str:
        """The snippet, which gets the names of what it looks for as positional parameters where it can."""
        return self.fact.snippet() if isinstance(self.fact, LooksForEach) else self.snippet

    @property
    def snippet(self) -> str:
        """The whole snippet, names included."""
        # A user's command runs in the user's own language; LC_ALL=C is for our own snippets.
        return ("unset LC_ALL; " if self.fact.alone else "") + self.fact.ask(self.arguments)


def fewer(again: Sequence[Ask], before: Sequence[Ask]) -> bool:
    """Whether asking these once more can bring something: they are less, or each of them is asked alone for once."""
    sizes = [sum(len(ask.needs) for ask in each) for each in (again, before)]
    return bool(again) and (sizes[0] < sizes[1] or any(ask.apart for ask in again) > any(ask.apart for ask in before))


def asks(needs: Iterable[Need]) -> list[Ask]:
    """Return what answers all needs: one ask a fact (more past ARGUMENTS_AT_ONCE), then one a command."""
    wanted: dict[str, dict[Need, None]] = {}
    for need in needs:
        wanted.setdefault(need.fact, {})[need] = None
    found = []
    for name, same in wanted.items():
        fact: Fact = builtin("fact", name)()
        seconds = max([need.seconds for need in same])
        if seconds and isinstance(fact, LooksFromController):
            fact.bear(seconds)
        size = 1 if fact.alone else ARGUMENTS_AT_ONCE
        listed = tuple(same)
        if isinstance(fact, LooksForEach):  # of one path, all questions side by side; commands run as they are written
            listed = tuple(sorted(same, key=lambda need: need.argument))
        found += [Ask(fact, listed[at : at + size]) for at in range(0, len(listed), size)]
    # User commands go last: one may leave a daemon on the pipe and delay what follows. What waits for others is asked
    # at the same time, side by side, behind what is there at once.
    found.sort(key=lambda ask: ask.fact.turn or (1.0 if ask.fact.alone else ask.fact.at_once and 0.5))
    return found
