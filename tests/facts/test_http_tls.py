"""https as real servers have it, nginx with a CA of the tests, and proxies: from the host and from the controller."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime

import pytest

from infratest.cleaning import Secret
from infratest.errors import FactError
from infratest.facts.http.request import Request
from tests.facts.http_both_ways import both, looked
from tests.worlds.tls_servers import Authority, authority, free_ports, running
from tests.worlds.x509_files import DAY, issued

PASSWORD = Secret("a pass:word of the stack")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Authority:
    made = authority(tmp_path_factory.mktemp("https"))
    client = issued("client.example", made.root)
    (made.folder / "client.pem").write_bytes(client.pem)
    (made.folder / "client.key").write_bytes(client.key_pem())
    words = ("openssl", "rsa" if b"RSA" in client.key_pem() else "pkey", "-aes256", "-passout", "pass:abcd")
    locked = subprocess.run(words, input=client.key_pem(), capture_output=True, check=True)
    (made.folder / "locked.key").write_bytes(locked.stdout)
    early = issued("early.example", made.between, names=("shop.example",), begins=datetime.now(UTC) + DAY)
    (made.folder / "early.pem").write_bytes(early.pem + made.between.pem)
    (made.folder / "early.key").write_bytes(early.key_pem())
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "-stdin"], input=PASSWORD.encode(), capture_output=True, check=True
    )
    (made.folder / "people").write_bytes(b"ada:" + hashed.stdout)
    return made


@pytest.fixture(scope="module")
def ports(made):
    """nginx: by what its certificate is, by what it asks for, and plain."""
    names = ("leaf", "other", "past", "bare", "own", "early", "client", "plain")
    found = dict(zip(names, free_ports(len(names)), strict=True))
    folder = made.folder

    def server(name, certificate, more=""):
        files = f"ssl_certificate {folder}/{certificate}.pem; ssl_certificate_key {folder}/{certificate}.key;"
        return f"server {{ listen 127.0.0.1:{found[name]} ssl; {files} {more} location / {{ return 200 $host; }} }}\n"

    servers = [server(name, name) for name in names[:-2]]
    asks = f"ssl_verify_client on; ssl_client_certificate {folder}/ca.pem;"
    servers.append(server("client", "leaf", asks).replace("$host", "$ssl_client_s_dn"))
    (folder / "www").mkdir()
    (folder / "www" / "private").write_text("for Ada")
    servers.append(
        f"server {{ listen 127.0.0.1:{found['plain']}; root {folder}/www; auth_basic people;"
        f" auth_basic_user_file {folder}/people; }}\n"
    )
    conf = folder / "nginx.conf"
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf.write_text(
        f"daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\nevents {{}}\n"
        f"http {{ access_log off; {places}\n{''.join(servers)}}}\n"
    )
    with running("nginx", "-c", str(conf), "-e", f"{folder}/nginx.log", ports=tuple(found.values())):
        yield found


def request(made, port, host="shop.example", **more):
    return Request(f"https://{host}/", place=f"127.0.0.1:{port}", authority=made.file("ca.pem"), **more)


@both
def test_a_ca_file_is_trusted_in_place_of_the_usual_ones(made, ports, ways):
    good, usual, any_will_do = ways(
        request(made, ports["leaf"]),
        Request("https://shop.example/", place=f"127.0.0.1:{ports['leaf']}"),
        Request("https://shop.example/", place=f"127.0.0.1:{ports['own']}", careless=True),
    )
    assert (good.status, good.body, good.distrust) == (200, "shop.example", "")
    assert good.handshake > 0
    assert (usual.status, usual.distrust, usual.silent) == (None, "unknown authority", False)
    assert (any_will_do.status, any_will_do.body) == (200, "shop.example")


@both
def test_reasons_not_to_trust_are_told_apart(made, ports, ways):
    names = {"past": "expired", "other": "other name", "bare": "unknown authority", "own": "unknown authority"}
    names["early"] = "early"
    replies = ways(*(request(made, ports[name]) for name in names))
    assert [reply.distrust for reply in replies] == list(names.values())
    assert all(reply.status is None and reply.refused and not reply.silent for reply in replies)
    (by_address,) = ways(Request(f"https://127.0.0.1:{ports['other']}/", authority=made.file("ca.pem")))
    assert by_address.distrust == "other name"
    (plain,) = ways(request(made, ports["plain"]))
    assert (plain.status, plain.distrust, plain.silent) == (None, "", False)


@both
def test_a_certificate_of_the_client_is_shown(made, ports, ways):
    files = {"certificate": made.file("client.pem"), "key": made.file("client.key")}
    shown, without = ways(request(made, ports["client"], **files), request(made, ports["client"]))
    assert (shown.status, shown.body) == (200, "CN=client.example,C=DE")
    assert without.status == 400
    assert "No required SSL certificate" in without.body


@both
def test_files_of_the_client_that_cannot_be_used_are_unknown(made, ports, ways):
    files = [
        {"certificate": made.file("nosuch.pem")},
        {"certificate": made.file("client.pem"), "key": made.file("leaf.key")},
        {"certificate": made.file("client.pem"), "key": made.file("locked.key")},
    ]
    for each in files:
        assert isinstance(known(ways, request(made, ports["client"], **each)), FactError), each
    nowhere = Request("https://x.example/", authority="/nosuch/ca.pem", place=f"127.0.0.1:{ports['leaf']}")
    assert isinstance(known(ways, nowhere), FactError)


def known(ways, asked):
    """Return what a way answers; from the controller what is not known is raised."""
    try:
        return ways(asked)[0]
    except FactError as error:
        return error


@both
def test_a_login_opens_what_nginx_keeps(ports, ways):
    url = f"http://127.0.0.1:{ports['plain']}/private"
    wrong = Secret("another password")
    good, bad, nobody = ways(Request(url, login=f"ada:{PASSWORD}"), Request(url, login=f"ada:{wrong}"), Request(url))
    assert (good.status, good.body) == (200, "for Ada")
    assert (bad.status, nobody.status) == (401, 401)


class Proxy:
    """A proxy of one connection after the other: CONNECT to where it leads, or plain requests passed on as they are."""

    def __init__(self, leads, refusing=b""):
        self.seen = []
        self._leads, self._refusing = leads, refusing
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._server.close()

    def _serve(self):
        while True:
            try:
                one, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(one,), daemon=True).start()

    def _lead(self, one):
        with one, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                data += one.recv(65536)
            self.seen.append(data.split(b"\r\n")[0].decode())
            if self._refusing:
                one.sendall(self._refusing)
                return
            with socket.create_connection(("127.0.0.1", self._leads)) as other:
                if data.startswith(b"CONNECT"):
                    one.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n")
                else:
                    other.sendall(data)
                back = threading.Thread(target=self._pipe, args=(other, one), daemon=True)
                back.start()
                self._pipe(one, other)
                back.join(10)

    @staticmethod
    def _pipe(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@both
def test_a_proxy_leads_to_https_and_to_http(made, ports, ways):
    secure, plain = Proxy(ports["leaf"]), Proxy(ports["plain"])
    try:
        (one,) = ways(Request("https://shop.example/", authority=made.file("ca.pem"), proxy=secure.url))
        (two,) = ways(Request("http://nobody.invalid/private", login=f"ada:{PASSWORD}", proxy=plain.url))
        assert (one.status, one.body) == (200, "shop.example")
        assert ("x-proxy", "1") not in one.headers
        assert secure.seen == ["CONNECT shop.example:443 HTTP/1.1"]
        assert (two.status, two.body) == (200, "for Ada")
        assert plain.seen == ["GET http://nobody.invalid/private HTTP/1.1"]
    finally:
        secure.close()
        plain.close()


@both
def test_a_proxy_that_does_not_lead_on_is_no_silent_server(ways):
    for refusing in (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n"):
        proxy = Proxy(0, refusing)
        try:
            (reply,) = ways(Request("https://shop.example/", proxy=proxy.url))
            assert (reply.status, reply.silent) == (None, False)
            assert reply.refused
        finally:
            proxy.close()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = Request("https://shop.example/", proxy=f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert isinstance(known(ways, gone), FactError)


def test_the_controller_uses_the_tls_of_its_openssl(made, ports):
    assert ssl.OPENSSL_VERSION_INFO >= (1, 1, 1)
    assert looked(request(made, ports["leaf"]))[0].status == 200


@both
def test_a_server_without_tls_is_said_to_have_none(made, ports, ways):
    (plain,) = ways(request(made, ports["plain"]))
    assert plain.refused.startswith("it does not speak TLS with us: ")
    assert plain.refused.endswith("wrong version number")
