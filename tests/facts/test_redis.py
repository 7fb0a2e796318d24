"""The fact `redis` and its sentences, from the controller and from a host, by a real Redis and its replica."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading

import pytest

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts.base import Answer
from infratest.facts.redis import RedisFact, redis_address
from infratest.testing.waiting import wait_until
from tests.facts.test_address import tools
from tests.worlds.asked import ask
from tests.worlds.servers import PASSWORD, free_port, redis, sentinel


def told(port, *words):
    environment = os.environ | {"REDISCLI_AUTH": PASSWORD}
    done = subprocess.run(["redis-cli", "-p", str(port), *words], env=environment, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def servers():
    Secret(PASSWORD)
    limits = ("--maxmemory", "100mb", "--databases", "4")
    with redis(*limits, password=PASSWORD) as primary:
        for words in (("SET", "a", "1"), ("SET", "b", "2"), ("-n", "1", "SET", "c", "3")):
            assert "OK" in told(primary, *words)
        with redis("--replicaof", "127.0.0.1", str(primary), password=PASSWORD) as copy, redis() as plain:
            wait_until(lambda: "master_link_status:up" in told(copy, "INFO"), 30)
            yield primary, copy, plain


def looked(url, seconds=60):
    return RedisFact().look([(url,)], Deadline(seconds), lambda *place: place)[(url,)]


def asked(url, path=None):
    words = ["sh", "-c", RedisFact().ask([(url,)])]
    done = subprocess.run(words, env={"PATH": path or os.environ["PATH"]}, capture_output=True, timeout=60)
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    return RedisFact().read(answer, [(url,)])[(url,)]


both = pytest.mark.parametrize("view", [asked, looked], ids=["host", "controller"])


@both
def test_a_server_says_what_it_is(servers, view):
    info = view(f"redis://:{PASSWORD}@127.0.0.1:{servers[0]}")
    assert (info.entries["tcp_port"], info.entries["role"], info.entries["db0"].partition(",")[0]) == (
        str(servers[0]), "master", "keys=2",
    )  # fmt: skip
    assert not info.refused
    assert info.seconds is not None
    assert view(f"redis://127.0.0.1:{servers[2]}").entries["tcp_port"] == str(servers[2])


@both
@pytest.mark.parametrize("login", ["", "nosuch:wr0ng-one@", ":wr0ng-one@"])
def test_a_login_that_is_refused_is_not_known(servers, view, login):
    Secret("wr0ng-one")
    failure = view(f"redis://{login}127.0.0.1:{servers[0]}")
    assert isinstance(failure, FactError)
    assert "could not log in" in str(failure)
    assert "wr0ng-one" not in str(failure)


@both
def test_nobody_there_lets_nobody_in(view):
    assert "refused" in view(f"redis://127.0.0.1:{free_port()}").refused.lower()


def speaking(words, *, then_close=True):
    """Return the port of a server that says this to whoever comes, once."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with server, server.accept()[0] as one:
            one.recv(1000)
            one.sendall(words)
            if not then_close:
                one.recv(1000)

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak as Redis"),
        (b"", "hung up"),
        (b"$100\r\nredis_version:7", "hung up"),
        (b"$32\r\nredis_version:7.0.0\r\nloading:1\r\n\r\n", "loading its data"),
        (b"-BUSY Redis is busy running a script.\r\n", "it says 'BUSY Redis"),
        (b"-ERR max number of clients reached\r\n", "it says 'ERR max"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "it says 'LOADING Redis"),
        (b"ERROR\r\n", "does not speak as Redis"),
    ],
)
def test_what_is_no_answer_of_redis_is_a_refusal(words, seen):
    assert seen in looked(f"redis://127.0.0.1:{speaking(words)}").refused


def test_an_answer_without_an_end_is_not_known():
    failure = looked(f"redis://127.0.0.1:{speaking(b'$999999' + bytes([13, 10]) + b'x' * 300000)}")
    assert isinstance(failure, FactError)


@both
def test_a_server_whose_info_has_another_name_is_not_known(view):
    with redis("--rename-command", "INFO", "TOLD") as port:
        failure = view(f"redis://127.0.0.1:{port}")
    assert isinstance(failure, FactError)
    assert "does not say how it is (INFO)" in str(failure)


def let_in(port):
    """Connect, as soon as nobody else is counted who looked whether it listens."""
    one = socket.create_connection(("127.0.0.1", port))
    with contextlib.suppress(ConnectionError):
        one.sendall(b"PING\r\n")
        if one.recv(100) == b"+PONG\r\n":
            return one
    one.close()
    return None


def test_a_server_that_serves_one_client_and_one_that_is_busy_answer_nobody_else():
    for options, said, words in (
        (("--maxclients", "1"), b"PING\r\n", "max number of clients"),
        (("--busy-reply-threshold", "1"), b"EVAL 'while true do end' 0\r\n", "BUSY"),
    ):
        with redis(*options) as port, wait_until(lambda port=port: let_in(port), 60) as first:
            first.sendall(said)
            for view in (looked, asked):
                wait_until(lambda view=view, port=port: view(f"redis://127.0.0.1:{port}").refused, 60)
                assert words in view(f"redis://127.0.0.1:{port}").refused
            told(port, "SCRIPT", "KILL")


def test_keys_of_who_does_not_tell_of_them_are_unknown_and_not_none(tmp_path):
    """A Sentinel is a Redis without a keyspace, and a proxy before one may leave any section out."""
    version, replies = "redis_version:7.0.15", {}
    for name, rows in {
        "without": "",
        "empty": "# Keyspace\r\n",
        "one": "# Keyspace\r\ndb0:keys=1,expires=0\r\n",
    }.items():
        text = f"# Server\r\n{version}\r\n{rows}"
        replies[name] = speaking(f"${len(text)}\r\n{text}\r\n".encode())
    with sentinel() as port:
        ports = replies | {"sentinel": port}
        texts = [f'the Redis server "redis://127.0.0.1:{each}" has exactly 0 keys' for each in ports.values()]
        texts.append(f"{texts[-1]} from the host")
        seen = [state for state, _ in ask(tmp_path, texts, {})]
    assert seen == ["unknown", "ok", "critical", "unknown", "unknown"]


def test_a_silent_server_has_no_more_than_our_own_deadline():
    with pytest.raises(DeadlineExceeded):
        looked(f"redis://127.0.0.1:{speaking(b'$10', then_close=False)}", seconds=0.5)


def test_a_host_without_the_client_says_so(tmp_path):
    with pytest.raises(FactError, match="redis-cli is not installed on this host"):
        asked("redis://cache", tools(tmp_path / "bin", "sh"))


@pytest.mark.parametrize("url", ["", "http://x", "redis://", "redis://x/y", "redis://x/0?y", "redis://:written@x"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UserError):
        redis_address(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("cache:6379", 'the Redis server "cache:6379": expected an address as redis://cache:6379'),
        ("u:written@cache", 'the Redis server "u@cache": expected an address as redis://cache:6379'),
        ("redis://ca%63he", "expected an address as redis://cache:6379, without the character '%'"),
        ("redis://u\t@cache", "expected an address as redis://cache:6379, without the character '\\t'"),
    ],
)
def test_what_is_no_address_is_named_as_it_was_written(url, words):
    with pytest.raises(UserError) as caught:
        redis_address(url)
    assert words in str(caught.value)
    assert "written" not in str(caught.value)


#: What is so of the primary and of its replica.
SENTENCES = {
    "answers": ("ok", "ok"),
    "does not answer": ("critical", "critical"),
    "answers in less than 30 s": ("ok", "ok"),
    'has at least version "6.0"': ("ok", "ok"),
    'has version "6.0"': ("critical", "critical"),
    'has "role" equal to "master"': ("ok", "critical"),
    'has "role" not equal to "master"': ("critical", "ok"),
    'has "master_link_status" equal to "up"': ("critical", "ok"),
    'has "master_link_status" not equal to "up"': ("critical", "critical"),
    'has "connected_slaves" exactly 1': ("ok", "critical"),
    'has "role" exactly 1': ("unknown", "unknown"),
    "has exactly 3 keys": ("ok", "ok"),
    "has less than 3 keys": ("critical", "critical"),
    "uses less than 50 MiB of memory": ("ok", "ok"),
    "uses more than 50 MiB of memory": ("critical", "critical"),
    "uses less than 50 % of its memory": ("ok", "critical"),
    "is a replica": ("critical", "ok"),
    "is not a replica": ("ok", "critical"),
}


def test_sentences_are_what_the_servers_are_and_nobody_is_shown_the_password(servers, tmp_path):
    texts, right = [], []
    for view in ("", " from the host"):
        for text, states in SENTENCES.items():
            for port, state in zip(servers, states, strict=False):
                texts.append(f'the Redis server "redis://:{{param.password}}@127.0.0.1:{port}" {text}{view}')
                right.append(state)
        for name, state in (("0", "critical"), ("1", "ok"), ("3", "critical")):
            texts.append(
                f'the Redis server "redis://:{{param.password}}@127.0.0.1:{servers[0]}/{name}" has exactly 1 keys{view}'
            )
            right.append(state)
        for claim in ("answers", "does not answer"):
            texts.append(f'the Redis server "redis://127.0.0.1:{servers[0]}" {claim}{view}')
            right.append("unknown")
    seen = ask(tmp_path, texts, {"password": PASSWORD})
    differing = [(text, one, state) for text, one, state in zip(texts, seen, right, strict=True) if one[0] != state]
    assert not differing
