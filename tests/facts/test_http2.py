"""HTTP/2 as nginx speaks it, and as others pretend to: from the host, by curl, and from the controller."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading

import pytest

from infratest.errors import UserError
from infratest.facts.http.request import Request
from tests.facts.http_both_ways import both, looked
from tests.worlds.tls_servers import Authority, authority, free_ports, running

#: Frames: the server's settings; our request's answer `200`, by HPACK's static table; data that end it.
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
HEADERS, ONLY_HEADERS = b"\0\0\x01\x01\x04\0\0\0\x01\x88", b"\0\0\x01\x01\x05\0\0\0\x01\x88"
DATA = b"\0\0\x05\0\x01\0\0\0\x01hello"


def goaway(last: int, code: int) -> bytes:
    return b"\0\0\x08\x07\0\0\0\0\0" + last.to_bytes(4, "big") + code.to_bytes(4, "big")


def reset(code: int) -> bytes:
    return b"\0\0\x04\x03\0\0\0\0\x01" + code.to_bytes(4, "big")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Authority:
    return authority(tmp_path_factory.mktemp("http2"))


@pytest.fixture(scope="module")
def ports(made):
    """nginx with HTTP/2, with HTTP/1.1 alone, and with HTTP/2 for one request a connection."""
    ports, folder = dict(zip(("second", "first", "one"), free_ports(3), strict=True)), made.folder
    locations = (
        'location / { add_header X-Odd "a: b|c"; return 200 "$server_protocol $request_method $http_x_asked"; }\n'
        "location /moved { return 302 /there; }\nlocation /gone { return 410; }\nlocation /empty { return 204; }\n"
        f"location /vast {{ root {folder}; }}\nlocation /sent {{ client_max_body_size 1m; proxy_pass"
        f" https://127.0.0.1:{ports['first']}/length; }}\n"
        'location /length { return 200 "$http_content_length"; }\n'
    )
    (folder / "vast").write_text("x" * (2**20 + 100_000))
    files = f"ssl_certificate {folder}/leaf.pem; ssl_certificate_key {folder}/leaf.key;"
    more = {"second": ("http2", ""), "first": ("", ""), "one": ("http2", "keepalive_requests 1;")}
    servers = "".join(
        f"server {{ listen 127.0.0.1:{ports[name]} ssl {version}; {files} {words}\n{locations} }}\n"
        for name, (version, words) in more.items()
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\nevents {{}}\n"
        f"http {{ access_log off; {places}\n{servers}}}\n"
    )
    words = ("nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/nginx.log")
    with running(*words, ports=tuple(ports.values())):
        yield ports


def request(made, port, path="/", version="2", **more):
    return Request(
        f"https://shop.example{path}", place=f"127.0.0.1:{port}", authority=made.file("ca.pem"), version=version, **more
    )


@both
def test_it_is_asked_by_the_version_that_is_meant(made, ports, ways):
    port = ports["second"]
    by_two, either, by_one = ways(*(request(made, port, version=each) for each in ("2", "any", "")))
    assert [(reply.status, reply.version, reply.body) for reply in (by_two, either, by_one)] == [
        (200, "2", "HTTP/2.0 GET "), (200, "2", "HTTP/2.0 GET "), (200, "1.1", "HTTP/1.1 GET "),
    ]  # fmt: skip
    assert ("x-odd", "a: b|c") in by_two.headers
    assert by_two.size == 13
    assert 0 < by_two.first <= by_two.seconds
    words = ["curl", "-sk", "--http2", "-o", "/dev/null", "-w", "%{http_version}", f"https://127.0.0.1:{port}/"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == by_two.version


@both
def test_a_server_without_it_answers_by_the_other_and_does_not_count_where_it_alone_is_asked(made, ports, ways):
    alone, either = ways(*(request(made, ports["first"], version=each) for each in ("2", "any")))
    assert (either.status, either.version, either.body) == (200, "1.1", "HTTP/1.1 GET ")
    assert (alone.status, alone.silent) == (None, False)
    assert alone.refused == "it answers by HTTP/1.1, for it does not take HTTP/2"


@both
def test_methods_bodies_headers_and_redirects_are_those_of_the_request(made, ports, ways):
    port = ports["second"]
    head, asked, gone, empty, vast, moved, followed = ways(
        request(made, port, method="HEAD"),
        request(made, port, method="DELETE", headers=("X-Asked: so",)),
        request(made, port, "/gone"),
        request(made, port, "/empty"),
        request(made, port, "/vast"),
        request(made, port, "/moved"),
        request(made, port, "/moved", follow=True),
    )
    assert (head.status, head.body) == (200, "")
    assert asked.body == "HTTP/2.0 DELETE so"
    assert (gone.status, empty.status, empty.body) == (410, 204, "")
    assert (vast.size, vast.body) == (None, "x" * 2**20)
    assert "longer than" in vast.unread
    assert (moved.status, moved.location) == (302, f"https://shop.example:{port}/there")
    assert (followed.status, followed.version, [status for status, _ in followed.hops]) in (
        (None, "1.1", [302]), (200, "2", [302]),
    )  # fmt: skip


@both
def test_a_body_that_is_sent_is_longer_than_a_window_or_not(made, ports, ways):
    replies = ways(*(request(made, ports["second"], "/sent", body="x" * size) for size in (1, 16384, 65536)))
    assert [reply.body for reply in replies] == ["1", "16384", "65536"]


@both
def test_a_server_that_takes_no_more_requests_has_answered_this_one(made, ports, ways):
    (reply,) = ways(request(made, ports["one"]))
    assert (reply.status, reply.version) == (200, "2")


@pytest.fixture
def odd(made):
    """A server that agrees on HTTP/2, waits for the beginning of a request and says what it is told to."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.file("leaf.pem"), made.file("leaf.key"))
    context.set_alpn_protocols(["h2"])
    with contextlib.ExitStack() as servers:

        def saying(*pieces: bytes) -> int:
            server = servers.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=serve, args=(server, pieces))
            thread.start()
            servers.callback(thread.join)
            return server.getsockname()[1]

        def serve(server, pieces) -> None:
            with contextlib.suppress(OSError):
                one, _ = server.accept()
                with context.wrap_socket(one, server_side=True) as tls:
                    tls.settimeout(20)
                    tls.recv(1000)
                    for piece in pieces:
                        tls.sendall(piece)
                    tls.unwrap()

        yield saying


@both
@pytest.mark.parametrize(
    "pieces, words",
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], "does not speak it, but says b'HTTP/1.1 200 OK"),
        ([b"\0\xff" * 500], "does not speak it, but says"),
        ([b"\0\0\0\0"], "ends the connection without an answer"),
        ([SETTINGS, b"\xff\xff\xff" + HEADERS], "does not speak it, but says"),
        ([SETTINGS, b"\0\0\x05\x01\x05\0\0\0\x01\xff\xff\xff\xff\xff"], "HTTP/2 that cannot be read"),
        ([SETTINGS, DATA], "HTTP/2 that cannot be read"),
        ([SETTINGS, goaway(0, 11)], "GOAWAY, ENHANCE_YOUR_CALM"),
        ([SETTINGS, goaway(0, 0)], "GOAWAY, NO_ERROR"),
        ([SETTINGS, goaway(1, 4242)], "GOAWAY, error 4242"),
        ([SETTINGS, reset(7)], "RST_STREAM, REFUSED_STREAM"),
        ([SETTINGS, HEADERS], "it broke off after 0 bytes of the body"),
        ([SETTINGS, HEADERS, DATA[:12]], "it broke off after 0 bytes of the body"),
        ([SETTINGS], "ends the connection without an answer"),
        ([], "ends the connection without an answer"),
    ],
)
def test_what_agrees_on_it_and_speaks_otherwise_gives_no_answer(made, odd, ways, pieces, words):
    (reply,) = ways(request(made, odd(*pieces)))
    assert (reply.status, reply.silent) == (None, False)
    assert reply.refused
    if ways is looked:  # curl has words of its own, which change with its version
        assert words in reply.refused


@both
def test_frames_in_any_pieces_are_an_answer(made, odd, ways):
    whole = SETTINGS + goaway(2**31 - 1, 0) + HEADERS + DATA
    for pieces in ([whole], [whole[at : at + 1] for at in range(len(whole))], [SETTINGS + ONLY_HEADERS]):
        (reply,) = ways(request(made, odd(*pieces)))
        assert (reply.status, reply.version, reply.refused) == (200, "2", "")
        assert reply.body == ("" if ONLY_HEADERS in pieces[0] else "hello")


@pytest.mark.parametrize(
    "more, words",
    [
        ({"url": "http://shop.example/", "version": "2"}, "HTTP/2 is agreed on within TLS: write an https URL"),
        ({"url": "https://shop.example/", "version": "3"}, "HTTP/3 is not asked"),
    ],
)
def test_what_cannot_be_asked_is_refused(more, words):
    with pytest.raises(UserError, match=words):
        Request(**more)
