"""The contract of a remedy: apply. The heal engine decides whether and when; a remedy only acts, on one host.

A remedy is a file here, where the controller acts, or an act that may be one (`Act.remedies`), where the host is acted
on. `of_other_kinds` makes the second known under its words.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from infratest.deadline import Deadline
from infratest.errors import HealError, UserError
from infratest.hosts import Host
from infratest.model import Result
from infratest.options import build
from infratest.transports.base import Transport

log = logging.getLogger(__name__)


def _no_connection(deadline: Deadline) -> Transport:
    raise HealError("no connection can be made here")


def _nobody(result: Result, to: Sequence[str], deadline: Deadline) -> str:
    raise HealError("there is nobody to tell")


def _no_power(deadline: Deadline) -> str:
    raise HealError("nothing here can stop and start it")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Power:
    """What the host's provider can do to it, where it can.

    Args:
        halt: stops it; fine where it does not run. start: starts it; fine where it runs. state: what it is by the
        provider's word (`hosts.RUNNING`, `hosts.STOPPED` ...). Each raises InfratestError. pause: waits so many
        seconds, by the clock that the provider's hosts boot by.
    """

    halt: Callable[[Deadline], object] = _no_power
    start: Callable[[Deadline], object] = _no_power
    state: Callable[[Deadline], str] = _no_power
    pause: Callable[[float], object] = time.sleep


def _no_fence(deadline: Deadline) -> tuple[bool, str]:
    return False, "nothing here can tell whether it is out of service"


def _no_other(*about: Any) -> str:
    raise HealError("nothing here can make another one in its place")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Replacing:
    """How the host is replaced by another one, where its provider can. Each raises InfratestError.

    Args:
        fenced: whether it is out of service by its provider's word, or is sure to be before it has a successor, and why
        or why not. replace: given for how many seconds the old one is kept, what is called when the successor answers,
        what says why the successor is no better, given the seconds that it may look, and a deadline; returns what was
        done. put_back: the successor goes.
        kept: the provider's id of the old one that is kept, empty where none is.
    """

    fenced: Callable[[Deadline], tuple[bool, str]] = _no_fence
    replace: Callable[[float, Callable[[], None], Callable[[float], str], Deadline], str] = _no_other
    put_back: Callable[[Deadline], str] = _no_other
    kept: Callable[[], str] = str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a remedy may use: the host, a way to it that is open already, and what the stack can do to it.

    Args:
        provision: provisions one host by name again. folder: of the stack file, where relative paths begin.
        environment: the hook's variables (INFRATEST_*, NAGIOS_*). began: called with the process id of a program that
        the remedy starts on this machine, so that it counts as running while it lives.
        connect: returns a new open connection to the host, as after a reboot; whoever calls it closes it.
        start: has the host's provider start it, where its own reboot has ended it. power: stops and starts it by its
        provider. replacing: makes another one in its place. proven: looks again at what failed, and returns why it does
        not hold, or nothing. page: tells receivers, by their names, of a result that no heal has helped, and says who
        was told.
    """

    host: Host
    transport: Transport | None
    folder: Path
    provision: Callable[[str, Deadline], str]
    environment: Mapping[str, str]
    began: Callable[[int], None] = lambda pid: None
    connect: Callable[[Deadline], Transport] = _no_connection
    start: Callable[[Deadline], None] = lambda deadline: None
    power: Power = Power()
    replacing: Replacing = Replacing()
    proven: Callable[[Deadline], str] = lambda deadline: ""
    page: Callable[[Result, Sequence[str], Deadline], str] = _nobody


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a remedy did, in words, and the command it ran, masked, for the audit.

    Args:
        kept: the provider's id of what an undo would bring back, where it has set something aside for that.
    """

    words: str
    command: str = ""
    kept: str = ""


@dataclasses.dataclass(frozen=True)
class NoOptions:
    """The options of a remedy that has none."""


class Remedy(ABC):
    """One rung of a ladder, made with the value that stands behind its name in the stack file.

    That value is a map of its options, a frozen dataclass `Options`; where one of its fields has `short` in its
    metadata, that field's value may stand alone. The constructor raises UserError for a value it cannot use, so that a
    wrong ladder is refused before anything acts.
    """

    #: The word in a ladder.
    name: ClassVar[str]
    Options: ClassVar[type[Any]] = NoOptions
    #: What its value must be, as an error says it after the name: `expected a program, as ...`.
    usage: ClassVar[str] = "takes no options"
    #: Whether it works over a connection to the host; `Surroundings.transport` is then open.
    on_host: bool = True
    #: Whether the host's provider does it, which only does so for who has made the host: it needs no healing mark.
    by_provider: ClassVar[bool] = False
    #: Whether it goes only where the host is out of service, or is sure to be in time (gate `fence`).
    fenced: ClassVar[bool] = False
    #: Whether it applies the host's provisioners, which are then part of what a drill proves and a person approves.
    provisions: ClassVar[bool] = False
    #: Whether it ends with seeing that what failed holds, else takes itself back: its rung's `settle` is a part of it.
    proves: ClassVar[bool] = False
    #: How many seconds it may take at most, and how many a run must have left for it to be begun.
    seconds: float = 60.0
    least: float = 0.0
    #: Why it cannot be undone; where it can, it is one that `Undoes`.
    no_undo: str = "a heal ends with the host as the act left it"

    def __init__(self, argument: Any) -> None:
        self.argument = argument
        self.options = self._options(argument)

    def _options(self, argument: Any) -> Any:
        if isinstance(argument, Mapping):
            return build(self.Options, argument, self.name)
        short = short_field(self.Options)
        if argument is None and short is None:
            return build(self.Options, {}, self.name)
        try:
            if short is None or argument is None:
                raise UserError(f"{self.name}: {argument!r} is no map of options")
            return build(self.Options, {short.name.replace("_", "-"): argument}, self.name)
        except UserError as error:
            raise UserError(f"{self.name}: {self.usage}, found {argument!r}") from error

    @abstractmethod
    def describe(self) -> str:
        """Return what it would do, in a few words: `restart-service nginx`."""

    @abstractmethod
    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        """Do it. Doing it twice must be safe. Raises HealError where it could not be done."""


@runtime_checkable
class Foresees(Protocol):
    """A remedy that can tell, before it is needed, whether what it needs on this machine is there."""

    def foresee(self, folder: Path) -> None:
        """Look, from the stack file's folder, and do nothing. Raises UserError."""


@runtime_checkable
class Undoes(Protocol):
    """A remedy that can be undone; what that needs stands in its options, or with the provider: no crash loses it."""

    def undo_words(self) -> str:
        """Return what undoing it would do, in a few words; empty where its options leave it without."""

    def undo(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        """Undo it. Raises HealError where that could not be done."""


def short_field(options: Any) -> dataclasses.Field[Any] | None:
    """Return the option whose value may stand alone for the whole map, None where there is none."""
    return next((field for field in dataclasses.fields(options) if field.metadata.get("short")), None)


def of_other_kinds() -> Iterator[tuple[str, type[Remedy]]]:
    """Yield each remedy that is an act: its word and its class. An act that cannot be imported here is left out."""
    from infratest.outsiders import get, names
    from infratest.remedies._act import remedy_of

    for name in names("act"):
        try:
            act = get("act", name)
        except ImportError as error:  # the missing library of one plugin breaks no other
            log.warning("act %s cannot be loaded: %s", name, error)
            continue
        for word, settled in act.remedies.items():
            yield word, remedy_of(word, act, settled)
