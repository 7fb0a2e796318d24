"""The shell that stays for the scripts of a host: one session however many scripts, and every way in which it ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import ConnectionLost
from infratest.hosts import Host
from infratest.outsiders import get
from infratest.testing.waiting import wait_until
from infratest.transports.base import Transport
from tests.worlds.sshd import Server, descendants
from tests.worlds.turns import counting

Start = Callable[..., Server]
LONG = 20.0
WHO = b'echo "$1 $PPID"'


def ssh(options: dict[str, Any]) -> Transport:
    transport = get("transport", "ssh")(Host(name="web-1", options=options))
    transport.open(Deadline(LONG))
    return transport


@pytest.fixture
def transport(server: Server) -> Iterator[Transport]:
    transport = ssh(server.options(client="libssh2"))
    yield transport
    transport.close()


def said(transport: Transport, text: bytes, *arguments: str, deadline: float = LONG) -> str:
    result = transport.run_script(text, Deadline(deadline), arguments=arguments)
    assert (result.exit, result.stderr, result.truncated) == (0, b"", False), result
    return result.stdout.decode()


def shell(transport: Transport, *arguments: str) -> int:
    """Return the process id of what runs the scripts' subshells, as it says itself."""
    words = said(transport, b'sh -c "echo \\$PPID"; echo "$$ $*"', *arguments).split()
    assert words[2:] == [*arguments]
    return int(words[1])


def test_one_session_serves_all_scripts(start: Start) -> None:
    server = start(LogLevel="VERBOSE")
    transport = ssh(server.options(client="libssh2"))
    for number in range(5):
        assert said(transport, b'echo "here $1"', str(number)) == f"here {number}\n"
        assert said(transport, b'echo "there $1"', str(number)) == f"there {number}\n"
    transport.close()
    log = server.log.read_text()
    assert log.count("Starting session: command") == 1
    assert server.logins() == 1


def test_a_script_is_sent_once(server: Server) -> None:
    text = b"echo $1 # " + b"x" * 15_000
    with counting(server.port) as turns:
        known = server.folder / f"known-{turns.port}"
        known.write_text(f"[127.0.0.1]:{turns.port} {server.host_key}\n")
        transport = ssh(server.options(client="libssh2", port=turns.port, known_hosts=str(known)))
        said(transport, text, "1")
        sent = turns.sent
        for number in range(2, 6):
            assert said(transport, text, str(number)) == f"{number}\n"
        assert turns.sent - sent < 2_000
        said(transport, text + b"y", "6")
        assert turns.sent - sent > 15_000
        transport.close()


def test_a_shell_that_was_killed_is_replaced(transport: Transport) -> None:
    first = shell(transport, "1")
    assert shell(transport, "2") == first
    os.kill(first, signal.SIGKILL)
    assert shell(transport, "3") != first  # by whichever way: that it is gone may be heard of only now
    second = shell(transport, "4")
    assert second != first
    assert shell(transport, "5") == second


def test_a_shell_that_is_killed_under_a_script_is_no_success(transport: Transport) -> None:
    shell(transport, "1")
    for _ in range(2):
        result = transport.run_script(b"echo half; kill -KILL $$; sleep 300", Deadline(LONG))
        assert (result.exit, result.stdout) == (137, b"half\n")
        shell(transport, "2")


def test_what_an_older_script_left_behind_is_not_heard(transport: Transport, tmp_path: Path) -> None:
    done = tmp_path / "done"
    shell(transport, "1")
    text = b'(until [ -e "$1" ]; do sleep 0.05; done; echo late; echo late >&2; rm "$1") & echo now'
    assert said(transport, text, str(done)) == "now\n"
    done.touch()
    wait_until(lambda: not done.exists())
    # By another shell where those words have arrived here before it is asked, by the same where they are on their way.
    for number in ("2", "3"):
        assert shell(transport, number)


#: Ends its streams, and its channel with them, and lives on for a while: the session counts until it has ended.
LINGERING = 'sh -c "$SSH_ORIGINAL_COMMAND"; exec <&- >&- 2>&-; sleep 0.3'


@pytest.mark.parametrize("options", [{}, {"ForceCommand": LINGERING}], ids=["at once", "lingering"])
def test_a_server_that_gives_one_session_at_a_time(start: Start, options: dict[str, str]) -> None:
    transport = ssh(start(MaxSessions="1", **options).options(client="libssh2"))
    for number in ("1", "2", "3"):
        assert said(transport, b'echo "$1"', number) == f"{number}\n"
        assert transport.run(["echo", number], Deadline(LONG)).stdout == f"{number}\n".encode()
    transport.close()
    assert transport.cost.logins == 1


def test_the_shell_ends_with_the_connection(server: Server) -> None:
    transport = ssh(server.options(client="libssh2"))
    process = shell(transport, "1")
    assert process in descendants(server.process.pid)
    transport.close()
    wait_until(lambda: not Path(f"/proc/{process}").exists())


def test_a_connection_that_is_cut_in_the_middle_of_an_answer(start: Start, tmp_path: Path) -> None:
    server = start()
    transport = ssh(server.options(client="libssh2"))
    process = shell(transport, "1")
    waits = tmp_path / "waits"

    def cut() -> None:
        wait_until(waits.exists)
        for pid in server.sessions():
            os.kill(pid, signal.SIGKILL)

    cutter = threading.Thread(target=cut)
    cutter.start()
    with pytest.raises(ConnectionLost) as raised:
        transport.run_script(b'echo half; : >"$1"; sleep 5', Deadline(LONG), arguments=[str(waits)])
    cutter.join()
    assert raised.value.partial == b"half\n"
    transport.close()
    wait_until(lambda: not Path(f"/proc/{process}").exists(), 20)


def test_what_is_too_long_for_a_command_line_goes_by_standard_input(transport: Transport) -> None:
    first = shell(transport, "1")
    for number in ("1", "2"):
        assert said(transport, b"echo $1 # " + b"x" * 50_000, number) == f"{number}\n"
    assert shell(transport, "2") == first


def test_a_login_shell_that_is_not_posix_runs_scripts_too(transport: Transport) -> None:
    text = b"""printf '%s\\n' "it's \\$1=$1 \\\\ !" 'a
b'"""
    for number in ("1", "2"):
        assert said(transport, text, number) == f"it's $1={number} \\ !\na\nb\n"


def test_answers_that_are_longer_or_shorter_than_the_last_are_whole(transport: Transport) -> None:
    text = b'n=0; while [ $n -lt $1 ]; do n=$((n + 1)); echo "$2 $n"; done'
    for count in (10, 2000, 2000, 1, 0, 0, 20_000, 20_000, 3):
        expected = "".join(f"here {number}\n" for number in range(1, count + 1))
        assert said(transport, text, str(count), "here") == expected
    assert transport.cost.commands == 9
