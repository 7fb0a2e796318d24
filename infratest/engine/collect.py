"""Needs to facts: one script a host (two where sudo is asked for), all hosts at once, the controller beside them.

What comes back is a table of values and failures; nothing is judged here. A host that cannot be asked at all is told
apart from a fact that could not be read: the first blocks results, the second makes one unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from infratest.checks.base import CONTROLLER
from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.engine.connections import Connections
from infratest.engine.script import Question, build, read
from infratest.errors import FactError, InfratestError, TransportError
from infratest.facts.base import Answer, Argument, Connect, Fact, LooksFromController, Need
from infratest.model import Evidence
from infratest.registry import get

log = logging.getLogger(__name__)

#: A fact's arguments are asked in snippets of at most so many, so that no shell word grows past the kernel's limit
#: of 128 KiB (MAX_ARG_STRLEN).
ARGUMENTS_AT_ONCE = 200

#: Seconds that one snippet may take on the host, unless the run's deadline is nearer.
SNIPPET_SECONDS = 10.0

#: What a fact's output shows of itself as evidence.
EVIDENCE_LIMIT = 2000


@dataclass
class Facts:
    """What was collected: a value or a failure for each need at each location, and what cannot be asked at all.

    Args:
        values: (location, need) -> value or InfratestError. evidence: the answer behind a value.
        blocked: location -> why nothing could be asked there.
    """

    values: dict[tuple[str, Need], Any] = field(default_factory=dict)
    evidence: dict[tuple[str, Need], Evidence] = field(default_factory=dict)
    blocked: dict[str, TransportError] = field(default_factory=dict)


class Collector:
    """Collects for one run."""

    def __init__(self, connections: Connections, sudo: Mapping[str, bool], connect: Connect, jobs: int = 16) -> None:
        self._connections = connections
        self._sudo = sudo
        self._connect = connect
        self._pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="infratest")

    def collect(self, needs: Mapping[str, Iterable[Need]], deadline: Deadline) -> Facts:
        """Ask everything at every location and return what came back by the deadline."""
        facts = Facts()
        waiting: dict[str, Future[None]] = {}
        for location, wanted in needs.items():
            if location != CONTROLLER:
                waiting[location] = self._pool.submit(self._host, location, list(wanted), deadline, facts)
        for need in needs.get(CONTROLLER, ()):
            waiting[f"{CONTROLLER} {need}"] = self._pool.submit(self._controller, need, deadline, facts)
        for future in waiting.values():
            future.result()
        return facts

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _host(self, name: str, needs: Sequence[Need], deadline: Deadline, facts: Facts) -> None:
        sudo = self._sudo.get(name, False)
        asks = _asks(needs)
        groups = [[ask for ask in asks if ask.unprivileged or not sudo]]
        if sudo:
            groups.append([ask for ask in asks if not ask.unprivileged])
        for group, as_root in zip(groups, (False, True), strict=False):
            if group and name not in facts.blocked:
                self._ask(name, group, as_root, deadline, facts)

    def _ask(self, name: str, asks: Sequence[_Ask], sudo: bool, deadline: Deadline, facts: Facts) -> None:
        seconds = max(1.0, min(SNIPPET_SECONDS, deadline.left - 1))
        script = build([Question(ask.snippet, seconds, ask.fact.alone) for ask in asks])
        started = monotonic()
        failure: TransportError | None = None
        try:
            with self._connections.use(name, deadline) as transport:
                result = transport.run(["env", "LC_ALL=C", "sh"], deadline, script.text, sudo)
                output, words = result.stdout, clean(result.stderr.decode("utf-8", "replace"), 300)
        except TransportError as error:
            failure, output, words = error, error.partial, ""
        answers = read(script, output)
        if failure is not None and not any(isinstance(answer, Answer) for answer in answers):
            facts.blocked[name] = failure
            return
        took = monotonic() - started
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, Answer):
                ask.read(name, answer, took, facts)
            else:
                told = failure or answer
                ask.failed(name, type(told)(f"{told}{f': {words}' if words else ''}"), facts)

    def _controller(self, need: Need, deadline: Deadline, facts: Facts) -> None:
        fact = get("fact", need.fact)()
        key = (CONTROLLER, need)
        if not isinstance(fact, LooksFromController):
            facts.values[key] = FactError(f"{need.fact} cannot be looked at from the controller; leave `from` out")
            return
        started = monotonic()
        try:
            value = fact.look([need.argument], deadline, self._connect)[need.argument]
        except InfratestError as error:
            facts.values[key] = error
            return
        facts.values[key] = value
        words = clean(f"{need.fact} {' '.join(need.argument)}", EVIDENCE_LIMIT)
        facts.evidence[key] = Evidence(need.fact, words, None, clean(str(value), EVIDENCE_LIMIT), monotonic() - started)


@dataclass(frozen=True)
class _Ask:
    """One snippet of one fact, and what to do with its answer."""

    name: str
    fact: Fact
    arguments: tuple[Argument, ...]
    snippet: str

    @property
    def unprivileged(self) -> bool:
        return self.fact.unprivileged

    def read(self, location: str, answer: Answer, seconds: float, facts: Facts) -> None:
        try:
            values = self.fact.read(answer, self.arguments)
        except InfratestError as error:
            self.failed(location, error, facts)
            values = {}
        for argument in self.arguments:
            key = (location, Need(self.name, argument))
            if argument in values:
                facts.values[key] = values[argument]
            elif key not in facts.values:
                facts.values[key] = FactError(f"{self.name} gave no answer for {' '.join(argument)!r}")
            said = answer.out if answer.exit == 0 or not answer.err else f"{answer.out}\n{answer.err}"
            command = " ".join(argument) if self.fact.alone else f"{self.name} {' '.join(argument)}".strip()
            facts.evidence[key] = Evidence(
                self.name, clean(command, 500), answer.exit, clean(said, EVIDENCE_LIMIT, lines=True), seconds
            )

    def failed(self, location: str, error: InfratestError, facts: Facts) -> None:
        for argument in self.arguments:
            facts.values[location, Need(self.name, argument)] = error


def _asks(needs: Sequence[Need]) -> list[_Ask]:
    """Return the snippets that answer all needs: one a fact (more past ARGUMENTS_AT_ONCE), one a command."""
    wanted: dict[str, dict[Argument, None]] = {}
    for need in needs:
        wanted.setdefault(need.fact, {})[need.argument] = None
    asks = []
    for name, arguments in wanted.items():
        fact: Fact = get("fact", name)()
        size = 1 if fact.alone else ARGUMENTS_AT_ONCE
        listed = list(arguments)
        for start in range(0, len(listed), size):
            part = tuple(listed[start : start + size])
            # A user's command runs in the user's own language; LC_ALL=C is for our own snippets.
            own = "unset LC_ALL; " if fact.alone else ""
            asks.append(_Ask(name, fact, part, own + fact.ask(part)))
    return asks


def commands(needs: Mapping[str, Iterable[Need]]) -> dict[str, list[tuple[str, str]]]:
    """Return, for `infratest plan`, what would be asked where: location -> (fact, snippet)."""
    found = {}
    for location, wanted in needs.items():
        if location == CONTROLLER:
            found[location] = [(need.fact, " ".join(need.argument)) for need in wanted]
        else:
            found[location] = [(ask.name, ask.snippet) for ask in _asks(list(wanted))]
    return found
