"""The fast SSH client: when it is taken, what it imports, how often it waits, and servers that are odd."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import TransportError
from infratest.hosts import Host
from infratest.outsiders import get
from infratest.transports.base import Transport
from infratest.transports.ssh.choice import choose
from infratest.transports.ssh.libssh2_shell import Shell
from infratest.transports.ssh.route import Options, route
from tests.worlds.sshd import Server, make_key
from tests.worlds.turns import Turns, counting

Start = Callable[..., Server]
LONG = 20.0


def ssh(options: dict[str, Any], **host: Any) -> Transport:
    return get("transport", "ssh")(Host(name="web-1", options=options, **host))


def answer(options: dict[str, Any], *command: str) -> bytes:
    transport = ssh(options)
    try:
        transport.open(Deadline(LONG))
        return transport.run(command or ("echo", "here"), Deadline(LONG)).stdout
    finally:
        transport.close()


# Which client is taken


def taken(options: dict[str, Any]) -> tuple[str, str]:
    choice = ssh(options).choice()
    return choice.client, choice.why


def test_what_a_stack_gives_goes_by_libssh2(server: Server) -> None:
    assert taken(server.options())[0] == "libssh2"
    assert taken(server.options(client="libssh2"))[0] == "libssh2"
    assert taken(server.options(client="paramiko")) == ("paramiko", "asked for by `client: paramiko`")


def test_what_goes_by_paramiko(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    locked, signed = make_key(tmp_path / "locked", password="secret"), make_key(tmp_path / "signed")
    (tmp_path / "signed-cert.pub").write_text("a certificate")
    no_key = {name: value for name, value in server.options(agent=True).items() if name != "key"}
    for options, words in (
        (server.options(jump="edge"), "jump host"),
        (server.options(agent=True, key=str(locked)), "locked is encrypted"),
        (server.options(key=str(signed)), "signed has a certificate"),
        (no_key, "agent may hold the key"),
    ):
        client, why = taken(options)
        assert client == "paramiko"
        assert words in why
        with pytest.raises(TransportError, match="`client: libssh2` cannot serve"):
            ssh(options | {"client": "libssh2"}).open(Deadline(LONG))
    assert taken(server.options(agent=True))[0] == "libssh2"  # a `key:` that is open: the agent is not asked
    assert taken(server.options(key=str(locked)))[0] == "libssh2"  # refused by either, in the same words


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    key = make_key(tmp_path / "pkcs8", "rsa")
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PKCS8", "-N", "", "-f", key], check=True)
    assert key.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    hops = route(Host(name="web-1"), Options(config="none", agent=False, key=str(key)))
    assert choose(hops).why == f"{key} is a key of another kind (PKCS #8)"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_keys_of_the_old_form(start: Start, tmp_path: Path, kind: str) -> None:
    key = make_key(tmp_path / kind, kind)
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-f", key], check=True)
    assert "OPENSSH" not in key.read_text()
    assert answer(start(key=key).options(client="libssh2")) == b"here\n"


def test_the_users_own_ssh_config_needs_no_paramiko(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        "Match user nobody\n  Port 1\nMatch all\n  Include /etc/ssh/ssh_config.d/*.conf\n"
        "Host *\n  SendEnv LANG LC_*\n  HashKnownHosts yes\n"
        f"Host web-*\n  HostName={server.address}\n  Port = {server.port}\n  IdentityFile {server.folder}/%%id\n"
    )
    (server.folder / "%id").write_bytes(server.key.read_bytes())
    options = {"config": str(path), "agent": False, "known-hosts": str(server.known_hosts), "user": server.user}
    assert taken(options)[0] == "libssh2"
    assert answer(options) == b"here\n"


def test_paramiko_is_not_imported(server: Server) -> None:
    code = (
        "import sys, json\n"
        "from infratest.deadline import Deadline; from infratest.hosts import Host\n"
        "from infratest.outsiders import get\n"
        "transport = get('transport', 'ssh')(Host(name='web-1', options=json.loads(sys.argv[1])))\n"
        "transport.open(Deadline(20)); print(transport.run(['echo', 'here'], Deadline(20)).stdout)\n"
        "transport.close(); print([name for name in ('paramiko', 'cryptography', 'asyncio') if name in sys.modules])"
    )
    hashed = server.folder / "hashed"
    hashed.write_bytes(server.known_hosts.read_bytes())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", hashed], check=True, capture_output=True)
    for options in (server.options(), server.options(pipelined=True), server.options(known_hosts=str(hashed))):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, json.dumps(options)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("b'here\\n'\n[]\n", "")


def test_without_ssh2_paramiko_serves(server: Server) -> None:
    code = (
        "import sys, json; sys.modules['ssh2.session'] = None\n"
        "from infratest.hosts import Host\nfrom infratest.outsiders import get\n"
        "choice = get('transport', 'ssh')(Host(name='web-1', options=json.loads(sys.argv[1]))).choice()\n"
        "print(choice.client, choice.why)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(server.options())], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("paramiko ssh2-python cannot be imported")
    assert "pip install 'infratest[ssh]'" in done.stdout


# How often it waits, counted outside


def behind(server: Server, turns: Turns, **options: Any) -> dict[str, Any]:
    known = server.folder / f"known-{turns.port}"
    known.write_text(f"[127.0.0.1]:{turns.port} {server.host_key}\n")
    return server.options(port=turns.port, known_hosts=str(known), **options)


@pytest.mark.parametrize("stdin", [b"", b"a script"])
@pytest.mark.parametrize(
    "options, login, first, more",
    [
        # versions and key offers; key exchange; service; would this key do; signed
        ({"client": "libssh2"}, 5, 7, 1),  # then the channel, the command
        # the service goes with the question, the channel with the signature
        ({"client": "libssh2", "pipelined": True}, 4, 5, 1),
    ],
)
def test_round_trips(server: Server, options: dict[str, Any], login: int, first: int, more: int, stdin: bytes) -> None:
    # OpenSSH takes no input before it has started the command: what is fed waits for that once.
    first, more = first + bool(stdin), more + bool(stdin)
    with counting(server.port) as turns:
        transport = ssh(behind(server, turns, **options))
        transport.open(Deadline(LONG))
        assert turns.answered == login
        assert transport.run(["cat"], Deadline(LONG), stdin).stdout == stdin
        assert turns.answered == first
        for number in (1, 2, 3):
            assert transport.run(["cat"], Deadline(LONG), stdin).stdout == stdin
            assert turns.answered == first + number * more
        transport.close()
        assert turns.connections == 1


@pytest.mark.parametrize("pipelined, first", [(False, 7), (True, 5)])
def test_a_script_takes_one_round_trip(server: Server, pipelined: bool, first: int) -> None:
    with counting(server.port) as turns:
        transport = ssh(behind(server, turns, client="libssh2", pipelined=pipelined))
        transport.open(Deadline(LONG))
        for number in range(3):
            assert transport.run_script(b"x='a script'\necho $x", Deadline(LONG)).stdout == b"a script\n"
            assert turns.answered == first + number
        transport.close()


# Servers that differ


def test_a_server_that_gives_one_channel_at_a_time(start: Start) -> None:
    transport = ssh(start(MaxSessions="1").options(client="libssh2"))
    transport.open(Deadline(LONG))
    for number in range(4):
        assert transport.run(["echo", str(number)], Deadline(LONG)).stdout == f"{number}\n".encode()
    transport.close()
    assert transport.cost.logins == 1


def test_a_shell_that_is_killed_is_no_success(server: Server) -> None:
    transport = ssh(server.options(client="libssh2"))
    transport.open(Deadline(LONG))
    with pytest.raises(TransportError, match="closed without a status") as raised:
        transport.run(["sh", "-c", "echo half; kill -KILL $PPID; sleep 0.1"], Deadline(LONG))
    assert raised.value.partial == b"half\n"
    assert transport.run(["echo", "on"], Deadline(LONG)).stdout == b"on\n"
    transport.close()


def test_the_words_of_the_shell_about_a_signal_are_none_of_the_commands(server: Server) -> None:
    transport = ssh(server.options(client="libssh2"))
    transport.open(Deadline(LONG))
    result = transport.run(["sh", "-c", "echo mine >&2; kill -SEGV $$"], Deadline(LONG))
    transport.close()
    assert (result.exit, result.stderr) == (139, b"mine\n")


def test_close_while_it_connects(server: Server) -> None:
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = ssh(server.options(client="libssh2", port=listener.getsockname()[1], connect_timeout=LONG))
        errors: list[BaseException] = []

        def work() -> None:
            try:
                transport.open(Deadline(LONG))
            except TransportError as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        listener.accept()[0].close()
        transport.close()
        thread.join(LONG)
        assert len(errors) == 1


def test_a_longer_answer_does_not_make_the_next_wait_longer():
    """It is waited for in one piece, up to twice the time of the last: answers to the same script vary by processes."""
    shell = Shell(sudo=False)
    shell.changes("a script")
    for size, seconds in ((16_600, 0.75), (14_300, 1.5), (15_000, 1.6)):
        shell.remember(size, seconds)
    assert (shell.answered, shell.took) == (14_300, 0.75)
    shell.changes("another")
    shell.remember(90_000, 3.0)
    assert (shell.answered, shell.took) == (90_000, 3.0)
