"""SSH against a real sshd: one login, many commands, and every way in which that can fail; by each client."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
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
from infratest.states import CRITICAL, UNKNOWN
from infratest.testing.waiting import wait_until
from infratest.transports.base import CommandResult, Transport
from tests.worlds.sshd import Server, make_key

Start = Callable[..., Server]
LONG = 20.0


#: The client that the tests take; what only paramiko can do takes it whatever is said here.
taken = "libssh2"


@pytest.fixture(autouse=True, params=["libssh2", "paramiko"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test is done by both clients."""
    monkeypatch.setattr(sys.modules[__name__], "taken", request.param)
    return str(request.param)


def ssh(options: dict[str, Any], **host: Any) -> Transport:
    return get("transport", "ssh")(Host(name="web-1", options={"client": taken} | options, **host))


def answer(options: dict[str, Any], *command: str, **host: Any) -> CommandResult:
    """Open, run one command, close."""
    transport = ssh(options, **host)
    try:
        transport.open(Deadline(LONG))
        return transport.run(command or ("echo", "here"), Deadline(LONG))
    finally:
        transport.close()


def failure(kind: type[InfratestError], options: dict[str, Any], seconds: float = LONG) -> str:
    """Return the message with which opening fails; nothing of the attempt may be left."""
    files, threads = open_files(), threading.active_count()
    with pytest.raises(kind) as raised:
        ssh(options).open(Deadline(seconds))
    assert type(raised.value) is kind
    wait_until(lambda: threading.active_count() <= threads)
    assert open_files() <= files  # one that an earlier test left may have gone meanwhile
    assert "web-1" in str(raised.value)
    return str(raised.value)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def fingerprint(public: Path) -> str:
    shown = subprocess.run(["ssh-keygen", "-lf", public], capture_output=True, text=True, check=True).stdout
    return shown.split()[1]


# The ordinary case


def test_one_login_serves_many_commands(server: Server) -> None:
    before = server.logins()
    threads, files = threading.active_count(), open_files()
    transport = ssh(server.options())
    transport.open(Deadline(LONG))
    for number in range(5):
        assert transport.run(["echo", str(number)], Deadline(LONG)).stdout == f"{number}\n".encode()
    transport.close()
    assert transport.cost.as_dict() == {"logins": 1, "round_trips": 5, "commands": 5}
    assert server.logins() - before == transport.cost.logins
    wait_until(lambda: threading.active_count() <= threads)
    assert open_files() <= files  # one that an earlier test left may have gone meanwhile


def test_nagle_is_off_on_the_real_socket(server: Server) -> None:
    transport = ssh(server.options())
    transport.open(Deadline(LONG))
    flags = []
    for name in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(name))) as sock:
                if sock.family == socket.AF_INET and sock.getpeername() == (server.address, server.port):
                    flags.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        except OSError:
            continue
    transport.close()
    assert len(flags) == 1
    assert flags[0] != 0


def test_two_transports_at_once(server: Server) -> None:
    transports = [ssh(server.options()) for _ in range(4)]
    results: list[bytes] = []

    def work(transport: Transport, word: str) -> None:
        transport.open(Deadline(LONG))
        results.append(transport.run(["echo", word], Deadline(LONG)).stdout)
        transport.close()

    threads = [threading.Thread(target=work, args=(each, str(n))) for n, each in enumerate(transports)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert sorted(results) == [b"0\n", b"1\n", b"2\n", b"3\n"]


def test_a_banner_is_no_output(start: Start, tmp_path: Path) -> None:
    banner = tmp_path / "banner"
    banner.write_text("Authorised use only.\n" * 50)
    result = answer(start(Banner=str(banner)).options())
    assert (result.stdout, result.stderr) == (b"here\n", b"")


def test_what_a_profile_prints_is_no_output(start: Start) -> None:
    noise = 'echo noise; echo "more noise" >&2; head -c 3000000 /dev/zero; eval "$SSH_ORIGINAL_COMMAND"'
    result = answer(start(ForceCommand=noise).options(), "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (result.exit, result.stdout, result.stderr, result.truncated) == (3, b"out\n", b"err\n", False)


def test_a_daemon_left_behind_does_not_hold_us(server: Server) -> None:
    result = answer(server.options(), "sh", "-c", "sleep 30 & echo started $!")
    word, pid = result.stdout.split()
    os.kill(int(pid), signal.SIGKILL)
    assert word == b"started"
    assert result.exit == 0
    assert result.truncated  # its streams were still open, so there may have been more
    assert result.seconds < 10


def test_an_rsa_and_an_ecdsa_key_serve_too(start: Start, tmp_path: Path) -> None:
    for kind in ("rsa", "ecdsa"):
        assert answer(start(key=make_key(tmp_path / kind, kind)).options()).stdout == b"here\n"


def test_the_agent_holds_the_key(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket_path = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket_path], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket_path))
        wait_until(lambda: subprocess.run(["ssh-add", "-l"], capture_output=True, check=False).returncode == 1)  # empty
        subprocess.run(["ssh-add", "-q", make_key(tmp_path / "other"), server.key], check=True)
        options = server.options(agent=True, client="auto")
        del options["key"]
        monkeypatch.setenv("HOME", str(tmp_path))
        assert answer(options).stdout == b"here\n"
        # The same key, encrypted on disk and open in the agent.
        locked = tmp_path / "locked"
        locked.write_bytes(server.key.read_bytes())
        locked.chmod(0o600)
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "long secret", "-f", locked], check=True)
        locked.with_suffix(".pub").write_bytes(server.key.with_suffix(".pub").read_bytes())
        assert answer(server.options(agent=True, client="auto", key=str(locked))).stdout == b"here\n"
    finally:
        agent.terminate()
        agent.wait(LONG)


def test_an_agent_that_is_gone_is_no_trouble(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nothing"))
    assert answer(server.options(agent=True)).stdout == b"here\n"


# The host cannot be reached


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_refused(server: Server) -> None:
    port = closed_port()
    message = failure(Unreachable, server.options(port=port))
    assert Unreachable.state == CRITICAL
    for word in ("connection refused", "127.0.0.1", str(port), server.user, "sshd"):
        assert word in message


def test_no_route(server: Server) -> None:
    # 240.0.0.0/4 is reserved: the kernel itself refuses it.
    assert "cannot be reached" in failure(Unreachable, server.options(address="255.255.255.255"))


def test_connect_time_out(server: Server) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:  # the backlog is full after the first ones: the kernel answers no further SYN
            sock.setblocking(False)
            sock.connect_ex(place)
        message = failure(Unreachable, server.options(port=place[1], connect_timeout="500ms"))
        for sock in waiting:
            sock.close()
    assert "no answer to TCP within 0.5 s" in message


def test_a_port_that_accepts_and_says_nothing(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        message = failure(Unreachable, server.options(port=listener.getsockname()[1], connect_timeout="500ms"))
    assert "no SSH server speaks within 0.5 s" in message
    assert "gateway" in message


def speaking(words: bytes, hang: threading.Event | None = None) -> tuple[socket.socket, threading.Thread]:
    """A listener that says words to the first client, and hangs up, or waits first."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            client.sendall(words)
            if hang is not None:
                hang.wait(LONG)

    thread = threading.Thread(target=serve)
    thread.start()
    return listener, thread


def said_to(kind: type[InfratestError], server: Server, words: bytes, seconds: float = LONG, hang: bool = False) -> str:
    stop = threading.Event()
    listener, thread = speaking(words, stop if hang else None)
    with pytest.raises(kind) as raised:
        ssh(server.options(port=listener.getsockname()[1])).open(Deadline(seconds))
    stop.set()
    thread.join(LONG)
    listener.close()
    assert type(raised.value) is kind
    return str(raised.value)


def test_a_port_that_accepts_and_hangs_up(server: Server) -> None:
    assert "hangs up at once" in said_to(Unreachable, server, b"")


def test_a_port_that_speaks_something_else(server: Server) -> None:
    message = said_to(TransportError, server, b"HTTP/1.1 400 Bad Request\r\n\x1b[31mred\r\n\r\n")
    assert "HTTP/1.1 400 Bad Request" in message
    assert "\x1b" not in message


def test_a_server_that_is_full(server: Server) -> None:
    assert "Exceeded MaxStartups" in said_to(TransportError, server, b"Exceeded MaxStartups\r\n")


def test_a_server_that_stops_after_its_version(server: Server) -> None:
    message = said_to(DeadlineExceeded, server, b"SSH-2.0-Slow\r\n", 0.7, hang=True)
    assert "key exchange within 0.7 s" in message


def test_a_server_that_hangs_up_after_its_version(server: Server) -> None:
    assert "hung up during the key exchange" in said_to(ConnectionLost, server, b"SSH-2.0-Odd\r\n")


def test_a_server_of_another_protocol_version(server: Server) -> None:
    assert "no common language" in said_to(TransportError, server, b"SSH-1.5-Old\r\n")


def test_a_name_without_an_address(server: Server) -> None:
    message = failure(TransportError, server.options(address="no such host"))
    assert "no such host" in message
    assert TransportError.state == UNKNOWN


# Host keys


def test_an_unknown_host_key(server: Server, tmp_path: Path) -> None:
    logins = server.logins()
    message = failure(HostKeyRefused, server.options(known_hosts=str(tmp_path / "none")))
    for word in ("unknown", fingerprint(server.folder / "host_key.pub"), str(tmp_path / "none"), "pin: true"):
        assert word in message
    assert "CHANGED" not in message
    assert server.logins() == logins
    assert not (tmp_path / "none").exists()


def test_a_changed_host_key(server: Server, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub")
    known = tmp_path / "known_hosts"
    known.write_text(f"# a comment\n[127.0.0.1]:{server.port} {' '.join(other.read_text().split()[:2])}\n")
    logins = server.logins()
    for pin in (False, True):
        message = failure(HostKeyRefused, server.options(known_hosts=str(known), pin=pin))
        for word in ("CHANGED", f"{known}:2", fingerprint(server.folder / "host_key.pub"), fingerprint(other)):
            assert word in message
        assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in message
    assert server.logins() == logins
    assert len(known.read_text().splitlines()) == 2


def test_a_key_is_pinned_at_first_use_only_when_told(server: Server, tmp_path: Path) -> None:
    known = tmp_path / "state" / "known_hosts"
    assert answer(server.options(known_hosts=str(known), pin=True)).stdout == b"here\n"
    assert known.read_text() == f"[127.0.0.1]:{server.port} {server.host_key}\n"
    assert known.stat().st_mode & 0o777 == 0o600
    assert answer(server.options(known_hosts=str(known))).stdout == b"here\n"
    assert answer(server.options(known_hosts=str(known), pin=True)).stdout == b"here\n"
    assert len(known.read_text().splitlines()) == 1


def test_the_kind_of_key_on_record_is_asked_for(start: Start, tmp_path: Path) -> None:
    rsa = make_key(tmp_path / "host_rsa", "rsa")
    server = start(HostKeys=str(rsa))
    known = tmp_path / "known_rsa"
    known.write_text(f"[127.0.0.1]:{server.port} {' '.join(rsa.with_suffix('.pub').read_text().split()[:2])}\n")
    assert answer(server.options(known_hosts=str(known))).stdout == b"here\n"
    assert answer(server.options()).stdout == b"here\n"


def test_an_alias_names_the_host_in_known_hosts(server: Server, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"shop-web-1 {server.host_key}\n")
    assert answer(server.options(known_hosts=str(known), host_key_alias="shop-web-1")).stdout == b"here\n"
    failure(HostKeyRefused, server.options(known_hosts=str(known)))


# The way in is shut


def test_a_key_that_is_not_authorized(server: Server, tmp_path: Path) -> None:
    key = make_key(tmp_path / "stranger")
    message = failure(AccessRefused, server.options(key=str(key)))
    for word in ("refused", str(key), server.user, f"`ssh -i {key} -p {server.port} ", "authorized_keys"):
        assert word in message
    assert "PRIVATE" not in message


def test_a_key_that_is_not_there(server: Server, tmp_path: Path) -> None:
    message = failure(AccessRefused, server.options(key=str(tmp_path / "nowhere")))
    assert "no key to log in to" in message
    assert "nowhere does not exist" in message
    assert "refused" not in message, "nobody was asked"


def test_a_file_that_is_no_key(server: Server, tmp_path: Path) -> None:
    (tmp_path / "junk").write_text("not a key")
    assert "junk cannot be used" in failure(AccessRefused, server.options(key=str(tmp_path / "junk")))


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_an_encrypted_key_without_an_agent(server: Server, tmp_path: Path, kind: str) -> None:
    key = make_key(tmp_path / "locked", kind, "long secret")
    message = failure(AccessRefused, server.options(key=str(key)))
    assert f"{key} is encrypted" in message
    assert "ssh-add" in message
    assert "long secret" not in message


def test_a_user_that_is_not_there(server: Server) -> None:
    assert "user nobody-here" in failure(AccessRefused, server.options(user="nobody-here"))


def test_a_server_that_wants_more_than_a_key(start: Start) -> None:
    server = start(AuthenticationMethods="publickey,password", PasswordAuthentication="yes")
    assert "also wants password" in failure(AccessRefused, server.options())


def test_a_server_that_hangs_at_the_login(start: Start) -> None:
    server = start(AuthorizedKeysCommand="/bin/sleep 300", AuthorizedKeysCommandUser="root", AuthorizedKeysFile="none")
    message = failure(DeadlineExceeded, server.options(), 1.0)
    assert "no answer to the login" in message


@pytest.mark.parametrize("shell, words", [("/bin/false", ""), ("/usr/sbin/nologin", "not available")])
def test_a_shell_that_runs_nothing(start: Start, shell: str, words: str) -> None:
    with pytest.raises(AccessRefused, match=f"web-1.*did not run the command.*{words}"):
        answer(start(ForceCommand=shell).options())


def test_a_server_that_allows_no_session(start: Start) -> None:
    with pytest.raises(AccessRefused, match="no command may be run"):
        answer(start(MaxSessions="0").options())


# After the login


def test_a_host_that_hangs_after_the_login(start: Start) -> None:
    transport = ssh(start(ForceCommand="sleep 300").options())
    transport.open(Deadline(LONG))
    with pytest.raises(DeadlineExceeded, match=r"logged in, and the command did not begin within 1 s: true") as raised:
        transport.run(["true"], Deadline(1.0))
    transport.close()
    assert raised.value.partial == b""
    assert raised.value.state == UNKNOWN


def idle(server: Server) -> bool:
    """Whether no connection of a server has anything left to do."""
    stats = [Path(f"/proc/{pid}/stat").read_text() for pid in server.sessions()]
    return all(words.rpartition(")")[2].split()[0] == "S" for words in stats)


def test_a_connection_lost_in_the_middle(start: Start, tmp_path: Path) -> None:
    server = start()
    transport = ssh(server.options())
    transport.open(Deadline(LONG))
    begun = tmp_path / "begun"

    def cut() -> None:
        wait_until(begun.exists)
        wait_until(lambda: idle(server))  # it has sent what the command has written: its writing wakes it up
        for pid in server.sessions():
            os.kill(pid, signal.SIGKILL)

    cutter = threading.Thread(target=cut)
    cutter.start()
    with pytest.raises(ConnectionLost, match="in the middle of: sh -c") as raised:
        transport.run(["sh", "-c", f"echo half; touch {begun}; sleep 10"], Deadline(LONG))
    cutter.join(LONG)
    assert raised.value.partial == b"half\n"
    with pytest.raises(ConnectionLost):
        transport.run(["true"], Deadline(LONG))
    transport.close()
    transport.close()


def test_a_server_frozen_in_the_middle(start: Start, tmp_path: Path) -> None:
    server = start()
    transport = ssh(server.options())
    transport.open(Deadline(LONG))
    for pid in server.sessions():
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(DeadlineExceeded):
            transport.run(["cat"], Deadline(0.7), bytes(8_000_000))
    finally:
        for pid in server.sessions():
            os.kill(pid, signal.SIGCONT)
    transport.close()


def test_close_from_another_thread_ends_a_command(server: Server) -> None:
    transport = ssh(server.options())
    transport.open(Deadline(LONG))
    closer = threading.Timer(0.5, transport.close)
    closer.start()
    with pytest.raises(ConnectionLost):
        transport.run(["sleep", "300"], Deadline(LONG))
    closer.join()


# Without paramiko, and with a noisy one


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_without_paramiko_the_message_says_how_to_get_it() -> None:
    done = python(
        "import sys; sys.modules['paramiko'] = None\n"
        "from infratest.deadline import Deadline; from infratest.hosts import Host\n"
        "from infratest.outsiders import get\n"
        "try: get('transport', 'ssh')(Host(name='web-1', options={'client': 'paramiko'})).open(Deadline(1))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    assert done.stdout.startswith("TransportError web-1: ")
    assert "pip install 'infratest[ssh]'" in done.stdout
    assert done.stderr == ""


def test_paramiko_never_writes_to_stderr(server: Server) -> None:
    listener, thread = speaking(b"SSH-1.5-Old\r\n")
    done = python(
        "import sys\nfrom infratest.deadline import Deadline; from infratest.hosts import Host\n"
        "from infratest.outsiders import get\n"
        "options = dict(address='127.0.0.1', port=int(sys.argv[1]), config='none', agent=False, client='paramiko')\n"
        "try: get('transport', 'ssh')(Host(name='web-1', options=options)).open(Deadline(9))\n"
        "except Exception as error: print(type(error).__name__)",
        str(listener.getsockname()[1]),
    )
    thread.join(LONG)
    listener.close()
    assert (done.stdout, done.stderr) == ("TransportError\n", "")


def test_the_transport_is_listed_without_importing_paramiko() -> None:
    done = python(
        "import sys; from infratest.outsiders import names, get; get('transport', 'ssh'); print(names('transport'))\n"
        "print('paramiko' in sys.modules)"
    )
    assert done.stdout == "['container', 'fake', 'local', 'openssh', 'ssh']\nFalse\n"
