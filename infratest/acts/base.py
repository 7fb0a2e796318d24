"""The contract of an act: a change to one host, how it is undone, what it costs, and what to wait for.

A sentence after *When* makes an act, and a remedy on a host is one. Whoever acts calls `perform`, so that the order is
the same everywhere: the undo is on record first, then comes the change, then the wait for what it brings about.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import ActError
from infratest.facts.base import Need
from infratest.transports.base import CommandResult

#: Characters of what a command printed that a message shows.
LONGEST = 500


class Access(Protocol):
    """What an act does its work with on one host."""

    @property
    def host(self) -> str:
        """The name of the host."""

    def run(self, command: Sequence[str], deadline: Deadline) -> CommandResult:
        """Run an argument list, as root where the host says sudo. Raises TransportError: the host did not answer."""

    def forget(self) -> None:
        """Let go of the connection: the next command connects anew, to the host as it is then."""

    def start(self, deadline: Deadline) -> None:
        """Have the host's provider start it, where its own reboot has ended it (container engines do that)."""

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        """Return how the controller reaches a port of a host. Raises FactError: neither routed nor published."""

    def keep(self, need: Need, value: object) -> None:
        """Keep what the act has measured, as what is so, for the sentences after it in its scenario."""


class Act(ABC):
    """A change to one host. A frozen dataclass: its fields are its options, checked when it is made.

    `remedies` makes it a remedy as well: the word in a rule's ladder -> the fields that this word settles. What is
    left of the fields is the remedy's argument; the one with `short` in its metadata may stand alone. Only what needs
    no undo may be a remedy, since a heal ends with the host as the act left it.
    """

    #: Seconds that it may take at most.
    seconds: ClassVar[float] = 60.0
    remedies: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @abstractmethod
    def apply(self, access: Access, deadline: Deadline) -> str:
        """Do it, and return what was printed, in a line.

        Raises:
            ActError: it could not be done. InfratestError: nor could it be tried.
        """

    def undo(self, access: Access, deadline: Deadline) -> tuple[str, ...] | None:
        """Return the command that undoes it, as things stand now, before it; None where nothing is to be undone."""
        return None


@runtime_checkable
class Waits(Protocol):
    """An act that is over only when the host has become what the act makes of it."""

    #: Seconds that this may take at most, after the act.
    waits: ClassVar[float]

    def before(self, access: Access, deadline: Deadline) -> str:
        """Return how things are now, before the act, to compare with. Raises ActError: that cannot be seen."""

    def wait(self, access: Access, before: str, deadline: Deadline) -> None:
        """Return when the change has come about. Raises TransportError, ActError: it did not."""


@runtime_checkable
class OfAddress(Protocol):
    """An act on what is offered at an address: done once, to the host of the stack that has it, and to no other."""

    @property
    def address(self) -> str:
        """The name or address of a host."""


@runtime_checkable
class Guarded(Protocol):
    """An act that not every host may be done to: one that changes what a host may share with others."""

    def guard(self, access: Access, deadline: Deadline) -> None:
        """Return if the host has for itself what this changes; asked before a scenario's first line.

        Raises:
            ActError: it is shared, with what would help. InfratestError: that cannot be seen.
        """


def perform(
    act: Act,
    access: Access,
    deadline: Deadline,
    until: Deadline,
    record_undo: Callable[[tuple[str, ...]], None] | None = None,
) -> str:
    """Do an act on a host and return what was printed.

    Args:
        deadline: of the act itself. until: of the wait for what it brings about.
        record_undo: writes down the command that undoes it; when it returns, a crash can no longer lose the undo.
        Without it an act that would have to be undone is refused.
    Raises:
        ActError: it could not be done. TransportError: the host did not answer, or did not come back.
    """
    undo = act.undo(access, deadline)
    if undo is not None:
        if record_undo is None:
            raise ActError(f"{type(act).__name__} has to be undone, and nothing here keeps its undo: not done")
        record_undo(undo)
    if not isinstance(act, Waits):
        return act.apply(access, deadline)
    before = act.before(access, deadline)
    printed = act.apply(access, deadline)
    act.wait(access, before, until.at_most(act.waits))
    return printed


def succeeded(result: CommandResult, what: str) -> str:
    """Return what a command printed, in a line.

    Args:
        what: the command in a few words, for the message.
    Raises:
        ActError: its exit status is not 0; with what it printed.
    """
    words = clean(decoded(result.stderr or result.stdout), LONGEST)
    if result.exit != 0:
        raise ActError(f"{what}: exit {result.exit}: {words or 'it printed nothing'}")
    return words
