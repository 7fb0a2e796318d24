"""The contract of a remedy: apply. The heal engine decides whether and when; a remedy only acts, on one host."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from infratest.deadline import Deadline
from infratest.hosts import Host
from infratest.model import Result
from infratest.transports.base import Transport


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a remedy may use: the host, a way to it that is open already, and what the stack can do to it.

    Args:
        provision: provisions one host by name again. folder: of the stack file, where relative paths begin.
        environment: the hook's variables (INFRATEST_*, NAGIOS_*). began: told the process of a program that the
        remedy starts on this machine, so that it counts as running while it lives.
    """

    host: Host
    transport: Transport | None
    folder: Path
    provision: Callable[[str, Deadline], str]
    environment: Mapping[str, str]
    began: Callable[[int], None] = lambda pid: None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a remedy did, in words, and the command it ran, masked, for the audit."""

    words: str
    command: str = ""


class Remedy(ABC):
    """One rung of a ladder. Made with the value that stands behind its name in the stack file.

    The constructor raises UserError for a value it cannot use, so that a wrong ladder is refused before anything acts.
    """

    #: Whether it works over a connection to the host; `Surroundings.transport` is then open.
    on_host: bool = True
    #: How long it may take at most.
    seconds: float = 60.0

    def __init__(self, argument: Any) -> None:
        self.argument = argument

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
