"""SSH by the system's client: one master a run, and every way in which that can fail."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import (
    AccessRefused,
    ConnectionLost,
    DeadlineExceeded,
    HostKeyRefused,
    InfratestError,
    TransportError,
    Unreachable,
)
from infratest.hosts import Host
from infratest.outsiders import get
from infratest.testing.waiting import wait_until
from infratest.transports.base import Transport
from tests.worlds.sshd import Server, children, make_key

Start = Callable[..., Server]
LONG = 20.0


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the masters' sockets lie (a short path), for looking at what is left of them."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as path:
        monkeypatch.setattr(tempfile, "tempdir", path)
        yield Path(path)


def openssh(options: dict[str, Any], **host: Any) -> Transport:
    return get("transport", "openssh")(Host(name="web-1", transport="openssh", options=options, **host))


def failure(kind: type[InfratestError], options: dict[str, Any], folder: Path, seconds: float = LONG) -> str:
    """Return the message with which opening fails; nothing of the attempt may be left."""
    before = children(os.getpid())
    with pytest.raises(kind) as raised:
        openssh(options).open(Deadline(seconds))
    assert type(raised.value) is kind
    assert "web-1" in str(raised.value)
    assert list(folder.iterdir()) == []
    assert children(os.getpid()) == before
    return str(raised.value)


def test_one_master_serves_many_commands_and_leaves_nothing(server: Server, folder: Path) -> None:
    logins, before = server.logins(), children(os.getpid())
    transport = openssh(server.options())
    transport.open(Deadline(LONG))
    (private,) = folder.iterdir()
    assert private.stat().st_mode & 0o777 == 0o700
    for number in range(4):
        assert transport.run(["echo", str(number)], Deadline(LONG)).stdout == f"{number}\n".encode()
    assert server.logins() - logins == transport.cost.logins == 1
    transport.close()
    assert list(folder.iterdir()) == []
    assert children(os.getpid()) == before


def test_a_status_of_255_is_the_commands(server: Server) -> None:
    transport = openssh(server.options())
    transport.open(Deadline(LONG))
    assert transport.run(["sh", "-c", "exit 255"], Deadline(LONG)).exit == 255
    transport.close()


def test_a_proxy_command_of_ssh_config(server: Server, tmp_path: Path) -> None:
    config = tmp_path / "config"
    relay = tmp_path / "relay.py"
    relay.write_text(
        "import os, select, socket, sys\n"
        "sock = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "pairs = {0: sock.fileno(), sock.fileno(): 1}\n"
        "while True:\n"
        "    for one in select.select([*pairs], [], [])[0]:\n"
        "        data = os.read(one, 65536)\n"
        "        if not data: sys.exit()\n"
        "        while data: data = data[os.write(pairs[one], data):]\n"
    )
    config.write_text(f"Match host web-1\nProxyCommand python3 {relay} {server.address} {server.port}\n")
    known = tmp_path / "known"
    known.write_text(f"web-1 {server.host_key}\n")
    options = {"config": str(config), "key": str(server.key), "known-hosts": str(known), "user": server.user}
    transport = openssh(options | {"agent": False})
    transport.open(Deadline(LONG))
    assert transport.run(["echo", "here"], Deadline(LONG)).stdout == b"here\n"
    transport.close()


def test_what_a_profile_prints_is_no_output(start: Start) -> None:
    noise = 'echo noise; echo "more noise" >&2; head -c 3000000 /dev/zero; eval "$SSH_ORIGINAL_COMMAND"'
    transport = openssh(start(ForceCommand=noise).options())
    transport.open(Deadline(LONG))
    result = transport.run(["sh", "-c", "echo out; echo err >&2; exit 3"], Deadline(LONG))
    transport.close()
    assert (result.exit, result.stdout, result.stderr, result.truncated) == (3, b"out\n", b"err\n", False)


# The way in is shut


def test_refused(server: Server, folder: Path) -> None:
    assert "Connection refused" in failure(Unreachable, server.options(port=1), folder)


def test_a_name_without_an_address(server: Server, folder: Path) -> None:
    assert "resolve" in failure(TransportError, server.options(address="no-such-host.invalid"), folder)


def test_an_unknown_host_key(server: Server, folder: Path, tmp_path: Path) -> None:
    logins = server.logins()
    failure(HostKeyRefused, server.options(known_hosts=str(tmp_path / "none")), folder)
    assert server.logins() == logins


def test_a_changed_host_key(server: Server, folder: Path, tmp_path: Path) -> None:
    known = tmp_path / "known hosts"
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text().split()
    known.write_text(f"[127.0.0.1]:{server.port} {' '.join(other[:2])}\n")
    for pin in (False, True):
        failure(HostKeyRefused, server.options(known_hosts=str(known), pin=pin), folder)


def test_a_key_is_pinned_only_when_told(server: Server, tmp_path: Path) -> None:
    transport = openssh(server.options(known_hosts=str(tmp_path / "pinned hosts"), pin=True))
    transport.open(Deadline(LONG))
    transport.close()
    assert server.host_key in (tmp_path / "pinned hosts").read_text()


def test_a_key_that_is_not_authorized(server: Server, folder: Path, tmp_path: Path) -> None:
    failure(AccessRefused, server.options(key=str(make_key(tmp_path / "stranger"))), folder)


def test_a_server_that_hangs_at_the_login(start: Start, folder: Path) -> None:
    server = start(AuthorizedKeysCommand="/bin/sleep 300", AuthorizedKeysCommandUser="root", AuthorizedKeysFile="none")
    assert "did not log in within 1 s" in failure(DeadlineExceeded, server.options(), folder, 1.0)


def test_no_ssh_on_this_machine(server: Server, folder: Path) -> None:
    assert "apt-get install openssh-client" in failure(TransportError, server.options(program="no-such-ssh"), folder)


@pytest.mark.parametrize("options, words", [({"ForceCommand": "/bin/false"}, "did not run the command")])
def test_a_shell_that_runs_nothing(start: Start, options: dict[str, str], words: str) -> None:
    transport = openssh(start(**options).options())
    transport.open(Deadline(LONG))
    with pytest.raises(AccessRefused, match=words):
        transport.run(["true"], Deadline(LONG))
    transport.close()


def test_a_server_that_allows_no_session(start: Start) -> None:
    transport = openssh(start(MaxSessions="0").options())
    transport.open(Deadline(LONG))
    with pytest.raises(AccessRefused, match="no command may be run"):
        transport.run(["true"], Deadline(LONG))
    transport.close()


# After the login


def test_a_connection_lost_in_the_middle(start: Start, tmp_path: Path) -> None:
    server = start()
    transport = openssh(server.options())
    transport.open(Deadline(LONG))
    begun = tmp_path / "begun"

    def cut() -> None:
        wait_until(begun.exists)
        for pid in server.sessions():
            os.kill(pid, signal.SIGKILL)

    cutter = threading.Thread(target=cut)
    cutter.start()
    with pytest.raises(ConnectionLost, match="in the middle of: sh -c") as raised:
        transport.run(["sh", "-c", f"echo half; sleep 0.3; touch {begun}; sleep 10"], Deadline(LONG))
    cutter.join(LONG)
    assert raised.value.partial == b"half\n"
    logins = server.logins()
    with pytest.raises(ConnectionLost):
        transport.run(["true"], Deadline(LONG))
    assert server.logins() == logins  # it does not connect anew behind our back
    transport.close()


def test_close_from_another_thread_ends_a_command(server: Server) -> None:
    transport = openssh(server.options())
    transport.open(Deadline(LONG))
    closer = threading.Timer(0.5, transport.close)
    closer.start()
    with pytest.raises(ConnectionLost):
        transport.run(["sleep", "300"], Deadline(LONG))
    closer.join()


def test_a_daemon_left_behind_costs_the_deadline_and_no_verdict(server: Server) -> None:
    transport = openssh(server.options())
    transport.open(Deadline(LONG))
    result = transport.run(["sh", "-c", "sleep 30 & echo started $!"], Deadline(2.0))
    transport.close()
    word, pid = result.stdout.split()
    os.kill(int(pid), signal.SIGKILL)
    assert (word, result.exit, result.truncated) == (b"started", 0, True)


# Through jump hosts: with the host's own key and known hosts, which an ssh_config knows nothing of


@pytest.fixture
def known(server: Server, tmp_path: Path) -> Callable[..., str]:
    """A known_hosts file of the host and these jump hosts, at a path that has to be quoted."""

    def all_of(*jumps: Server) -> str:
        path = tmp_path / 'it"s %h known'
        path.write_text("".join(each.known_hosts.read_text() for each in (server, *jumps)))
        return str(path)

    return all_of


def place(server: Server) -> str:
    return f"{server.user}@{server.address}:{server.port}"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_through_jump_hosts(server: Server, start: Start, known: Callable[..., str], count: int) -> None:
    jumps, before = [start(key=server.key) for _ in range(count)], server.logins()
    options = server.options(jump=", ".join(map(place, jumps)), known_hosts=known(*jumps), config="none")
    transport = openssh(options)
    transport.open(Deadline(LONG))
    assert transport.run(["echo", "there"], Deadline(LONG)).stdout == b"there\n"
    transport.close()
    assert [jump.logins() for jump in jumps] == [1] * count
    assert server.logins() - before == transport.cost.logins == 1


def test_a_jump_host_is_verified_before_anything_is_offered(server: Server, start: Start, folder: Path) -> None:
    jump = start(key=server.key)
    said = failure(HostKeyRefused, server.options(jump=place(jump), config="none"), folder)
    assert "Host key verification failed" in said
    assert "publickey" not in jump.log.read_text()


def test_a_jump_hosts_name_is_no_option(server: Server, folder: Path, tmp_path: Path) -> None:
    failure(TransportError, server.options(jump=f"-oProxyCommand=touch {tmp_path}/never"), folder)
    assert not (tmp_path / "never").exists()


def test_a_jump_host_that_is_down_is_not_the_host_down(server: Server, start: Start, folder: Path) -> None:
    jump = start(key=server.key)
    jump.stop()
    said = failure(TransportError, server.options(jump=place(jump)), folder)
    assert "Connection refused" in said
    assert "whether the host behind it is up is not known" in said


def test_a_jump_host_of_ssh_config_that_is_down_is_not_the_host_down(
    server: Server, start: Start, folder: Path, tmp_path: Path
) -> None:
    jump = start(key=server.key)
    jump.stop()
    for way in (f"ProxyJump {place(jump)}", f"ProxyCommand ssh -F none -p {jump.port} {jump.address} -W %h:%p"):
        (tmp_path / "ssh_config").write_text(f"Host web-1\n  HostName {server.address}\n  {way}\n")
        options = server.options(config=str(tmp_path / "ssh_config"), address="web-1")
        said = failure(TransportError, options, folder)
        assert "could not be logged in to through " in said
        assert str(jump.port) in said
        assert "whether the host behind it is up is not known" in said
    failure(Unreachable, server.options(port=jump.port, config="none"), folder)


def test_a_host_that_is_down_behind_a_jump_host(
    server: Server, start: Start, known: Callable[..., str], folder: Path
) -> None:
    jump, gone = start(key=server.key), start(key=server.key)
    gone.stop()
    failure(Unreachable, server.options(jump=place(jump), known_hosts=known(jump), port=gone.port), folder)
