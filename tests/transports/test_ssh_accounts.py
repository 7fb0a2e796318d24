"""Accounts on a real Debian: what sudo allows, login shells that run nothing, profiles that print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import AccessRefused, DeadlineExceeded, TransportError
from infratest.hosts import Host
from infratest.outsiders import get
from infratest.testing.waiting import wait_until
from infratest.transports.base import Transport
from tests.worlds.sshd import make_key
from tests.worlds.tiny_container import ssh_container

LONG = 20.0
Login = Callable[[str], Transport]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("accounts")
    key = make_key(folder / "id")
    with ssh_container(key.with_suffix(".pub").read_text()) as (address, host_key):
        known: Path = folder / "known_hosts"
        known.write_text(f"{address} {host_key}\n")
        yield {"address": address, "key": str(key), "known-hosts": str(known), "config": "none", "agent": False}


@pytest.fixture
def login(options: dict[str, Any]) -> Iterator[Login]:
    """Logs in as a user."""
    opened: list[Transport] = []

    def login(user: str) -> Transport:
        opened.append(get("transport", "ssh")(Host(name="web-1", options=options | {"user": user})))
        opened[-1].open(Deadline(LONG))
        return opened[-1]

    yield login
    for transport in opened:
        transport.close()


def test_sudo_that_is_denied(login: Login) -> None:
    transport = login("plain")
    with pytest.raises(AccessRefused, match=r"sudo on web-1 was denied: sudo: .*password.*NOPASSWD"):
        transport.run(["id", "-u"], Deadline(LONG), sudo=True)
    assert transport.run(["id", "-un"], Deadline(LONG)).stdout == b"plain\n"


@pytest.mark.parametrize("user", ["admin", "noisy"])
def test_sudo_that_is_allowed(login: Login, user: str) -> None:
    transport = login(user)
    assert transport.run(["id", "-u"], Deadline(LONG), sudo=True).stdout == b"0\n"
    assert transport.run(["sh", "-c", "exit 7"], Deadline(LONG), sudo=True).exit == 7
    transport.put(b"text", "/root/a file", "0600", Deadline(LONG), sudo=True)
    assert transport.run(["cat", "/root/a file"], Deadline(LONG), sudo=True).stdout == b"text"
    with pytest.raises(TransportError, match=r"could not write /root/other: .*Permission denied"):
        transport.put(b"text", "/root/other", "0600", Deadline(LONG))


def test_the_deadline_ends_a_command_of_root(login: Login) -> None:
    transport = login("admin")
    with pytest.raises(DeadlineExceeded) as raised:
        transport.run(["sh", "-c", "echo $$; sleep 300"], Deadline(1.0), sudo=True)
    pid = raised.value.partial.decode().strip()
    assert pid.isdigit()
    wait_until(lambda: transport.run(["test", "-d", f"/proc/{pid}"], Deadline(LONG)).exit == 1)


@pytest.mark.parametrize("user, root", [("admin", True), ("noisy", True), ("noisy", False), ("dashed", False)])
def test_scripts_in_a_row(login: Login, user: str, root: bool) -> None:
    transport = login(user)
    for number in ("1", "2", "3"):
        text = b'echo "$(id -un) $1"; echo err >&2; exit 3'
        result = transport.run_script(text, Deadline(LONG), sudo=root, arguments=[number])
        name = "root" if root else user
        assert (result.exit, result.stdout, result.stderr) == (3, f"{name} {number}\n".encode(), b"err\n")
    assert transport.cost.as_dict() == {"logins": 1, "round_trips": 3, "commands": 3}


def test_scripts_of_root_and_of_a_user_in_turns(login: Login) -> None:
    transport = login("admin")
    for sudo, name in [(False, b"admin\n"), (True, b"root\n")] * 2:
        assert transport.run_script(b"id -un", Deadline(LONG), sudo=sudo).stdout == name


def test_the_deadline_ends_a_script_of_root(login: Login) -> None:
    transport = login("admin")
    text = b'echo $$; sleep "$1"'
    for _ in range(2):
        assert transport.run_script(text, Deadline(LONG), sudo=True, arguments=["0"]).exit == 0
        with pytest.raises(DeadlineExceeded) as raised:
            transport.run_script(text, Deadline(1.5), sudo=True, arguments=["300"])
        pid = raised.value.partial.decode().strip()
        assert pid.isdigit()
        wait_until(lambda pid=pid: transport.run(["test", "-d", f"/proc/{pid}"], Deadline(LONG)).exit == 1)


def test_a_script_by_sudo_that_is_denied(login: Login) -> None:
    transport = login("plain")
    for _ in range(2):
        with pytest.raises(AccessRefused, match=r"sudo on web-1 was denied: sudo: .*password.*NOPASSWD"):
            transport.run_script(b"id -un", Deadline(LONG), sudo=True)
        assert transport.run_script(b"id -un", Deadline(LONG)).stdout == b"plain\n"


def test_what_a_profile_prints_is_no_output(login: Login) -> None:
    result = login("noisy").run(["sh", "-c", "echo out; echo err >&2"], Deadline(LONG))
    assert (result.stdout, result.stderr) == (b"out\n", b"err\n")


@pytest.mark.parametrize("user", ["dashed", "restricted"])
def test_other_shells_that_run_commands(login: Login, user: str) -> None:
    result = login(user).run(["printf", "%s", "it's $HOME\n"], Deadline(LONG))
    assert (result.exit, result.stdout) == (0, b"it's $HOME\n")


@pytest.mark.parametrize(
    "user, words", [("shut", "This account is currently not available"), ("falsed", "ended with 1")]
)
def test_shells_that_run_nothing(login: Login, user: str, words: str) -> None:
    transport = login(user)
    for run in (lambda: transport.run(["true"], Deadline(LONG)), lambda: transport.run_script(b"", Deadline(LONG))):
        with pytest.raises(AccessRefused, match=f"web-1.*user {user}.*did not run the command.*{words}"):
            run()
