"""`infratest forward` and `ssh-config` on real sshds: other programs reach what the stack reaches, and no more."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.worlds import forked
from tests.worlds.sshd import Server, make_key, running_sshd

STACK = """\
stack: office
provider: {{name: existing, known-hosts: "known hosts", config: {config}, agent: false}}
hosts:
  desk: {{address: {address}, port: {port}, user: root, key: "my id"{jump}}}
  here: {{address: localhost, transport: local}}
"""


def project(folder: Path, known: list[Server], last: Server, *, jump: str = "", config: str = "none") -> None:
    (folder / "known hosts").write_text("".join(each.known_hosts.read_text() for each in known))
    more = f', jump: "{jump}"' if jump else ""
    (folder / "stack.yaml").write_text(STACK.format(address="127.0.0.1", port=last.port, jump=more, config=config))


def infratest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return forked.run(words, cwd=folder, timeout=60)


@contextmanager
def answering() -> Iterator[int]:
    """Yield a port at which everyone gets `hello`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"hello")

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def forwarding(folder: Path, *words: str) -> Iterator[list[str]]:
    """Forward, and yield what it says once all is open; Ctrl-C ends it."""
    command = [sys.executable, "-m", "infratest", "forward", *words]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        while not lines or lines[-1] not in ("Ctrl-C ends it", ""):
            lines.append(process.stderr.readline().rstrip("\n"))
        try:
            yield lines
        finally:
            assert interrupted(process) in (130, 255, -signal.SIGINT, 2)


def interrupted(process: subprocess.Popen[str]) -> int:
    """Press Ctrl-C until the process has ended; return its exit status.

    The client of OpenSSH 9.2 waits in poll() without a time limit, and no mask of signals goes with it: a signal that
    comes between its look at the flag and poll() is noticed at the next packet, or at the next Ctrl-C.
    """
    for _ in range(20):
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(1)
        except subprocess.TimeoutExpired:
            continue
    return process.wait(1)


def test_a_port_of_the_host_is_reached_here_until_ctrl_c(tmp_path: Path) -> None:
    """The host is this machine, so that its port is taken here: another one leads to it."""
    key = make_key(tmp_path / "my id")
    with running_sshd(tmp_path / "sshd", key=key) as server, answering() as port:
        project(tmp_path, [server], server)
        with forwarding(tmp_path, "desk", str(port)) as lines:
            place, _, rest = lines[0].partition(" ")
            address, _, local = place.partition(":")
            assert (rest, address, lines[1:]) == (f"is port {port} of desk", "127.0.0.1", ["Ctrl-C ends it"])
            assert int(local) != port
            with socket.create_connection((address, int(local)), 10) as connection:
                assert connection.recv(100) == b"hello"
        assert server.logins() == 1


def test_a_port_is_the_same_here_where_it_is_free_and_one_that_was_named_is_no_other(tmp_path: Path) -> None:
    key = make_key(tmp_path / "my id")
    with running_sshd(tmp_path / "sshd", key=key) as server, socket.create_server(("127.0.0.1", 0)) as taken:
        project(tmp_path, [server], server)
        with socket.create_server(("127.0.0.1", 0)) as other:
            free = other.getsockname()[1]
        with forwarding(tmp_path, "desk", str(free), "0:1") as lines:
            assert lines == ["infratest: '0:1': there is no port 0; ports are 1 to 65535", ""]
        with forwarding(tmp_path, "desk", str(free)) as lines:
            assert lines == [f"127.0.0.1:{free} is port {free} of desk", "Ctrl-C ends it"]
        done = infratest(tmp_path, "forward", "desk", f"{taken.getsockname()[1]}:80")
        assert done.returncode == 255
        assert "Ctrl-C" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["desk", "http"], "'http' is no port; write PORT, LOCAL:PORT or LOCAL:ADDRESS:PORT"),
        (["desk", "70000"], "there is no port 70000; ports are 1 to 65535"),
        (["here", "80"], "here is reached by transport local, and ports are forwarded by ssh alone"),
        (["dsek", "80"], "did you mean 'desk'?"),
    ],
)
def test_what_cannot_be_forwarded_is_told(tmp_path: Path, words: list[str], message: str) -> None:
    (tmp_path / "stack.yaml").write_text(
        "stack: office\nprovider: existing\nhosts:\n  desk: {address: 127.0.0.1}\n"
        "  here: {address: localhost, transport: local}\n"
    )
    done = infratest(tmp_path, "forward", *words)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("jumps", [0, 2])
def test_ssh_config_leads_other_programs_to_the_hosts(tmp_path: Path, jumps: int) -> None:
    key = make_key(tmp_path / "my id")
    with (
        running_sshd(tmp_path / "a", key=key) as first,
        running_sshd(tmp_path / "b", key=key) as second,
        running_sshd(tmp_path / "last", key=key) as last,
    ):
        ways = [first, second][:jumps]
        project(tmp_path, [*ways, last], last, jump=",".join(f"root@127.0.0.1:{way.port}" for way in ways))
        done = infratest(tmp_path, "ssh-config", "--host", "desk")
        assert (done.returncode, done.stderr) == (0, "")
        assert login(tmp_path, done.stdout, "desk") == str(last.port)
        assert [way.logins() for way in (first, second, last)] == [*[1] * jumps, *[0] * (2 - jumps), 1]


def test_ssh_config_holds_what_the_users_own_says_of_the_host(tmp_path: Path) -> None:
    """The jump host stands in the user's file alone; the printed one leads through it, and names the file for it."""
    key = make_key(tmp_path / "my id")
    with running_sshd(tmp_path / "way", key=key) as way, running_sshd(tmp_path / "last", key=key) as last:
        own = tmp_path / "own config"
        own.write_text(
            f"Host bastion\n  HostName 127.0.0.1\n  Port {way.port}\n  User root\n"
            "Host 127.0.0.1\n  ProxyJump bastion\n  ServerAliveInterval 17\n"
        )
        project(tmp_path, [way, last], last, config=f'"{own}"')
        done = infratest(tmp_path, "ssh-config", "desk")
        assert (done.returncode, done.stderr) == (0, "")
        assert "serveraliveinterval 17" in done.stdout
        assert login(tmp_path, done.stdout, "desk") == str(last.port)
        assert (way.logins(), last.logins()) == (1, 1)


def test_ssh_config_keeps_known_hosts_whole_whose_paths_hold_blanks(tmp_path: Path) -> None:
    """The user's file names two of them in one line, where only quotes say which blank ends a path."""
    own = tmp_path / "own"
    own.write_text(f'Host 127.0.0.1\n  UserKnownHostsFile "{tmp_path}/a b/kh" {tmp_path}/c\n')
    (tmp_path / "stack.yaml").write_text(
        f"stack: office\nprovider: {{name: existing, config: {own}}}\nhosts:\n  desk: {{address: 127.0.0.1}}\n"
    )
    done = infratest(tmp_path, "ssh-config")
    assert (done.returncode, done.stderr) == (0, "")
    assert f'  userknownhostsfile "{tmp_path}/a b/kh" "{tmp_path}/c"\n' in done.stdout


def test_ssh_config_says_what_it_left_out(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(
        "stack: office\nprovider: existing\nhosts:\n  desk: {address: 127.0.0.1, user: ann}\n"
        "  here: {address: localhost, transport: local}\n"
    )
    done = infratest(tmp_path, "ssh-config")
    assert done.returncode == 0
    assert "# left out: here is reached by transport local\n" in done.stdout
    assert "Host desk\n  HostName 127.0.0.1\n  User ann\n  Port 22\n" in done.stdout
    done = infratest(tmp_path, "ssh-config", "here")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no host here is reached by ssh: here is reached by transport local" in done.stderr


def login(folder: Path, config: str, name: str) -> str:
    """Log in by this configuration alone; return the port at which one came in."""
    (folder / "printed").write_text(config)
    words = ["ssh", "-F", str(folder / "printed"), name, "echo $SSH_CONNECTION"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
    return shlex.split(done.stdout)[3]
