"""Connections held from run to run: handed on while the host is what it was, replaced where nothing had begun."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from infratest.collect.connections import Connections, Held
from infratest.deadline import Deadline
from infratest.errors import ConnectionLost
from infratest.hosts import Host
from infratest.transports.base import CommandResult, Transport

SECONDS = 30.0
WEB = Host(name="web", address="192.0.2.1")


class Wire(Transport):
    """A connection that can be cut: before a command begins, or in its middle."""

    keeps = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.is_open, self.cut, self.asked = False, "", list[str]()

    def open(self, deadline: Deadline) -> None:
        self.is_open = True
        self.cost.logins += 1

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        assert self.is_open
        self.asked.append(command[0])
        self.cost.commands += 1
        self.cost.round_trips += 1
        if self.cut:
            error = ConnectionLost("web: lost")
            error.begun = self.cut == "begun"
            raise error
        return CommandResult(exit=0, stdout=b"", stderr=b"", seconds=0.0)

    def close(self) -> None:
        self.is_open = False


class Runs:
    """Runs one after another that hold their connections."""

    def __init__(self) -> None:
        self.held, self.made = Held(), list[Wire]()

    def make(self, host: Host) -> Wire:
        self.made.append(Wire(host))
        return self.made[-1]

    def next(self, host: Host = WEB) -> Connections:
        return Connections({"web": host}, self.make, held=self.held)

    def looks(self, host: Host = WEB) -> tuple[int, int, int]:
        """Look once, in a run of its own; return what that cost."""
        run = self.next(host)
        try:
            run.ask("web", Deadline(SECONDS), lambda wire: wire.run(["look"], Deadline(SECONDS)))
            run.keep()
        finally:
            run.close()
        return run.cost.logins, run.cost.round_trips, run.cost.commands


@pytest.fixture
def runs() -> Runs:
    return Runs()


def test_each_run_costs_what_it_did_itself(runs: Runs) -> None:
    assert [runs.looks() for _ in range(3)] == [(1, 1, 1), (0, 1, 1), (0, 1, 1)]
    assert [wire.is_open for wire in runs.made] == [True]
    runs.held.close()
    assert not runs.made[0].is_open


def test_what_died_before_anything_began_is_asked_again_anew(runs: Runs) -> None:
    runs.looks()
    runs.made[0].cut = "unbegun"
    assert runs.looks() == (1, 2, 2)
    assert [(wire.is_open, wire.asked) for wire in runs.made] == [(False, ["look", "look"]), (True, ["look"])]


def test_what_had_begun_is_not_repeated(runs: Runs) -> None:
    runs.looks()
    runs.made[0].cut = "begun"
    with pytest.raises(ConnectionLost, match="web: lost"):
        runs.looks()
    assert [(wire.is_open, wire.asked) for wire in runs.made] == [(False, ["look", "look"])]
    assert runs.looks() == (1, 1, 1)


def test_a_connection_of_this_run_that_is_lost_is_not_tried_again(runs: Runs) -> None:
    run = runs.next()
    run.ask("web", Deadline(SECONDS), lambda wire: wire.run(["look"], Deadline(SECONDS)))
    runs.made[0].cut = "unbegun"
    with pytest.raises(ConnectionLost, match="web: lost"):
        run.ask("web", Deadline(SECONDS), lambda wire: wire.run(["look"], Deadline(SECONDS)))
    assert len(runs.made) == 1
    run.close()


@pytest.mark.parametrize("cut, wires", [("", 1), ("unbegun", 2), ("begun", 2)])
def test_who_acts_gets_one_that_has_just_answered(runs: Runs, cut: str, wires: int) -> None:
    runs.looks()
    runs.made[0].cut = cut
    run = runs.next()
    for _ in range(2):
        with run.use("web", Deadline(SECONDS)) as wire:
            wire.run(["act"], Deadline(SECONDS))
    assert len(runs.made) == wires
    assert [name for wire in runs.made for name in wire.asked] == ["look", "true", "act", "act"]
    run.close()


@pytest.mark.parametrize("now", [Host(name="web", address="192.0.2.2"), Host(name="web", state="stopped")])
def test_a_host_that_is_another_is_logged_in_to_anew(runs: Runs, now: Host) -> None:
    runs.looks()
    run = runs.next(now)
    assert not runs.made[0].is_open
    run.close()


def test_a_host_that_is_gone_is_let_go_of(runs: Runs) -> None:
    runs.looks()
    Connections({}, runs.make, held=runs.held)
    assert not runs.made[0].is_open


def test_a_run_that_did_not_end_well_leaves_nothing(runs: Runs) -> None:
    runs.looks()
    run = runs.next()
    with run.use("web", Deadline(SECONDS)):
        pass
    run.close()
    assert not runs.made[0].is_open
    assert runs.looks() == (1, 1, 1)
