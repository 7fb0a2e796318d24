"""The facts `ssh-server` and `ssh-host-key`: a real sshd, and what is none, from the controller and from a host."""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import threading

import pytest

from infratest.deadline import Deadline
from infratest.errors import FactError, UserError
from infratest.facts._server_place import place_text, server_place
from infratest.facts.base import Answer
from infratest.facts.ssh_host_key import SshHostKeyFact, fingerprint
from infratest.facts.ssh_server import SshServerFact
from tests.worlds.shells import shell
from tests.worlds.sshd import make_key, running_sshd


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ssh")


@pytest.fixture(scope="module")
def server(folder):
    """An sshd with two kinds of host keys, and few algorithms."""
    key = make_key(folder / "second", "ecdsa")
    chosen = {"Ciphers": "aes256-gcm@openssh.com,aes128-cbc", "MACs": "hmac-sha2-256", "Compression": "no"}
    kex = "curve25519-sha256,diffie-hellman-group14-sha256"
    with running_sshd(folder / "sshd", HostKeys=str(key), KexAlgorithms=kex, **chosen) as made:
        yield made


def looked(fact, *arguments):
    return fact.look(list(arguments), Deadline(40), lambda *place: place)


def asked(fact, *arguments, words=("sh",), path=None):
    variables = os.environ | ({"PATH": path} if path else {})
    done = subprocess.run(
        [*words, "-c", fact.ask(list(arguments))], env=variables, capture_output=True, text=True, timeout=60
    )
    return fact.read(Answer(done.returncode, done.stdout, done.stderr), list(arguments))


@pytest.mark.parametrize("ask", [looked, asked], ids=["from the controller", "from a host"])
def test_it_says_what_it_offers_as_it_is_configured(server, ask):
    place = f"127.0.0.1:{server.port}"
    seen, refused, nameless = ask(SshServerFact(), (place,), ("127.0.0.1:1",), ("nosuch.invalid:22",)).values()
    assert seen.version.startswith("SSH-2.0-OpenSSH_")
    assert set(seen.key_exchanges) - {"kex-strict-s-v00@openssh.com"} == {
        "curve25519-sha256",
        "diffie-hellman-group14-sha256",
    }
    assert set(seen.host_keys) == {"ssh-ed25519", "ecdsa-sha2-nistp256"}
    assert seen.ciphers == ("aes256-gcm@openssh.com", "aes128-cbc")
    assert (seen.macs, seen.compressions) == (("hmac-sha2-256",), ("none",))
    assert refused.refused == "it is not reachable: connection refused"
    # A machine whose name servers are silent cannot say that there is no such name.
    assert isinstance(nameless, FactError) or "its name is not known" in nameless.refused


@pytest.mark.parametrize("name", ["dash", "bash", "mksh", "busybox"])
def test_its_host_keys_are_those_of_its_files_and_each_viewpoint_sees_the_same(server, folder, name):
    place, known = f"127.0.0.1:{server.port}", str(server.known_hosts)
    revoked, hashed = folder / "revoked", folder / "hashed"
    revoked.write_text(f"@revoked {server.known_hosts.read_text()}")
    hashed.write_bytes(server.known_hosts.read_bytes())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", hashed], check=True, capture_output=True)
    arguments = [(place,), *((place, str(each)) for each in (known, revoked, hashed, "/dev/null", folder / "nosuch"))]
    words, path = shell(name)
    there = asked(SshHostKeyFact(), *arguments, words=words, path=path)
    files = [server.folder / "host_key.pub", folder / "second.pub"]
    keys = {" ".join(path.read_text().split()[:2]) for path in files}
    shown = subprocess.run(["ssh-keygen", "-lf", files[1]], capture_output=True, text=True, check=True).stdout
    *values, missing = there.values()
    assert all((set(one.keys), one.unseen) == (keys, ()) for one in values)
    assert [len(one.known) for one in values] == [0, 1, 0, 1, 0]
    assert [len(one.revoked) for one in values] == [0, 0, 1, 0, 0]
    assert "could not be read" in str(missing)
    assert shown.split()[1] in {fingerprint(key) for key in keys}
    if name == "dash":
        here = looked(SshHostKeyFact(), *arguments)
        assert {k: sorted(v.keys) for k, v in here.items() if k in arguments[:-1]} == {
            k: sorted(v.keys) for k, v in there.items() if k in arguments[:-1]
        }
        assert [(one.known, one.revoked) for one in list(here.values())[:-1]] == [
            (one.known, one.revoked) for one in values
        ]
        assert "could not be read" in str(here[arguments[-1]])


def test_a_key_that_nobody_proves_to_have_is_none(server):
    """Whoever repeats what a server says, and does not have its key, is not taken for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        threads = [threading.Thread(target=_forward, args=(listener, server.port)) for _ in range(3)]
        for thread in threads:
            thread.start()
        (value,) = looked(SshHostKeyFact(), (f"127.0.0.1:{listener.getsockname()[1]}",)).values()
        for thread in threads:
            thread.join(20)
    assert value.keys == ()
    assert set(value.unseen) == {"ssh-ed25519", "ecdsa-sha2-nistp256"}


def _forward(listener, port):
    """Pass a connection on, with a byte of the server's signature in its key exchange's reply turned over."""
    with listener.accept()[0] as client, socket.create_connection(("127.0.0.1", port)) as server:
        while True:
            for source in select.select([client, server], [], [], 20)[0]:
                try:
                    data = source.recv(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    return
                for kind in (b"ssh-ed25519\0", b"ecdsa-sha2-nistp256\0"):
                    if source is server and kind in data:  # it stands before the key, and before the signature
                        place = data.rindex(kind) + 40
                        data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
                (server if source is client else client).sendall(data)


def _kexinit(*lists: bytes) -> bytes:
    payload = b"\x14" + 16 * b"c" + b"".join(struct.pack("!I", len(one)) + one for one in lists) + 5 * b"\0"
    padding = 8 + -(len(payload) + 5) % 8
    return struct.pack("!IB", len(payload) + padding + 1, padding) + payload + padding * b"\0"


TEN = [b"a", b"b", b"c", b"d,c", b"m", b"m", b"none", b"none", b"", b""]
#: What is said -> words of why it is no answer; or the ciphers that are seen.
SAID = {
    b"hello\r\nSSH-2.0-x\r\n" + _kexinit(*TEN): ("c", "d"),
    b"SSH-1.99-x\n" + _kexinit(*TEN): ("c", "d"),
    b"": "hangs up before it has said",
    b"220 mail.example ESMTP\r\n": "hangs up before it has said",
    b"x" * 300: "speaks no SSH: xxx",
    b"x\n" * 60: "speaks no SSH",
    b"SSH-1.5-old\r\n": "speaks SSH-1.5-old, which is not SSH 2",
    b"Exceeded MaxStartups\r\n": "hangs up",
    b"SSH-2.0-x\r\n": "hangs up",
    b"SSH-2.0-x\r\n" + struct.pack("!IB", 2**31, 4): "begins with a packet of 2147483648 bytes",
    b"SSH-2.0-x\r\n" + struct.pack("!IB", 3, 4): "begins with a packet of 3 bytes",
    b"SSH-2.0-x\r\n" + _kexinit(*TEN)[:60]: "hangs up",
    b"SSH-2.0-x\r\n" + _kexinit(*TEN[:7]): "has a key exchange that is not understood",
    b"SSH-2.0-x\r\n" + _kexinit(b"a\n1 open", *TEN[1:]): "has a key exchange that is not understood",
    b"SSH-2.0-x\r\n" + _kexinit(*TEN).replace(b"\x14c", b"\x15c"): "does not begin with a key exchange",
    b"SSH-2.0-x\r\n" + _kexinit(b",".join([b"long"] * 800), *TEN[1:]): ("c", "d"),  # one name, said often
    b"SSH-2.0-x\r\n" + _kexinit(b",".join(b"n%d" % n for n in range(900)), *TEN[1:]): None,
}


@pytest.mark.parametrize("ask", [looked, asked], ids=["from the controller", "from a host"])
def test_what_is_no_ssh_offers_nothing_and_what_is_too_long_is_unknown(ask):
    listeners = {said: socket.create_server(("127.0.0.1", 0)) for said in SAID}
    threads = [threading.Thread(target=_say, args=(one, said)) for said, one in listeners.items()]
    for thread in threads:
        thread.start()
    places = [(f"127.0.0.1:{one.getsockname()[1]}",) for one in listeners.values()]
    values = ask(SshServerFact(), *places)
    for thread, listener in zip(threads, listeners.values(), strict=True):
        thread.join(20)
        listener.close()
    for (said, right), place in zip(SAID.items(), places, strict=True):
        value = values[place]
        if right is None:
            assert "it offers more than is read" in str(value)
        elif isinstance(right, tuple):
            assert value.ciphers == right, said
        else:
            assert right in value.refused, said


def _say(listener, said):
    one, _ = listener.accept()
    with one:
        one.recv(100)
        one.sendall(said)
        one.shutdown(socket.SHUT_WR)
        one.settimeout(10)
        try:
            one.recv(100)
        except OSError:
            pass


def test_without_python3_or_ssh_keyscan_a_host_says_what_to_install(tmp_path):
    for fact, words in ((SshServerFact(), "python3 is not installed"), (SshHostKeyFact(), "openssh-client")):
        done = subprocess.run(
            ["/bin/sh", "-c", fact.ask([("db:22",)])], env={"PATH": str(tmp_path)}, capture_output=True, text=True
        )
        with pytest.raises(FactError, match=words):
            fact.read(Answer(done.returncode, done.stdout, done.stderr), [("db:22",)])


@pytest.mark.parametrize(
    ("text", "whole"), [("db", "db:22"), ("db:2222", "db:2222"), ("[::1]", "[::1]:22"), ("[::1]:23", "[::1]:23")]
)
def test_a_server_is_always_written_alike(text, whole):
    assert place_text(*server_place(text, "SSH server", 22)) == whole


@pytest.mark.parametrize("text", ["", "-x", "a b", "db:0", "ssh://db", "$(x)", "::1", "db:22\0"])
def test_what_is_no_server_is_refused(text):
    with pytest.raises(UserError, match="expected HOST or HOST:PORT"):
        server_place(text, "SSH server", 22)
