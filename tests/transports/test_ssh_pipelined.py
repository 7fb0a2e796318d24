"""The login in one flight: what servers see of it, that it falls back to steps, and what is sent before the host key.

Against OpenSSH, dropbear, and servers that refuse: real ones by their settings, and paramiko's server where none does.
"""

from __future__ import annotations

import re
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from infratest.deadline import Deadline
from infratest.errors import AccessRefused, HostKeyRefused
from infratest.hosts import Host
from infratest.outsiders import get
from infratest.testing.waiting import wait_until
from infratest.transports.base import Transport
from tests.worlds.dropbear import running_dropbear
from tests.worlds.sshd import Server, make_key
from tests.worlds.turns import Turns, counting

Start = Callable[..., Server]
LONG = 20.0


@pytest.fixture(scope="module")
def dropbear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_dropbear(tmp_path_factory.mktemp("dropbear")) as server:
        yield server


def ssh(options: dict[str, Any]) -> Transport:
    return get("transport", "ssh")(Host(name="web-1", options=options))


def answer(options: dict[str, Any]) -> bytes:
    transport = ssh(options)
    try:
        transport.open(Deadline(LONG))
        return transport.run(["echo", "here"], Deadline(LONG)).stdout
    finally:
        transport.close()


def refused(options: dict[str, Any]) -> str:
    with pytest.raises(AccessRefused) as raised:
        answer(options)
    return str(raised.value)


def behind(server: Server, turns: Turns, **options: Any) -> dict[str, Any]:
    known = server.folder / f"known-{turns.port}"
    known.write_text(f"[127.0.0.1]:{turns.port} {server.host_key}\n")
    return server.options(port=turns.port, known_hosts=str(known), **options)


# The host key comes first

#: Messages of RFC 4253, 12: disconnect, ignore, debug, key exchange.
KEY_EXCHANGE = {1, 2, 4, 20, 21, *range(30, 50)}
SERVICE, LOGIN, CHANNEL = 5, 50, 90


def received(server: Server) -> list[int]:
    """Return the kinds of messages that a server has received on its last connection, by its own log."""
    log = server.log.read_text("utf-8", "replace").rpartition("Connection from")[2]
    return [int(kind) for kind in re.findall(r"receive packet: type (\d+)", log)]


@pytest.mark.parametrize(
    "name, options",
    [
        ("ssh", {"client": "libssh2"}),
        ("ssh", {"client": "libssh2", "pipelined": True}),
        ("ssh", {"client": "paramiko"}),
        ("openssh", {}),
    ],
)
def test_nothing_but_the_key_exchange_is_sent_before_the_host_key_is_verified(
    start: Start, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    server = start(LogLevel="DEBUG3")
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    for record in ("", f"[127.0.0.1]:{server.port} {other}"):
        (tmp_path / "known").write_text(record)
        transport = get("transport", name)(
            Host(name="web-1", options=server.options(known_hosts=str(tmp_path / "known"), **options))
        )
        with pytest.raises(HostKeyRefused, match="web-1"):
            transport.open(Deadline(LONG))
        transport.close()
        wait_until(lambda: not server.sessions())
        kinds = set(received(server))
        assert 20 in kinds  # the log says what it is read for
        assert kinds <= KEY_EXCHANGE
    assert server.logins() == 0


# What servers see


def test_openssh_gets_all_of_it_in_one_flight(start: Start) -> None:
    server = start(LogLevel="DEBUG3")
    with counting(server.port) as turns:
        assert answer(behind(server, turns, pipelined=True)) == b"here\n"
        assert (turns.connections, turns.answered) == (1, 5)
    kinds = [kind for kind in received(server) if kind in (SERVICE, LOGIN, CHANNEL)]
    assert kinds[:4] == [SERVICE, LOGIN, LOGIN, CHANNEL]  # would this key do, signed
    assert server.logins() == 1


def test_dropbear_gets_all_of_it_in_one_flight(dropbear: Server) -> None:
    before = dropbear.logins()
    with counting(dropbear.port) as turns:
        assert answer(behind(dropbear, turns, client="libssh2")) == b"here\n"
        step_by_step = turns.answered
        assert answer(behind(dropbear, turns, pipelined=True)) == b"here\n"
        assert (turns.connections, step_by_step - turns.answered) == (2, 2)
    assert dropbear.logins() - before == 2


def test_every_script_of_an_open_connection_is_answered(dropbear: Server) -> None:
    transport = ssh(dropbear.options(pipelined=True))
    transport.open(Deadline(LONG))
    for number in range(5):
        assert transport.run_script(f"echo {number}".encode(), Deadline(LONG)).stdout == f"{number}\n".encode()
    transport.close()
    assert transport.cost.logins == 1


# Servers that refuse


def test_a_login_that_fails_is_tried_step_by_step(server: Server, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    with counting(server.port) as turns:
        assert "stranger was refused" in refused(behind(server, turns, pipelined=True, key=str(stranger)))
        assert turns.connections == 2


def configured(server: Server, *keys: Path) -> dict[str, Any]:
    """Return options by an ssh_config that names several keys."""
    config = server.folder / "config"
    lines = [f"  IdentityFile {key}\n" for key in keys]
    config.write_text(f"Host web-1\n  HostName 127.0.0.1\n  Port {server.port}\n  User {server.user}\n{''.join(lines)}")
    return {"config": str(config), "agent": False, "known-hosts": str(server.known_hosts), "client": "libssh2"}


def test_the_second_key_is_tried_step_by_step(server: Server, dropbear: Server, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    for each in (server, dropbear):
        before = each.logins()
        assert answer(configured(each, stranger, each.key) | {"pipelined": True}) == b"here\n"
        assert each.logins() - before == 1


def test_a_server_that_hangs_up_after_the_first_key(start: Start, tmp_path: Path) -> None:
    server, stranger = start(MaxAuthTries="1"), make_key(tmp_path / "stranger")
    options = configured(server, stranger, server.key)
    words = refused(options)
    assert "stranger" in words
    assert "hung up" in words
    assert refused(options | {"pipelined": True}) == words
    assert server.logins() == 0


def test_a_server_that_wants_more(start: Start) -> None:
    server = start(AuthenticationMethods="publickey,password", PasswordAuthentication="yes")
    words = refused(server.options(client="libssh2"))
    assert "also wants password" in words
    assert refused(server.options(pipelined=True)) == words


def test_a_server_that_wants_two_keys(start: Start) -> None:
    server = start(AuthenticationMethods="publickey,publickey")
    words = refused(server.options(client="libssh2"))
    assert refused(server.options(pipelined=True)) == words
    assert server.logins() == 0


def test_a_server_that_gives_no_channel(start: Start) -> None:
    server = start(MaxSessions="0")
    words = refused(server.options(client="libssh2"))
    assert "no command may be run" in words
    assert refused(server.options(pipelined=True)) == words


class Strict(paramiko.ServerInterface):
    """Lets a key in and echoes commands; hangs up on one who sends more before the login is answered."""

    def __init__(self, session: paramiko.Transport, key: paramiko.PKey, strict: bool) -> None:
        self._session = session
        self._key = key
        self._strict = strict
        self.early = False

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.early = self.early or self._waiting()
        if self._strict and self.early:
            self._session.close()
        return paramiko.AUTH_SUCCESSFUL if key == self._key else paramiko.AUTH_FAILED

    def _waiting(self) -> bool:
        """Tell whether the client has sent more than what is answered now."""
        return bool(select.select([self._session.sock], [], [], 0)[0])

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._run, args=(channel, command), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, command: bytes) -> None:
        done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        channel.send_exit_status(done.returncode)
        channel.close()


class Own:
    """A server of paramiko's own on a listener, for any number of connections."""

    def __init__(self, folder: Path, strict: bool) -> None:
        self.folder = folder
        self._strict = strict
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._host_key = paramiko.Ed25519Key.from_private_key_file(str(make_key(folder / "host_key")))
        self._key = paramiko.Ed25519Key.from_private_key_file(str(make_key(folder / "id")))
        self.seen: list[Strict] = []
        self._sessions: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            session = paramiko.Transport(sock)
            session.add_server_key(self._host_key)
            self.seen.append(Strict(session, self._key, self._strict))
            self._sessions.append(session)
            session.start_server(threading.Event(), self.seen[-1])

    def options(self, **others: Any) -> dict[str, Any]:
        port = self._listener.getsockname()[1]
        known = self.folder / "known"
        known.write_text(f"[127.0.0.1]:{port} {self._host_key.get_name()} {self._host_key.get_base64()}\n")
        return {
            "address": "127.0.0.1", "port": port, "user": "root", "key": str(self.folder / "id"),
            "known-hosts": str(known), "config": "none", "agent": False, "client": "libssh2",
        } | others  # fmt: skip

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for session in self._sessions:
            session.close()
            session.join(LONG)


@pytest.fixture(params=[False, True], ids=["lenient", "strict"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Own]:
    own = Own(tmp_path, request.param)
    yield own
    own.stop()


def test_a_server_that_takes_nothing_before_the_login_is_answered(own: Own, request: pytest.FixtureRequest) -> None:
    strict = request.node.callspec.params["own"]
    assert answer(own.options()) == b"here\n"
    assert [seen.early for seen in own.seen] == [False]
    transport = ssh(own.options(pipelined=True))
    transport.open(Deadline(LONG))
    for number in range(3):
        assert transport.run(["echo", str(number)], Deadline(LONG)).stdout == f"{number}\n".encode()
    transport.close()
    assert transport.cost.logins == 1
    # The strict one was asked a second time, step by step.
    assert [seen.early for seen in own.seen] == ([False, True, False] if strict else [False, True])
