"""The end of a run: whatever a connection is doing just then, nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from infratest.deadline import Deadline
from infratest.engine.connections import Connections
from infratest.errors import ConnectionLost
from infratest.hosts import Host
from infratest.transports.base import CommandResult, Transport

SECONDS = 30.0


class Slow(Transport):
    """A transport that is open once it is told to be, and that a `close` before that does not keep from it."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.opening, self.may_open = threading.Event(), threading.Event()
        self.is_open = False

    def open(self, deadline: Deadline) -> None:
        self.opening.set()
        assert self.may_open.wait(SECONDS)
        self.is_open = True

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        raise AssertionError("nothing is asked after the end")

    def close(self) -> None:
        self.is_open = False


def test_a_login_that_outlives_the_run_is_closed_and_not_used() -> None:
    host = Host(name="web")
    slow = Slow(host)
    connections = Connections({"web": host}, lambda host: slow)
    seen: list[Exception] = []

    def uses() -> None:
        try:
            with connections.use("web", Deadline(SECONDS)) as transport:
                transport.run(["true"], Deadline(SECONDS))
        except (ConnectionLost, AssertionError) as error:
            seen.append(error)

    user = threading.Thread(target=uses)
    user.start()
    assert slow.opening.wait(SECONDS)
    connections.close()
    slow.may_open.set()
    user.join(SECONDS)
    assert not user.is_alive()
    assert not slow.is_open
    with pytest.raises(ConnectionLost, match="web: the run ended while it logged in"):
        raise seen[0]
    with connections.use("web", Deadline(SECONDS)) as transport:  # an undo logs in anew
        assert transport is slow
        assert slow.is_open
