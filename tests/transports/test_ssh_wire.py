"""Waiting for an answer that comes in pieces until about all of it is there: bytes counted on real TCP connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from infratest.deadline import Deadline
from infratest.transports.ssh.wire import Wire

LONG = 20.0


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    """A wire that is joined with its connection, and the server's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tcp = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire = Wire(tcp)
    wire.join()
    with server:
        yield wire, server
        wire.close()


def unread(wire: Wire) -> int:
    try:
        return len(wire.end.recv(100_000, socket.MSG_PEEK))
    except BlockingIOError:
        return 0


def test_many_pieces_are_waited_for_at_once(ends: tuple[Wire, socket.socket]) -> None:
    wire, server = ends
    seen: list[int] = []

    def gather() -> None:
        wire.gather(9000, Deadline(LONG))
        seen.append(unread(wire))

    waiting = threading.Thread(target=gather)
    waiting.start()
    for _ in range(10):
        assert seen == []  # 9000 bytes are not there before the tenth piece
        server.sendall(b"x" * 900)
    waiting.join(LONG)
    assert seen == [9000]


def test_less_than_was_expected_is_left_for_who_reads_at_the_deadline(ends: tuple[Wire, socket.socket]) -> None:
    wire, server = ends
    server.sendall(b"x" * 900)
    wire.gather(9000, Deadline(0.05))
    wire.wait(Deadline(LONG))  # any byte counts again
    assert unread(wire) == 900


def test_a_connection_that_ends_is_not_waited_for(ends: tuple[Wire, socket.socket]) -> None:
    wire, server = ends
    server.sendall(b"x" * 900)
    server.shutdown(socket.SHUT_WR)
    deadline = Deadline(LONG)
    wire.gather(9000, deadline)
    assert not deadline.passed
    assert unread(wire) == 900


def test_who_closes_the_connection_ends_the_wait(ends: tuple[Wire, socket.socket]) -> None:
    wire, _ = ends
    deadline = Deadline(LONG)
    waiting = threading.Thread(target=wire.gather, args=(9000, deadline))
    waiting.start()
    wire.cut()
    waiting.join(LONG)
    assert not deadline.passed
    assert not waiting.is_alive()
