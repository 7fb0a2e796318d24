"""A connection that is lost, or falls silent, after any number of bytes: what had come is believed, no more.

A relay in front of a real sshd hands on so many bytes of the server's and no more, for each SSH client.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.project.execute import execute
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from tests.worlds.sshd import Server, running_sshd

CLIENTS: dict[str, dict[str, Any]] = {
    "libssh2": {"client": "libssh2"},
    "pipelined": {"client": "libssh2", "pipelined": True},
    "paramiko": {"client": "paramiko"},
    "openssh": {},
}

#: Slug -> sentence and true state. Answers are told apart by what they say; one is longer than a packet.
TRUE = {
    "is-there": ('the file "/etc/passwd" exists', "ok"),
    "is-not-there": ('the file "/nowhere/at/all" exists', "critical"),
    "has-a-mode": ('the file "/etc/passwd" has mode "0777"', "critical"),
    "a-user": ('the user "root" exists', "ok"),
    "no-user": ('the user "nobody-at-all" exists', "critical"),
    "long": ("the command \"head -c 100000 /dev/zero | tr '\\\\0' y\" exits 0", "ok"),
    "one": ('the command "echo one" prints exactly "one"', "ok"),
    "two": ('the command "echo two" prints exactly "one"', "critical"),
    "three": ('the command "echo three; exit 3" exits 3', "ok"),
}
FEATURE = "Feature: cut\n" + "".join(
    f"  @id:{slug}\n  Scenario: {slug}\n    Then {sentence}\n" for slug, (sentence, _) in TRUE.items()
)

CUTS = 14


class Cutting:
    """A relay to a port of 127.0.0.1: of what the server says, `bytes` are handed on, then it ends or falls silent."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.bytes: int | None = None
        self.silent = False
        self.passed = 0
        self._stop = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        self.passed = 0
        with client, socket.create_connection(("127.0.0.1", self._server)) as server, contextlib.suppress(OSError):
            while not self._stop.is_set():
                for sock in select.select([client, server], [], [], 0.1)[0]:
                    data = sock.recv(65536)
                    if not data:
                        return
                    if sock is client:
                        server.sendall(data)
                    elif not self._hand_on(client, data):
                        return

    def _hand_on(self, client: socket.socket, data: bytes) -> bool:
        """Hand on what may pass; return whether the connection goes on."""
        left = len(data) if self.bytes is None else self.bytes - self.passed
        client.sendall(data[:left])
        self.passed += min(left, len(data))
        return left >= len(data) or self.silent

    def stop(self) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def relay(server: Server) -> Iterator[Cutting]:
    relay = Cutting(server.port)
    yield relay
    relay.stop()


@pytest.fixture(params=CLIENTS)
def run(
    request: pytest.FixtureRequest, server: Server, relay: Cutting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[float], Report]:
    """Run the feature by one client through the relay."""
    monkeypatch.chdir(tmp_path)
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{relay.port} {server.host_key}\n")
    (tmp_path / "cut.feature").write_text(FEATURE, "utf-8")
    (tmp_path / "stack.yaml").write_text("stack: cut\nprovider: local\n")
    options = server.options(port=relay.port, known_hosts=str(known), **CLIENTS[request.param])
    host = Host(name="web-1", transport="openssh" if request.param == "openssh" else "ssh", options=options)

    def run(timeout: float) -> Report:
        session = Session(timeout=timeout, state_path=str(tmp_path / "state"))
        session.stack_path = tmp_path / "stack.yaml"
        request = Request(features=("cut.feature",), face="test")
        return execute(session, request, prepare(session, request, [host]))

    return run


def told(report: Report) -> dict[str, Result]:
    """Return each scenario's result, held against what is true: it says that, or that it is not known, and why."""
    found = {re.sub(r".*#|@.*", "", result.id): result for result in report.results if result.feature}
    assert set(found) == set(TRUE)
    reachable = [result for result in report.results if not result.feature]
    for slug, result in found.items():
        if result.blocked_by:
            assert [each.id for each in reachable] == [result.blocked_by]
        elif result.state != TRUE[slug][1]:
            assert result.state == "unknown"
            assert "web-1" in result.reason
            assert re.search(r"the (connection ended|host's answer was cut off)|did not end within", result.reason)
    for each in reachable:
        assert each.state in ("critical", "unknown")
        assert "web-1" in each.reason
    known = [result for result in found.values() if result.state != "unknown"]
    assert report.exit == (
        2 if any(r.state == "critical" for r in [*known, *reachable]) else 3 if len(known) < 9 else 0
    )
    return found


def test_wherever_the_connection_is_cut(run: Callable[[float], Report], relay: Cutting) -> None:
    whole = told(run(60))
    assert {slug: result.state for slug, result in whole.items()} == {slug: state for slug, (_, state) in TRUE.items()}
    length = relay.passed
    assert length > 100_000
    answered = []
    # Half of the cuts in the key exchange, the login and the first answers, half in the rest.
    for number in range(CUTS):
        half = CUTS // 2
        relay.bytes = number * 8000 // half if number < half else 8000 + (number - half + 1) * (length - 8100) // half
        answered.append(sum(result.state != "unknown" for result in told(run(60)).values()))
    assert answered[0] == 0
    assert any(0 < count < len(TRUE) for count in answered)


def test_a_connection_that_falls_silent(run: Callable[[float], Report], relay: Cutting) -> None:
    run(60)
    relay.bytes, relay.silent = relay.passed - 60_000, True
    found = told(run(4))
    assert {found[slug].state for slug in ("is-there", "a-user")} == {"ok"}
    assert {found[slug].state for slug in ("long", "one", "two", "three")} == {"unknown"}
