"""The fact `nats` and its sentences, from the controller and from a host, by real servers with JetStream."""

from __future__ import annotations

import os
import socket
import subprocess
import threading

import pytest

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts.base import Answer
from infratest.facts.nats import NatsFact, nats_address, stream_name
from tests.facts.test_address import tools
from tests.worlds.asked import ask
from tests.worlds.nats_server import nats_servers
from tests.worlds.servers import PASSWORD, free_port

TOKEN = "t0ken-of-the-tests"


@pytest.fixture(scope="module")
def servers():
    for one in (PASSWORD, TOKEN):
        Secret(one)
    with nats_servers(TOKEN) as made:
        yield made


def looked(argument, seconds=60):
    return NatsFact().look([argument], Deadline(seconds), lambda *place: place)[argument]


def asked(argument, path=None):
    done = subprocess.run(
        ["sh", "-s"], input=NatsFact().ask([argument]).encode(), env=os.environ | {"PATH": path or os.environ["PATH"]},
        capture_output=True, timeout=60,
    )  # fmt: skip
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    return NatsFact().read(answer, [argument])[argument]


both = pytest.mark.parametrize("view", [asked, looked], ids=["host", "controller"])


@both
def test_a_server_says_what_its_streams_hold(servers, view):
    url = f"nats://127.0.0.1:{servers.plain}"
    version = subprocess.run(["nats-server", "-v"], capture_output=True, text=True, check=True).stdout
    assert version == f"nats-server: v{view((url, 'server')).version}\n"
    seen = {name: view((url, "stream", name)) for name in ("orders", "none", "nosuch")}
    kept = {name: (one.messages, one.bytes, one.consumers) for name, one in seen.items() if one.there}
    assert kept == servers.streams()
    assert [one[0] for one in kept.values()] == [3, 0]
    message = view((url, "message"))
    assert 0 < message.took <= message.seconds


@both
@pytest.mark.parametrize("login", ["nosuch:wr0ng-one@", "monitor:wr0ng-one@", "shut:PASSWORD@", "other:PASSWORD@"])
def test_a_login_or_a_right_that_is_refused_is_not_known(servers, view, login):
    Secret("wr0ng-one")
    url = f"nats://{login.replace('PASSWORD', PASSWORD)}127.0.0.1:{servers.plain}"
    failure = view((url, "stream", "orders"))
    assert isinstance(failure, FactError)
    assert "could not log in" in str(failure)
    assert "wr0ng-one" not in str(failure)
    assert PASSWORD not in str(failure)


@both
def test_a_token_lets_us_in_and_none_does_not(servers, view):
    assert view((f"nats://:{TOKEN}@127.0.0.1:{servers.token}", "server")).version
    assert isinstance(view((f"nats://127.0.0.1:{servers.token}", "server")), FactError)


@both
@pytest.mark.parametrize("scheme", ["nats", "tls"])
def test_tls_is_used_where_the_server_wants_it(servers, view, scheme, monkeypatch):
    url = f"{scheme}://:{TOKEN}@127.0.0.1:{servers.tls}"
    assert "certificate verify failed" in view((url, "server")).refused
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.authority))
    assert view((url, "server")).version


@both
def test_who_wants_tls_says_nothing_to_a_server_without(servers, view):
    assert "no TLS" in view((f"tls://:{TOKEN}@127.0.0.1:{servers.token}", "server")).refused


@both
def test_nobody_there_lets_nobody_in(view):
    assert "connection refused" in view((f"nats://127.0.0.1:{free_port()}", "server")).refused


INFO = b'INFO {"version": "2.9.10", "headers": true}\r\n'


def speaking(words, *, then_close=True):
    """Return the port of a server that says this to whoever comes, once."""
    one = socket.create_server(("127.0.0.1", 0))

    def serve():
        with one, one.accept()[0] as other:
            other.sendall(words)
            if words or not then_close:  # a server that says nothing is waited for, and one that is to hang up does
                other.recv(1000)

    threading.Thread(target=serve, daemon=True).start()
    return one.getsockname()[1]


@both
@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what answers is no NATS server"),
        (b"\x00\x01", "what answers is no NATS server"),
        (b"", "hung up"),
        (INFO, "hung up"),
        (b"INFO {\r\n", "what answers is no NATS server"),
        (b"INFO {}\r\nPONG\r\n", "what answers is no NATS server"),
        (INFO + b"-ERR 'maximum connections exceeded'\r\n", "maximum connections exceeded"),
        (INFO + b"MSG a 1 99999999\r\n", "a message of 99999999 bytes"),
        (INFO + b"HELO\r\n", "it says 'HELO'"),
    ],
)
def test_what_is_no_server_is_a_refusal(words, seen, view):
    assert seen in view((f"nats://127.0.0.1:{speaking(words)}", "server")).refused


def test_a_silent_server_has_no_more_than_our_own_deadline():
    with pytest.raises(DeadlineExceeded):
        looked((f"nats://127.0.0.1:{speaking(b'', then_close=False)}", "server"), seconds=0.5)


def test_a_host_without_python_says_so(tmp_path):
    with pytest.raises(FactError, match="python3 is not installed on this host"):
        asked(("nats://127.0.0.1", "server"), tools(tmp_path / "bin", "sh"))


@pytest.mark.parametrize("url", ["", "http://x", "nats://", "nats://x/y", "nats://x/?y", "nats://monitor:written@x"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UserError):
        nats_address(url)


@pytest.mark.parametrize("name", ["", "a.b", "a b", "*", ">", "a/b", "a\nb", "x" * 256])
def test_what_is_no_stream_is_refused(name):
    with pytest.raises(UserError):
        stream_name(name)


SENTENCES = {
    'the NATS server "{url}" answers': "ok",
    'the NATS server "{url}" does not answer': "critical",
    'the NATS server "{url}" answers in less than 60 s': "ok",
    'the NATS server "{url}" answers in more than 60 s': "critical",
    'the NATS server "{url}" has at least version "2.0"': "ok",
    'the NATS server "{url}" has at least version "99"': "critical",
    'the NATS server "{url}" does not have version "2.0"': "ok",
    'the NATS server "{url}" delivers a message in less than 60 s': "ok",
    'the NATS server "{url}" delivers a message in more than 60 s': "critical",
    'the stream "orders" of "{url}" exists': "ok",
    'the stream "orders" of "{url}" does not exist': "critical",
    'the stream "nosuch" of "{url}" exists': "critical",
    'the stream "nosuch" of "{url}" does not exist': "ok",
    'the stream "orders" of "{url}" has at most 3 messages': "ok",
    'the stream "orders" of "{url}" has less than 3 messages': "critical",
    'the stream "nosuch" of "{url}" has less than 3 messages': "critical",
    'the stream "orders" of "{url}" has exactly 1 consumer': "ok",
    'the stream "orders" of "{url}" has more than 1 consumer': "critical",
    'the stream "none" of "{url}" is exactly 0 B in size': "ok",
    'the stream "orders" of "{url}" is exactly 0 B in size': "critical",
}


def test_sentences_are_what_the_server_is_and_nobody_is_shown_the_password(servers, tmp_path):
    texts, right = [], []
    url = f"nats://monitor:{{param.password}}@127.0.0.1:{servers.plain}"
    for view in ("", " from the host"):
        for text, state in SENTENCES.items():
            texts.append(f"{text.replace('{url}', url)}{view}")
            right.append(state)
    texts.append(f'the stream "orders" of "nats://other:{{param.password}}@127.0.0.1:{servers.plain}" exists')
    right.append("unknown")
    seen = ask(tmp_path, texts, {"password": PASSWORD})
    differing = [(text, one, state) for text, one, state in zip(texts, seen, right, strict=True) if one[0] != state]
    assert not differing
