"""The fact `http`, from the host (curl) and from the controller, against real servers on this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts.base import Answer, LooksFromController
from infratest.facts.http import HttpFact
from infratest.facts.http.reply import Reply
from tests.facts.odd_answers import LONGER, ODD, OK, SIZED

PAGE = "line one\n.\nurl 7\n|pipe \u00e9\n"


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        host = self.headers["Host"]
        body = {"/vast": "x" * (2**20 + 100_000), "/full": "x" * 2**20, "/host": host}.get(self.path, PAGE).encode()
        status = {"/gone": 410, "/moved": 301}.get(self.path, 200)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Odd", "a: b|c")
        if status == 301:
            self.send_header("Location", "/")
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # who asked had enough

    def log_message(self, format, *arguments):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.example",
         "-addext", "subjectAltName=DNS:shop.example", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return folder


def served(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    server.handle_error = lambda request, address: None  # a client that refuses our certificate is what we want
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def port():
    yield from served()


@pytest.fixture(scope="module")
def tls_port(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    yield from served(context)


@pytest.fixture
def raw():
    """A server that says just these bytes, and then waits: `raw(b"...")` returns its port."""
    made = []

    def listening(words, pause=None):
        server = socket.create_server(("127.0.0.1", 0))
        done = threading.Event()

        def serve():
            try:
                client, _ = server.accept()
            except OSError:
                return
            # One that has read enough goes, and may be gone at any of these steps.
            with client, contextlib.suppress(OSError):
                client.recv(65536)
                for start in range(len(words)) if pause else (0,):
                    client.sendall(words[start : start + 1] if pause else words)
                    if done.wait(pause or 0):
                        return
                if not pause:
                    client.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        made.append((server, done, thread))
        return server.getsockname()[1]

    yield listening
    for server, done, thread in made:
        done.set()
        server.close()
        thread.join(5)


def asked(*urls, env=None, fact=None):
    """Ask curl, as the engine's script would on a host."""
    fact = fact or HttpFact()
    arguments = [(url,) for url in urls]
    done = subprocess.run(
        ["sh", "-c", fact.ask(arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", **(env or {})},
        timeout=60,
    )
    answer = Answer(exit=done.returncode, out=done.stdout.decode("utf-8", "replace"), err=done.stderr.decode())
    return [fact.read(answer, arguments)[argument] for argument in arguments]


def straight(address, port):
    return address, port


def looked(*urls, seconds=20.0, connect=straight, fact=None):
    fact = fact or HttpFact()
    found = fact.look([(url,) for url in urls], Deadline(seconds), connect)
    return [found[url,] for url in urls]


both = pytest.mark.parametrize("from_there", [asked, looked], ids=["host", "controller"])


def test_it_can_look_from_the_controller():
    assert isinstance(HttpFact(), LooksFromController)


@both
def test_an_answer_has_status_headers_and_body(port, from_there):
    page, gone, moved = from_there(*(f"http://127.0.0.1:{port}{path}" for path in ("/", "/gone", "/moved")))
    assert (page.status, page.body, page.unread, page.refused) == (200, PAGE, "", "")
    assert ("x-odd", "a: b|c") in page.headers
    assert 0 < page.seconds < 5
    assert gone.status == 410
    assert moved.status == 301


@both
def test_a_body_is_kept_up_to_one_mebibyte(port, from_there):
    vast, full, page = from_there(*(f"http://127.0.0.1:{port}{path}" for path in ("/vast", "/full", "/")))
    assert (vast.status, len(vast.body), vast.unread) == (200, 2**20, LONGER)
    assert (full.status, len(full.body), full.unread) == (200, 2**20, "")
    assert page.body == PAGE


def test_a_long_answer_is_carried_by_every_shell(port, look):
    url = f"http://127.0.0.1:{port}/full"
    assert len(look("http", (url,))[url,].body) == 2**20


@both
def test_a_query_with_braces_and_blanks_is_data(port, from_there):
    (page,) = from_there(f"http://127.0.0.1:{port}/a[1-3]{{x,y}}?q='$(id)'")
    assert page.status == 200


@both
def test_a_refused_connection_is_seen_as_a_refusal(from_there):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (reply,) = from_there(f"http://127.0.0.1:{free.getsockname()[1]}/")
    assert reply.status is None
    assert reply.silent
    assert "refused" in reply.refused or "Couldn't connect" in reply.refused or "Failed to connect" in reply.refused


@both
def test_a_certificate_that_nobody_vouches_for_is_a_refusal(tls_port, from_there):
    (reply,) = from_there(f"https://127.0.0.1:{tls_port}/")
    assert reply.status is None
    assert "certificate" in reply.refused
    assert not reply.silent


@both
@pytest.mark.parametrize(
    "words, silent",
    [
        (b"", True),
        (b"HTTP/1.1 2", True),  # less than a line of an answer
        (b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour", False),
        (b"\x16\x03nonsense", False),
    ],
)
def test_a_broken_answer_is_a_refusal(raw, from_there, words, silent):
    (reply,) = from_there(f"http://127.0.0.1:{raw(words)}/")
    assert reply.status is None
    assert reply.refused
    assert reply.silent is silent


@both
def test_a_name_that_nobody_knows_is_a_refusal(from_there):
    (reply,) = from_there("http://nosuch.invalid/")
    assert reply.status is None
    assert "resolve" in reply.refused
    assert not reply.silent


def test_the_endpoint_is_connected_to_and_the_host_header_kept(port):
    asked_for = []

    def connect(address, at):
        asked_for.append((address, at))
        return "127.0.0.1", port

    plain, other = looked("http://shop.example/host", "http://shop.example:8080/host", connect=connect)
    assert asked_for == [("shop.example", 80), ("shop.example", 8080)]
    assert plain.body == "shop.example"
    assert other.body == "shop.example:8080"


def test_the_endpoint_is_connected_to_and_the_tls_name_kept(tls_port, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    good, bad = looked(
        "https://shop.example/", "https://other.example/", connect=lambda address, at: ("127.0.0.1", tls_port)
    )
    assert good.status == 200
    assert bad.status is None
    assert "other.example" in bad.refused


def test_a_port_that_the_controller_cannot_reach_is_unknown():
    def connect(address, at):
        raise FactError(f"port {at} of {address} is not published: add it to ports:")

    with pytest.raises(FactError, match="add it to ports"):
        looked("http://10.1.2.3/", connect=connect)


def test_our_own_deadline_is_no_refusal(raw):
    with pytest.raises(DeadlineExceeded):
        looked(f"http://127.0.0.1:{raw(b'HTTP/1.1 200 OK', pause=0.05)}/", seconds=0.3)


class Hasty(HttpFact):
    patience = 0.3


def test_a_server_that_drips_has_an_end(raw):
    (reply,) = looked(f"http://127.0.0.1:{raw(b'HTTP/1.1 200 OK' + b' ' * 1000, pause=0.05)}/", fact=Hasty())
    assert reply.status is None
    assert "no complete answer within 0.3 s" in reply.refused
    assert reply.seconds < 2


def test_no_proxy_is_used(port):
    (page,) = asked(f"http://127.0.0.1:{port}/", env={"http_proxy": "http://127.0.0.1:1/"})
    assert page.status == 200


# Odd answers: whatever a server says, both viewpoints see the same.


@both
@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_the_same_from_everywhere(raw, from_there, name):
    words, expected = ODD[name]
    (reply,) = from_there(f"http://127.0.0.1:{raw(words)}/")
    if expected is None:
        assert (reply.status, bool(reply.refused), reply.silent) == (None, True, False)
        return
    status, body, unread = expected
    assert (reply.status, reply.refused) == (status, "")
    assert reply.unread.startswith(unread)
    assert bool(reply.unread) == bool(unread)
    assert body is None or reply.body == body


@both
def test_headers_are_read_as_the_standard_has_them(raw, from_there):
    said = OK + b"X-A: b \t \r\nx-a:c\r\nX-Fold: one\r\n  two\r\nX-Latin: caf\xe9\r\nX-Empty:\r\n" + SIZED
    (reply,) = from_there(f"http://127.0.0.1:{raw(said)}/")
    assert reply.headers == (
        ("x-a", "b"), ("x-a", "c"), ("x-fold", "one  two"), ("x-latin", "caf\xe9"), ("x-empty", ""),
        ("content-length", "5"),
    )  # fmt: skip


def test_one_url_that_is_odd_or_hangs_takes_no_neighbours_answer_with_it(port, raw):
    hanging = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    urls = [f"http://127.0.0.1:{one.getsockname()[1]}/" for one in hanging]
    odd = raw(b"HTTP/1.1 000 X\r\n\r\n")
    urls += [f"http://127.0.0.1:{odd}/", *[f"http://127.0.0.1:{port}/{number}" for number in range(18)]]
    try:
        replies = asked(*urls, fact=HastyThere())
    finally:
        for one in hanging:
            one.close()
    assert [reply.status for reply in replies] == [None] * 4 + [200] * 18
    assert [reply.silent for reply in replies[:4]] == [True] * 3 + [False]


class HastyThere(HttpFact):
    patience_there = 3


def test_a_server_that_sends_half_a_line_and_waits_is_not_silent(raw):
    url = f"http://127.0.0.1:{raw(b'HTTP/1.1 2', pause=0.3)}/"
    (there,) = asked(url, fact=HastyThere())
    assert (there.status, there.silent) == (None, False)


@both
def test_a_path_is_asked_for_as_it_is_written_in_ascii(raw, from_there):
    for path, asked_for in (("/a/../b?x=\xe9#part", "/a/../b?x=%C3%A9"), ("?q", "/?q"), ("", "/")):
        with socket.create_server(("127.0.0.1", 0)) as server:
            found = []
            thread = threading.Thread(target=lambda server=server, found=found: found.append(_request(server)))
            thread.start()
            (reply,) = from_there(f"http://127.0.0.1:{server.getsockname()[1]}{path}")
            thread.join(10)
        assert reply.status == 204
        assert found == [f"GET {asked_for} HTTP/1.1"]


def _request(server):
    client, _ = server.accept()
    with client:
        said = client.recv(65536)
        client.sendall(b"HTTP/1.1 204 No\r\n\r\n")
    return said.decode().split("\r\n")[0]


def test_what_curl_cannot_do_on_a_host_is_unknown_there_alone():
    answer = Answer(
        0, "url 1\nbytes base64\n.\nurl 2\nbytes base64\nSFRUUC8xLjEgMjA0IE5vDQoNCg==\n.\n",
        "1 77 curl: (77) error setting certificate file\\n=000 0.0 0.0 0.0 0.0 0.0 0=\n"
        "2 0 =204 0.001 0.0009 0.0001 0.0004 0.0008 0=\n",
    )  # fmt: skip
    arguments = [("https://a.example/",), ("https://b.example/",)]
    found = HttpFact().read(answer, arguments)
    assert isinstance(found[arguments[0]], FactError)
    assert found[arguments[1]] == Reply(
        204, 0.001, size=0, lookup=0.0001, first=0.0009,
        connect=pytest.approx(0.0003), handshake=pytest.approx(0.0004),
    )  # fmt: skip
