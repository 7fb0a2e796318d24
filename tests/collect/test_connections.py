"""The end of a run: whatever a connection is doing just then, nobody waits for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress

import pytest

from infratest.collect.connections import Connections
from infratest.deadline import Deadline
from infratest.errors import ConnectionLost, TransportError
from infratest.hosts import Host
from infratest.stack.open import open_transport
from infratest.transports.base import CommandResult, Transport

SECONDS = 30.0


class Slow(Transport):
    """A transport that is open once it is told to be, or is closed: that does not keep it from being open then."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.opening, self.may_open = threading.Event(), threading.Event()
        self.is_open = False
        self.opened = 0

    def open(self, deadline: Deadline) -> None:
        self.opening.set()
        self.opened += 1
        assert self.may_open.wait(SECONDS)
        self.is_open = True

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        raise AssertionError("nothing is asked after the end")

    def close(self) -> None:
        self.is_open = False
        self.may_open.set()


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
    user.join(SECONDS)
    assert not user.is_alive()
    assert not slow.is_open
    with pytest.raises(ConnectionLost, match="web: the run has ended"):
        raise seen[0]
    with pytest.raises(ConnectionLost, match="web: the run has ended"), connections.use("web", Deadline(SECONDS)):
        pass
    assert slow.opened == 1


def test_who_has_something_to_undo_logs_in_anew_and_nobody_else() -> None:
    host = Host(name="web")
    made: list[Slow] = []

    def make(host: Host) -> Slow:
        made.append(Slow(host))
        made[-1].may_open.set()
        return made[-1]

    connections = Connections({"web": host}, make)
    with connections.use("web", Deadline(SECONDS)):
        pass
    connections.close_to_others()
    assert not made[0].is_open
    seen: list[Exception] = []

    def uses() -> None:
        try:
            with connections.use("web", Deadline(SECONDS)):
                pass
        except ConnectionLost as error:
            seen.append(error)

    for _ in range(2):
        other = threading.Thread(target=uses)
        other.start()
        other.join(SECONDS)
        with connections.use("web", Deadline(SECONDS)) as transport:
            assert transport is made[1]
            assert made[1].is_open
    assert (len(seen), len(made)) == (2, 2)
    connections.close()
    with pytest.raises(ConnectionLost, match="web: the run has ended"), connections.use("web", Deadline(SECONDS)):
        pass


class Late(Slow):
    """A transport whose way to be closed comes some time after its opening has begun, as while routes are read."""

    closings = 0

    def close(self) -> None:
        self.closings += 1
        if self.closings > 3:
            super().close()


def test_a_login_that_was_closed_too_soon_is_closed_again() -> None:
    host = Host(name="web")
    late = Late(host)
    connections = Connections({"web": host}, lambda host: late)
    user = threading.Thread(target=_uses, args=(connections,))
    user.start()
    assert late.opening.wait(SECONDS)
    connections.close()
    user.join(SECONDS)
    assert not user.is_alive()
    assert not late.is_open


@pytest.mark.parametrize("client", ["libssh2", "paramiko"])
@pytest.mark.parametrize("server", ["silent", "deaf"])
def test_a_login_under_way_ends(client: str, server: str) -> None:
    """Of a server that accepts and says nothing, or one whose queue is full so that TCP itself is not answered."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        if server == "deaf":
            for _ in range(2):
                full = stack.enter_context(socket.socket())
                full.setblocking(False)
                full.connect_ex(("127.0.0.1", port))
        options = {"address": "127.0.0.1", "port": port, "config": "none", "agent": False, "client": client}
        options |= {"key": "/nonexistent", "connect-timeout": 600.0, "known-hosts": "/dev/null"}
        host = Host(name="web", options=options)
        made = threading.Event()

        def make(host: Host) -> Transport:
            made.set()
            return open_transport(host)

        connections = Connections({"web": host}, make, 600.0)
        user = threading.Thread(target=_uses, args=(connections,))
        user.start()
        assert made.wait(SECONDS)
        if server == "silent":
            stack.enter_context(listener.accept()[0])  # it is connected, and waits for a word
        connections.close()
        user.join(SECONDS)
        assert not user.is_alive()


def _uses(connections: Connections) -> None:
    with suppress(TransportError), connections.use("web", Deadline(600.0)) as transport:
        transport.run(["true"], Deadline(SECONDS))
