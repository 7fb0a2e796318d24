"""What every act must do: change a host, say how that is undone before it does, fail in words, keep its deadline.

A case says how an act is made that works, one that fails and one that takes too long, and how a world looks in which
they can be tried. `Recorder` is the access that the suite hands them: a real shell on this machine, and a record.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from infratest.acts.base import Act, Waits, perform
from infratest.deadline import Deadline
from infratest.errors import ActError, InfratestError, TransportError, UserError
from infratest.facts.base import Need
from infratest.hosts import Host
from infratest.plugins import builtin
from infratest.transports.base import CommandResult, Transport

#: Seconds that an act with a deadline of a fraction of one may really take, on a busy machine.
LONG = 20.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one act is tried.

    Args:
        programs: scripts for PATH, by name, that stand where a host's own would: they keep what they are asked in
        `$LOG`, a file of the case. works, fails, slow: the fields of an act that can be done, that cannot, and that
        does not end by itself; None where there is no such act.
        undoes: the command that undoes the first, word by word, or what returns it in that world; None where nothing is
        to be undone.
        world: brings about what the first one needs, in the folder it is given, and takes it away. refused: fields of
        acts that nobody can mean, each refused when it is made.
        log: what the first one is to have asked of the programs, line by line.
    """

    works: Mapping[str, Any]
    fails: Mapping[str, Any] | None = None
    slow: Mapping[str, Any] | None = None
    undoes: tuple[str, ...] | Callable[[], tuple[str, ...]] | None = None
    refused: Sequence[Mapping[str, Any]] = ()
    programs: Mapping[str, str] = field(default_factory=dict)
    world: Callable[[Path], AbstractContextManager[object]] = nullcontext
    log: Sequence[str] = ()


class Recorder:
    """An access to this machine that keeps the order of things: `run`, `undo`, `forget`, `start`."""

    def __init__(self) -> None:
        self.host = "here"
        self.order: list[str] = []
        self._transport: Transport = builtin("transport", "local")(Host(name=self.host, transport="local"))
        self._transport.open(Deadline(LONG))

    def run(self, command: Sequence[str], deadline: Deadline) -> CommandResult:
        self.order.append("run")
        return self._transport.run(list(command), deadline)

    def forget(self) -> None:
        self.order.append("forget")

    def start(self, deadline: Deadline) -> None:
        self.order.append("start")

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        return address, port

    def keep(self, need: Need, value: object) -> None:
        self.order.append(f"keep {need.fact}")

    def record_undo(self, command: tuple[str, ...]) -> None:
        self.order.append("undo " + " ".join(command))

    def close(self) -> None:
        self._transport.close()


class Gone:
    """An access to a host that does not answer."""

    host = "gone"

    def run(self, command: Sequence[str], deadline: Deadline) -> CommandResult:
        raise TransportError("gone: connection lost")

    def forget(self) -> None:
        return

    def start(self, deadline: Deadline) -> None:
        return

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        raise TransportError("gone: connection lost")

    def keep(self, need: Need, value: object) -> None:
        return


class ActContract:
    """The suite. Fixtures are asked for: `act`, the class; `case`, its Case; `access`, a Recorder in a prepared folder
    whose programs come first in PATH; `log`, the file they write to."""

    def test_its_options_are_a_frozen_dataclass_with_words(self, act: type[Act]) -> None:
        known: Any = act
        for each in dataclasses.fields(known):
            assert each.metadata.get("description"), each.name
        assert known.__dataclass_params__.frozen

    def test_it_says_what_it_costs(self, act: type[Act], case: Case) -> None:
        made = act(**case.works)
        assert made.seconds > 0
        if isinstance(made, Waits):
            assert made.waits > 0

    def test_it_is_done_and_its_undo_is_on_record_before(
        self, act: type[Act], case: Case, access: Recorder, log: Path
    ) -> None:
        perform(act(**case.works), access, Deadline(LONG), Deadline(LONG), access.record_undo)
        undos = [place for place, word in enumerate(access.order) if word.startswith("undo")]
        if case.undoes is None:
            assert undos == []
        else:
            undoes = case.undoes() if callable(case.undoes) else case.undoes
            assert access.order[undos[0]] == "undo " + " ".join(undoes)
            assert "run" in access.order[undos[0] :]
        if case.log:
            assert log.read_text().splitlines() == list(case.log)

    def test_what_must_be_undone_is_not_done_where_nobody_keeps_the_undo(
        self, act: type[Act], case: Case, access: Recorder
    ) -> None:
        if case.undoes is not None:
            with pytest.raises(ActError, match="has to be undone, and nothing here keeps its undo"):
                perform(act(**case.works), access, Deadline(LONG), Deadline(LONG))

    def test_a_failure_is_an_error_with_the_words(self, act: type[Act], case: Case, access: Recorder) -> None:
        if case.fails is not None:
            with pytest.raises(ActError, match=r"no room|not found|is named"):
                perform(act(**case.fails), access, Deadline(LONG), Deadline(LONG), access.record_undo)

    def test_the_deadline_ends_it(self, act: type[Act], case: Case, access: Recorder) -> None:
        if case.slow is not None:
            begun = monotonic()
            with pytest.raises(InfratestError, match="end within"):
                perform(act(**case.slow), access, Deadline(0.3), Deadline(0.3), access.record_undo)
            assert monotonic() - begun < LONG

    def test_a_host_that_does_not_answer_is_no_success(self, act: type[Act], case: Case) -> None:
        with pytest.raises(InfratestError, match="connection lost"):
            perform(act(**case.works), Gone(), Deadline(LONG), Deadline(LONG), lambda command: None)

    def test_fields_that_nobody_can_mean_are_refused_when_it_is_made(self, act: type[Act], case: Case) -> None:
        for fields in case.refused:
            with pytest.raises(UserError):
                act(**fields)

    def test_what_may_be_a_remedy_needs_no_undo(self, act: type[Act], case: Case, access: Recorder) -> None:
        for settled in act.remedies.values():
            made = act(**{**case.works, **settled})
            assert made.undo(access, Deadline(LONG)) is None
