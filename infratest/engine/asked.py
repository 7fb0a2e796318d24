"""What is asked of a host and what came back, as values: one snippet a fact, the table of facts, evidence when wanted.

Called by the collectors (collect.py for many hosts, here.py for this machine), read by the judge. On the plugin
program's path.
"""

from __future__ import annotations

from infratest.builtin import builtin
from infratest.cleaning import clean, written
from infratest.errors import FactError, InfratestError
from infratest.model import Evidence
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from infratest.errors import TransportError
    from infratest.facts.base import Answer, Argument, Fact, Need

    #: What a collection gets done at once: all of a host, by its name; of the controller one need.
    Piece = str | Need
    #: Told of each piece that is done and of what was collected so far, always by the thread that collects.
    Arrived = Callable[[Piece, "Facts"], None]

#: A fact's arguments are asked in snippets of at most so many, so that no shell word grows past the kernel's limit
#: of 128 KiB (MAX_ARG_STRLEN).
ARGUMENTS_AT_ONCE = 200

#: Seconds that one snippet may take on the host, unless the run's deadline is nearer.
SNIPPET_SECONDS = 10.0

#: What a fact's output shows of itself as evidence.
EVIDENCE_LIMIT = 2000


class Facts:
    """What was collected: a value or a failure for each need at each location, and what cannot be asked at all.

    `blocked` holds location -> why nothing could be asked there.
    """

    def __init__(self) -> None:
        self._values: dict[str, dict[Need, Any]] = {}
        self.blocked: dict[str, TransportError] = {}
        self._answers: dict[tuple[str, Need], tuple[Ask, Answer, float]] = {}

    def at(self, location: str) -> dict[Need, Any]:
        """Return what was collected at a location: need -> value or InfratestError."""
        return self._values.setdefault(location, {})

    def answered(self, location: str, ask: Ask, answer: Answer, seconds: float) -> None:
        """Read the answer to a snippet into the table."""
        try:
            values = ask.fact.read(answer, ask.arguments)
        except Exception as error:  # noqa: BLE001 - a fact's own bug is unknown, and must not end the others
            self.failed(location, ask, as_failure(ask.name, error))
            values = {}
        here = self.at(location)
        for need in ask.needs:
            if need.argument in values:
                here[need] = values[need.argument]
            elif need not in here:
                here[need] = FactError(f"{ask.name} gave no answer for {' '.join(need.argument)!r}")
            self._answers[location, need] = (ask, answer, seconds)

    def looked(self, location: str, ask: Ask, values: Mapping[Argument, Any]) -> None:
        """Take what a fact saw without a snippet."""
        here = self.at(location)
        for need in ask.needs:
            if need.argument in values:
                here[need] = values[need.argument]
            else:
                here[need] = FactError(f"{ask.name} gave no answer for {' '.join(need.argument)!r}")

    def failed(self, location: str, ask: Ask, error: InfratestError) -> None:
        self.at(location).update(dict.fromkeys(ask.needs, error))

    def evidence(self, location: str, need: Need) -> Evidence | None:
        """Return what stands behind a value, made when it is wanted: most of it never is."""
        if (location, need) in self._answers:
            ask, answer, seconds = self._answers[location, need]
            answer = ask.fact.shown(answer)
            said = answer.out if answer.exit == 0 or not answer.err else f"{answer.out}\n{answer.err}"
            command = " ".join(need.argument) if ask.fact.alone else f"{need.fact} {' '.join(need.argument)}".strip()
            output = clean(said, EVIDENCE_LIMIT, lines=True)
            return Evidence(need.fact, clean(command, 500), answer.exit, output, seconds)
        value = self.at(location).get(need)
        if value is None or isinstance(value, InfratestError):
            return None
        command = f"{need.fact} {' '.join(need.argument)}".strip()
        return Evidence(need.fact, clean(command, 500), None, clean(written(value), EVIDENCE_LIMIT, lines=True), 0.0)


def as_failure(fact: str, error: Exception) -> InfratestError:
    """Return what a fact raised as a failure of that fact alone."""
    if isinstance(error, InfratestError):
        return error
    return FactError(f"a bug in the fact {fact}: {type(error).__name__}: {error}")


def askable(location: str, wanted: Iterable[Ask], facts: Facts) -> list[tuple[Ask, str]]:
    """Return each ask with its snippet; one that has none for its arguments has failed."""
    found = []
    for ask in wanted:
        try:
            found.append((ask, ask.snippet))
        except Exception as error:  # noqa: BLE001 - a fact's own bug is unknown, and must not end the others
            facts.failed(location, ask, as_failure(ask.name, error))
    return found


class Ask(Record):
    """One fact asked for some of its needs; a user's command is asked alone."""

    fact: Fact
    needs: tuple[Need, ...]

    @property
    def name(self) -> str:
        return self.needs[0].fact

    @derived
    def arguments(self) -> tuple[Argument, ...]:
        return tuple([need.argument for need in self.needs])

    @property
    def unprivileged(self) -> bool:
        return self.fact.unprivileged

    @property
    def snippet(self) -> str:
        # A user's command runs in the user's own language; LC_ALL=C is for our own snippets.
        return ("unset LC_ALL; " if self.fact.alone else "") + self.fact.ask(self.arguments)


def asks(needs: Iterable[Need]) -> list[Ask]:
    """Return what answers all needs: one ask a fact (more past ARGUMENTS_AT_ONCE), then one a command."""
    wanted: dict[str, dict[Need, None]] = {}
    for need in needs:
        wanted.setdefault(need.fact, {})[need] = None
    found = []
    for name, same in wanted.items():
        fact: Fact = builtin("fact", name)()
        size = 1 if fact.alone else ARGUMENTS_AT_ONCE
        listed = tuple(same)
        found += [Ask(fact, listed[at : at + size]) for at in range(0, len(listed), size)]
    # What a user's command does to those behind it (a daemon that holds its output) is no fact's loss.
    found.sort(key=lambda ask: ask.fact.alone)
    return found


def commands(needs: Mapping[str, Iterable[Need]], controller: str) -> dict[str, list[tuple[str, str]]]:
    """Return, for `infratest plan`, what would be asked where: location -> (fact, snippet)."""
    found = {}
    for location, wanted in needs.items():
        if location == controller:
            found[location] = [(need.fact, " ".join(need.argument)) for need in wanted]
        else:
            found[location] = [(ask.name, ask.snippet) for ask in asks(wanted)]
    return found
