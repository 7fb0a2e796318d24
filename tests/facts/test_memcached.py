"""The fact `memcached` and its sentences, from the controller and from a host, by a real Memcached."""

from __future__ import annotations

import os
import socket
import subprocess
import threading

import pytest

from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts.base import Answer
from infratest.facts.memcached import MemcachedFact
from tests.facts.test_address import tools
from tests.worlds.asked import ask
from tests.worlds.servers import free_port, memcached


def said(port, *lines):
    """Send commands to a server, and return what it answers until it has hung up."""
    with socket.create_connection(("127.0.0.1", port), 10) as one:
        one.sendall(b"".join(line + b"\r\n" for line in (*lines, b"quit")))
        return b"".join(iter(lambda: one.recv(2**16), b""))


@pytest.fixture(scope="module")
def server():
    """A server with two items, that was asked four times and had what was asked for three times."""
    with memcached("-c", "100") as port:
        words = (b"set a 0 0 1", b"1", b"set b 0 0 1", b"2", b"get a", b"get a", b"get b", b"get c")
        assert said(port, *words).count(b"VALUE") == 3
        yield port


def looked(place, seconds=60):
    return MemcachedFact().look([(place,)], Deadline(seconds), lambda *place: place)[(place,)]


def asked(place, path=None):
    words = ["sh", "-c", MemcachedFact().ask([(place,)])]
    done = subprocess.run(words, env={"PATH": path or os.environ["PATH"]}, capture_output=True, timeout=60)
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    return MemcachedFact().read(answer, [(place,)])[(place,)]


both = pytest.mark.parametrize("view", [asked, looked], ids=["host", "controller"])


@both
def test_a_server_says_what_it_is(server, view):
    stats = view(f"127.0.0.1:{server}")
    names = ("curr_items", "get_hits", "get_misses", "max_connections", "evictions")
    assert [stats.entries[name] for name in names] == ["2", "3", "1", "100", "0"]
    assert not stats.refused


@both
def test_nobody_there_lets_nobody_in(view):
    assert "connection refused" in view(f"127.0.0.1:{free_port()}").refused


def speaking(words, *, then_close=True):
    """Return the port of a server that says this to whoever asks, once."""
    one = socket.create_server(("127.0.0.1", 0))

    def serve():
        with one, one.accept()[0] as other:
            other.recv(1000)
            other.sendall(words)
            if not then_close:
                other.recv(1000)

    threading.Thread(target=serve, daemon=True).start()
    return one.getsockname()[1]


@both
@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak as Memcached does, but says 'HTTP/1.1 400"),
        (b"ERROR\r\n", "does not speak as Memcached"),
        (b"", "hung up"),
        (b"STAT pid 1\r\nSTAT ver", "hung up after 20 bytes"),
    ],
)
def test_what_is_no_answer_of_memcached_is_a_refusal(words, seen, view):
    assert seen in view(f"127.0.0.1:{speaking(words)}").refused


@both
def test_a_server_that_wants_a_login_is_not_known(view):
    failure = view(f"127.0.0.1:{speaking(b'CLIENT_ERROR unauthenticated' + bytes([13, 10]))}")
    assert "wants a login" in str(failure)
    assert isinstance(failure, FactError)


def test_a_silent_server_has_no_more_than_our_own_deadline():
    with pytest.raises(DeadlineExceeded):
        looked(f"127.0.0.1:{speaking(b'STAT pid 1', then_close=False)}", seconds=0.5)


def test_a_host_without_python_says_so(tmp_path):
    with pytest.raises(FactError, match="python3 is not installed on this host"):
        asked("127.0.0.1", tools(tmp_path / "bin", "sh"))


#: What is so of the server.
SENTENCES = {
    "answers": "ok",
    "does not answer": "critical",
    "answers in less than 30 s": "ok",
    'has at least version "1.4"': "ok",
    'does not have at least version "1.4"': "critical",
    'has version "1.4"': "critical",
    'does not have version "1.4"': "ok",
    'has "accepting_conns" equal to "1"': "ok",
    'has "accepting_conns" not equal to "1"': "critical",
    'has "nosuch" equal to "1"': "critical",
    'has "nosuch" not equal to "1"': "critical",
    'has "get_hits" exactly 3': "ok",
    'has "get_hits" more than 3': "critical",
    'has "version" exactly 3': "unknown",
    "has exactly 2 items": "ok",
    "has less than 2 items": "critical",
    "has evicted at most 0 items": "ok",
    "has evicted more than 0 items": "critical",
    "has a hit ratio of at least 75 %": "ok",
    "has a hit ratio of more than 75 %": "critical",
    "uses less than 1 % of its memory": "ok",
    "uses more than 1 % of its memory": "critical",
    "uses less than 50 % of its connections": "ok",
    "uses less than 1 % of its connections": "critical",
}


def test_sentences_are_what_the_server_is(server, tmp_path):
    texts, right = [], []
    for view in ("", " from the host"):
        for text, state in SENTENCES.items():
            texts.append(f'the Memcached server "127.0.0.1:{server}" {text}{view}')
            right.append(state)
    seen = ask(tmp_path, texts)
    differing = [(text, one, state) for text, one, state in zip(texts, seen, right, strict=True) if one[0] != state]
    assert not differing
