"""Conversations with one server take turns: a few at a time, each with its own time, and one that hangs is seen."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from infratest.deadline import Deadline
from infratest.facts import _outside
from infratest.facts._outside import FAILED, MUTE, OPEN, SIDE_BY_SIDE
from infratest.facts.base import LooksFromController
from infratest.plugins import builtin

#: Seconds in which a conversation ends on a machine that is busy: none is taken for one that hangs.
UNHURRIED = 60.0


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_outside, "STALLED", UNHURRIED)


class Server:
    """A server on the loopback that greets by `greet`, and counts who is let in and has not gone yet."""

    def __init__(self, greet: Callable[[socket.socket], None]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.greet, self.lock, self.here, self.most = greet, threading.Lock(), 0, 0

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                one = self.listener.accept()[0]
                threading.Thread(target=self.talk, args=(one,), daemon=True).start()

    def talk(self, one: socket.socket) -> None:
        with self.lock:
            self.here += 1
            self.most = max(self.most, self.here)
        with closing(one), suppress(OSError):
            self.greet(one)
            with self.lock:  # before the greeting's end is there: who has it goes, and another may come
                self.here -= 1
            one.sendall(b"\n")


@contextmanager
def served(greet: Callable[[socket.socket], None]) -> Iterator[Server]:
    server = Server(greet)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        server.listener.close()


def greetings(port: int, count: int, seconds: float) -> list[tuple[str, float]]:
    """Ask for so many greetings at once: the outcome of each, and how long it took."""
    with ThreadPoolExecutor(count) as threads:
        return [seen[:2] for seen in threads.map(lambda _: _outside.greeting("127.0.0.1", port, seconds), range(count))]


@pytest.mark.usefixtures("unhurried")
def test_a_server_has_a_few_conversations_at_a_time_and_is_measured_from_the_turn_on() -> None:
    with served(lambda one: time.sleep(0.2)) as server:
        began = time.monotonic()
        seen = greetings(server.port, 5 * SIDE_BY_SIDE, 30)
        took = time.monotonic() - began
    assert [outcome for outcome, _ in seen] == [OPEN] * len(seen)
    assert server.most == SIDE_BY_SIDE
    assert sum(seconds for _, seconds in seen) <= SIDE_BY_SIDE * took  # of whom waits, too, it would be more


#: By protocol, the fact and what it is asked about a server at PORT, each time about another N.
QUESTIONS = {
    "smtp": ("mail-server", "smtp://127.0.0.1:PORT", "recipient <> N@mail.example"),
    "ldap": ("ldap", "ldap://127.0.0.1:PORT", "entry 1.1 cn=N"),
    "ftp": ("remote-file", "ftp://127.0.0.1:PORT/N", "file"),
    "redis": ("redis", "redis://127.0.0.1:PORT/N"),
    "postgresql": ("database", "postgresql://monitor@127.0.0.1:PORT/shop", "SELECT N"),
    "mysql": ("database", "mysql://monitor@127.0.0.1:PORT/shop", "SELECT N"),
    "ssh": ("ssh-server", "127.0.0.1:PORT"),
    "memcached": ("memcached", "127.0.0.1:PORT"),
    "nats": ("nats", "nats://127.0.0.1:PORT", "server"),
    "amqp": ("amqp", "amqp://127.0.0.1:PORT/", "broker"),
    "mqtt": ("mqtt", "mqtt://127.0.0.1:PORT", "broker"),
    "greeting": ("greeting", "127.0.0.1:PORT"),
}


def questions(protocol: str, port: int) -> tuple[LooksFromController, list[tuple[str, ...]]]:
    name, *words = QUESTIONS[protocol]
    fact = builtin("fact", name)()
    assert isinstance(fact, LooksFromController)
    count = 3 * SIDE_BY_SIDE
    return fact, [tuple(word.replace("PORT", str(port)).replace("N", str(n)) for word in words) for n in range(count)]


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("protocol", QUESTIONS)
def test_from_the_controller_a_server_has_a_few_at_a_time_by_each_protocol(protocol: str) -> None:
    with served(lambda one: time.sleep(0.1)) as server:
        fact, arguments = questions(protocol, server.port)
        with ThreadPoolExecutor(len(arguments)) as threads:
            list(threads.map(lambda one: fact.look([one], Deadline(60), lambda *place: place), arguments))
    assert server.most == SIDE_BY_SIDE


@pytest.mark.parametrize("protocol", ["smtp", "ldap", "ftp"])
def test_from_a_host_a_server_has_a_few_at_a_time(protocol: str) -> None:
    with served(lambda one: time.sleep(0.1)) as server:
        fact, arguments = questions(protocol, server.port)
        hurried, unhurried = "STALLED, LATER, ENOUGH = 1.0", f"STALLED, LATER, ENOUGH = {UNHURRIED}"
        text = fact.ask(arguments)
        assert hurried in text
        subprocess.run(["sh", "-c", text.replace(hurried, unhurried)], check=True, capture_output=True, timeout=60)
    assert server.most == SIDE_BY_SIDE


def test_another_server_waits_for_none() -> None:
    with served(lambda one: time.sleep(0.2)) as first, served(lambda one: None) as second, ExitStack() as turns:
        for _ in range(SIDE_BY_SIDE):
            turns.enter_context(_outside.Turn("127.0.0.1", first.port, 60))
        with _outside.Turn("127.0.0.1", second.port, 60) as turn:
            assert turn.seconds == 60  # at once, with all of its time


def test_a_server_that_hangs_keeps_nobody_from_seeing_that() -> None:
    ended = threading.Event()
    with served(lambda one: ended.wait() and None) as server:
        began = time.monotonic()
        seen = greetings(server.port, 5 * SIDE_BY_SIDE, 2.0)
        took = time.monotonic() - began
        ended.set()
    assert [outcome for outcome, _ in seen] == [MUTE] * len(seen)
    assert took < 2 * 2.0 + 4  # one after the other it would be ten


@pytest.mark.parametrize(("seconds", "outcome"), [(100.0, MUTE), (0.2, FAILED)])
def test_silence_says_nothing_where_the_turn_came_too_late(seconds: float, outcome: str) -> None:
    turn = _outside.Turn("127.0.0.1", 1, 100.0)
    turn.seconds = seconds
    assert turn.outcome(MUTE, "")[0] == outcome
    assert turn.outcome(OPEN, "")[0] == OPEN


def test_nothing_is_kept_of_a_server_that_nobody_asks() -> None:
    with _outside.Turn("127.0.0.1", 1, 1):
        assert ("127.0.0.1", 1) in _outside._queues
    assert ("127.0.0.1", 1) not in _outside._queues
