"""TLS at ports of real servers, nginx and openssl s_server, and of servers that are none.

Each is asked from the controller and by the program that hosts are sent. What is right is in each server's settings.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from infratest.steps import _certificate

from infratest.errors import FactError, UserError
from infratest.facts._tls_suites import suite
from infratest.facts._x509 import certificates
from infratest.facts.tls import Tls
from tests.facts.tls_both_ways import digest, look, offers
from tests.worlds import tls_servers
from tests.worlds.tls_servers import free_port


@pytest.fixture(scope="module")
def nginx(made):
    with tls_servers.nginx(made) as ports:
        yield ports


VERSIONS = [f"protocol {one}" for one in ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")]


def test_nginx_offers_the_versions_of_its_settings(made, nginx):
    at = {name: f"127.0.0.1:{port}" for name, port in nginx.items()}
    assert offers(made, at["oldest"], *VERSIONS) == [False, True, True, True, True]
    assert offers(made, at["modern"], *VERSIONS) == [False, False, False, False, True]
    assert offers(made, at["only12"], *VERSIONS) == [False, False, False, True, False]
    assert offers(made, at["plain"], *VERSIONS) == [None] * 5


def test_ciphers_are_offered_as_in_the_settings(made, nginx):
    names = ("ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA", "TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256")
    questions = [f"suite {suite(name)}" for name in names]
    assert offers(made, f"127.0.0.1:{nginx['oldest']}", *questions) == [True, True, True, False]
    assert offers(made, f"127.0.0.1:{nginx['only12']}", *questions) == [True, False, False, False]
    assert offers(made, f"127.0.0.1:{nginx['modern']}", *questions) == [False, False, True, False]
    with pytest.raises(UserError, match="ECDHE-RSA"):
        suite("ECDHE-RSA-AES128-GCM-SHA257")


def test_application_protocols_are_offered_as_in_the_settings(made, nginx):
    assert offers(made, f"127.0.0.1:{nginx['http2']}", "alpn h2", "alpn http/1.1", "alpn x") == [True, True, False]
    assert offers(made, f"127.0.0.1:{nginx['oldest']}", "alpn h2", "alpn http/1.1") == [False, True]


def test_a_certificate_is_trusted_as_a_client_has_it(made, nginx):
    right = {
        "oldest": ("", 2), "past": ("certificate has expired", 2), "own": ("self-signed certificate", 1),
        "bare": ("unable to get local issuer certificate", 1), "mixed": ("", 3),
    }  # fmt: skip
    for name, (why, count) in right.items():
        (seen,) = look(made, f"127.0.0.1:{nginx[name]}", "certificate")
        assert (seen.untrusted, len(seen.chain)) == (why, count), name
    (seen,) = look(made, f"127.0.0.1:{nginx['oldest']}", "certificate", name="wrong.example")
    assert "Hostname mismatch" in seen.untrusted
    (seen,) = look(made, f"127.0.0.1:{nginx['oldest']}", "certificate", authorities="")
    assert "unable to get local issuer" in seen.untrusted
    (seen,) = look(made, f"127.0.0.1:{nginx['oldest']}", "certificate", name="")
    assert (seen.untrusted, seen.chain[0].subject) == ("", "CN=shop.example,C=DE")


def test_what_a_chain_relies_on_is_seen_below_its_first_certificate(made):
    """The leaf of openssl's server is good; who signed it has a short key, and is signed by SHA-1 as RSASSA-PSS."""
    tls_servers.weak_chain(made.folder)
    files = ("-cert", made.file("weak.pem"), "-key", made.file("weak.key"), "-cert_chain", made.file("weak-rest.pem"))
    with tls_servers.s_server(made, *files, "-cipher", "ALL:@SECLEVEL=0") as port:
        (seen,) = look(made, f"127.0.0.1:{port}", "certificate", authorities="")
    chain = [(one.signature, one.kind, one.bits) for one in seen.chain]
    assert chain == [
        ("sha256WithRSAEncryption", "EC", 256), ("rsassaPss with sha1", "RSA", 1024),
        ("md5WithRSAEncryption", "RSA", 2048),
    ]  # fmt: skip
    assert certificates(Path(made.file("weak.pem")).read_bytes()) == seen.chain
    assert _certificate.relied_on("*sha1*", seen.chain)[0]
    assert "position 2: CN=between" in _certificate.relied_on("*sha1*", seen.chain)[1]
    assert not _certificate.relied_on("*md5*", seen.chain)[0]
    assert _certificate.relied_on("*md5*", seen.chain[2:])[0]
    assert _certificate.short_rsa(2048, seen.chain)[0]
    assert not _certificate.short_rsa(1024, seen.chain)[0]
    assert not _certificate.short_rsa(2048, seen.chain[:1])[0]


def test_the_name_that_is_asked_for_chooses_the_certificate(made, nginx):
    (seen,) = look(made, f"127.0.0.1:{nginx['oldest']}", "certificate", name="other.example")
    assert (seen.untrusted, seen.chain[0].subject) == ("", "CN=other.example,C=DE")
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{nginx['oldest']}", "-servername", "other.example"]
    words = [*words, "-CAfile", made.file("ca.pem")]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert "Verification: OK" in done.stdout


def test_a_ca_file_that_is_not_there_is_unknown(made, nginx):
    (seen,) = look(made, f"127.0.0.1:{nginx['oldest']}", "certificate", authorities="none.pem")
    assert isinstance(seen, FactError)
    assert "none.pem: No such file" in str(seen)


def test_old_versions_alone_are_seen_although_openssl_would_not_speak_them(made):
    for words, right in (
        (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), [False, True, False, False, False]),
        (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), [False, False, True, False, False]),
        # Debian's OpenSSL has TLS 1.0 in its range here, and no signature for it at its level: nobody can speak it.
        (("-min_protocol", "TLSv1"), [False, False, False, True, True]),
    ):
        with tls_servers.s_server(made, *words) as port:
            assert offers(made, f"127.0.0.1:{port}", *VERSIONS) == right, words
            (seen,) = look(made, f"127.0.0.1:{port}", "certificate")
            assert seen.chain[0].sha256 == digest(made)


def answering(data: bytes) -> int:
    """Have a server that says this whatever it is asked, and hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            one, _ = server.accept()
            with one:
                one.recv(4000)
                one.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def test_what_is_no_tls_refuses_no_version(made):
    hostile = {
        b"": "hung up", b"220 hello\r\n": "not TLS", b"\x16\x03\x03\x00": "hung up",
        b"\x15\x03\x01\0\x02\x02\x46": "TLS", b"\x15\x03\x01\0\x02\x02\x50": "TLS",
        b"\x16\x03\x03\xff\xff": "not TLS",
    }  # fmt: skip
    for data, words in hostile.items():
        for seen in look(made, f"127.0.0.1:{answering(data)}", "protocol TLS 1.0", f"suite {0x0A}", "alpn h2"):
            assert isinstance(seen, Tls), data
            assert words in seen.refused, data
    for data in (b"\x16\x03\x03\0\x04\x02\0\0\0", b"\x15\x03\x03\0\x01\x02", b"\x16\x03\x03\0\x30" + bytes(48)):
        (seen,) = look(made, f"127.0.0.1:{answering(data)}", "protocol TLS 1.0")
        assert isinstance(seen, FactError), data
    for port, words in ((free_port(), "not reachable"),):
        for seen in look(made, f"127.0.0.1:{port}", "certificate", "protocol TLS 1.0", "alpn h2"):
            assert words in seen.refused


def test_the_program_of_hosts_stands_alone(made, nginx):
    from infratest.facts._tls_place import program

    words = [sys.executable, "-I", "-S", "-c", program(), "8", f"tls 127.0.0.1 {nginx['modern']}", "x", "", "alpn x"]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", check=True)
    first, row = done.stdout.splitlines()
    assert (first, row.split(" ")[:2]) == ("python3", ["1", "answer"])
    assert json.loads(row.split(" ", 3)[3]) == {"offered": False, "why": "no_application_protocol"}
