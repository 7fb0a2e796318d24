"""An act as a remedy: its options without those that the remedy's word settles, done on the host that failed."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from infratest.acts.base import Act, Waits, perform
from infratest.cleaning import clean, masked
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError, UserError
from infratest.facts.base import Need
from infratest.model import Result
from infratest.quoting import command_line
from infratest.remedies.base import Outcome, Remedy, Surroundings, short_field
from infratest.transports.base import CommandResult, Transport

#: Seconds with which an act is begun at least that waits for its host to come back.
BACK = 60.0


class ActRemedy(Remedy):
    """A remedy that does one act on the host. Made by `remedy_of`."""

    act_class: ClassVar[type[Act]]
    settled: ClassVar[Mapping[str, Any]]

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        values = {field.name: getattr(self.options, field.name) for field in dataclasses.fields(self.options)}
        try:
            self.act = self.act_class(**self.settled, **values)
        except UserError as error:
            raise UserError(f"{self.name}: {error}") from error
        self.seconds = self.act.seconds
        if isinstance(self.act, Waits):
            # Its provider may have to start it again: whoever does that is to be there still.
            self.seconds, self.least = self.seconds + self.act.waits, min(BACK, self.act.waits)

    def describe(self) -> str:
        short = short_field(self.Options)
        return self.name if short is None else f"{self.name} {clean(str(getattr(self.options, short.name)), 80)}"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        name = surroundings.host.name
        if surroundings.transport is None:
            raise HealError(f"{self.describe()}: there is no connection to {name}")
        access = _Access(surroundings, surroundings.transport)
        try:
            words = perform(self.act, access, deadline, deadline)
        except InfratestError as error:
            raise HealError(f"{self.describe()} on {name}: {error}") from error
        finally:
            access.close()
        return Outcome(words=words or "done", command=access.command)


class _Access:
    """What the act works with: the connection that the heal engine has opened, until it is forgotten.

    Args:
        opened: stays open, for it is the engine's own.
    """

    def __init__(self, surroundings: Surroundings, opened: Transport) -> None:
        self.host = surroundings.host.name
        #: The last command, as shell text, for the audit.
        self.command = ""
        self._surroundings = surroundings
        self._transport: Transport | None = opened
        self._ours: Transport | None = None

    def run(self, command: Sequence[str], deadline: Deadline) -> CommandResult:
        words = list(command)
        self.command = masked(words[2] if len(words) == 3 and words[:2] == ["sh", "-c"] else command_line(words))
        if self._transport is None:
            self._transport = self._ours = self._surroundings.connect(deadline)
        return self._transport.run(words, deadline, sudo=self._surroundings.host.sudo)

    def forget(self) -> None:
        self.close()
        self._transport = None

    def start(self, deadline: Deadline) -> None:
        self._surroundings.start(deadline)

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        there = self._surroundings.host.endpoint(port)
        if there is None:
            raise HealError(
                f"port {port} of {self.host} is neither routed nor published: add it to `ports:` of the host"
            )
        return there

    def keep(self, need: Need, value: object) -> None:
        """A heal asks no sentence for what a remedy has measured."""

    def close(self) -> None:
        """Close what was opened here."""
        if self._ours is not None:
            self._ours.close()
            self._ours = None


@cache
def _made(word: str, act: type[Act], settled: tuple[tuple[str, Any], ...]) -> type[ActRemedy]:
    known: Any = act
    hints = typing.get_type_hints(act)
    fields = [
        (field.name, hints[field.name], dataclasses.field(default=field.default, metadata=field.metadata))
        for field in dataclasses.fields(known)
        if field.name not in dict(settled)
    ]
    options: Any = dataclasses.make_dataclass(f"{act.__name__}Options", fields, frozen=True, kw_only=True)
    options.__doc__ = act.__doc__
    members = {"name": word, "Options": options, "usage": _usage(word, options), "act_class": act}
    more = {"settled": dict(settled), "__doc__": act.__doc__, "__module__": act.__module__}
    return type(f"{act.__name__}Remedy", (ActRemedy,), members | more)


def _usage(word: str, options: type[Any]) -> str:
    """Return what the remedy's value must be, in the words of its fields."""
    short = short_field(options)
    if short is None:
        keys = ", ".join(field.name.replace("_", "-") for field in dataclasses.fields(options))
        return f"expected a map of {keys}" if keys else f"takes no options, write `{word}: {{}}`"
    example = short.metadata.get("example")
    return f"expected {short.metadata.get('title', short.name)}" + (f", as `{word}: {example}`" if example else "")


def remedy_of(word: str, act: type[Act], settled: Mapping[str, Any]) -> type[ActRemedy]:
    """Return the remedy that is this act, under its word.

    Args:
        settled: the fields of the act that the word decides; the others are the remedy's options.
    """
    return _made(word, act, tuple(settled.items()))
