"""Sockets and processes read natively, held against the snippets on this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infratest.errors import FactError
from infratest.facts.socket import Listener
from infratest.facts.unix_socket import UnixListener
from tests.facts.both_ways import here, snippet

NOBODY = 65534
SOCKETS = ("socket", "unix-socket")


def file_of(path):
    status = Path(path).stat()
    return status.st_dev, status.st_ino


@pytest.fixture
def waiting(tmp_path):
    """Sockets of each kind, some of which wait for nobody: what is to be found, and what not."""
    with contextlib.ExitStack() as kept:

        def made(family, kind, address, only6=None, listen=True):
            one = kept.enter_context(socket.socket(family, kind))
            if only6 is not None:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only6)
            one.bind(address)
            if kind != socket.SOCK_DGRAM and listen:
                one.listen()
            return one.getsockname()[1] if family != socket.AF_UNIX else address

        four, six, unix = socket.AF_INET, socket.AF_INET6, socket.AF_UNIX
        tcp, udp, packets = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET
        there = [
            Listener("tcp", "127.0.0.1", made(four, tcp, ("127.0.0.1", 0)), 4),
            Listener("tcp", "0.0.0.0", made(four, tcp, ("", 0)), 4),
            Listener("tcp", "::1", made(six, tcp, ("::1", 0)), 6),
            Listener("tcp", "::", made(six, tcp, ("::", 0), 1), 6, True),
            Listener("tcp", "::", made(six, tcp, ("::", 0), 0), 6, False),
            Listener("tcp", "::ffff:127.0.0.1", made(six, tcp, ("::ffff:127.0.0.1", 0), 0), 6),
            Listener("udp", "127.0.0.1", made(four, udp, ("127.0.0.1", 0)), 4),
            Listener("udp", "::", made(six, udp, ("::", 0), 1), 6, True),
            Listener("udp", "::", made(six, udp, ("::", 0), 0), 6, False),
        ]
        for name, kind in (("a b  c", tcp), ("é", tcp), ("d", udp), ("p", packets)):
            path = made(unix, kind, str(tmp_path / name))
            there.append(UnixListener(path, file=file_of(path)))
        mark = f"infratest-{os.getpid()}"
        for name, shown in ((f"\0{mark}", f"@{mark}"), (f"\0{mark}\0x\0\0", f"@{mark}@x@@")):
            made(unix, tcp, name)
            there.append(UnixListener(shown))
        not_there = {("tcp", "127.0.0.1", made(four, tcp, ("127.0.0.1", 0), listen=False))}
        peer = kept.enter_context(socket.socket(four, udp))
        peer.connect(("127.0.0.1", there[6].port))
        not_there.add(("udp", *peer.getsockname()))
        kept.enter_context(socket.create_connection(("127.0.0.1", there[0].port)))
        yield there, not_there


def place(one):
    """Where a socket waits: what it is, its address and its port."""
    return ("unix", one.address, None) if isinstance(one, UnixListener) else (one.kind, one.address, one.port)


def test_sockets(waiting):
    there, not_there = waiting
    seen, told, again = ([one for name in SOCKETS for one in ask(name, [()])[()]] for ask in (here, snippet, here))
    # Other programs open and close sockets meanwhile: both must know all of ours, and what was there before and after
    # must be told.
    places = {place(one) for one in there}

    def ours(found):
        return sorted(repr(one) for one in found if place(one) in places)

    assert ours(seen) == ours(told) == sorted(repr(one) for one in there)
    assert not {place(one) for one in (*seen, *told)} & not_there
    assert set(seen) & set(again) <= set(told)


def test_a_path_of_a_socket_with_a_line_break_is_told_whole(tmp_path):
    path = str(tmp_path / "new\nline")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path)
        unix.listen()
        assert UnixListener(path, file=file_of(path)) in here("unix-socket", [()])[()]


@pytest.mark.parametrize("last", ["x 1 * 0", "u_str LISTEN 0 1 x"])
def test_a_name_of_a_unix_socket_is_no_port_that_listens(last):
    name = f"\0infratest-{os.getpid()} 1 * 0\ntcp LISTEN 0 128 0.0.0.0:9 0.0.0.0:*\n{last}"
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(name)
        unix.listen()
        for found in (here("socket", [()])[()], snippet("socket", [()])[()]):
            assert ("0.0.0.0", 9) not in {(one.address, one.port) for one in found}
        assert name.replace("\0", "@") in here("unix-socket", [()])[()].addresses
        with pytest.raises(FactError, match="not understood"):
            snippet("unix-socket", [()])


#: First arguments that processes may have.
TITLES = ["/no/such: worker 1", "line\nbreak", "x" * 100_000, "", "12/cmdline:=", "\\n"]


@pytest.fixture
def children(tmp_path):
    """Processes with odd names and words, which sleep."""
    script = tmp_path / "odd ) na\\me\n"
    script.write_text("#!/bin/sh\nread -r line\n")
    script.chmod(0o755)
    words = [
        [], ["two words", "line\nbreak", ""], ["", ""], [b"\xff\xc3"], ["é" * 20], ["x" * 100_000], ["a:", "=", "\\n"],
    ]  # fmt: skip
    with contextlib.ExitStack() as kept:
        started = []
        for arguments in words:
            one = kept.enter_context(subprocess.Popen([script, *arguments], stdin=subprocess.PIPE))
            kept.callback(one.stdin.close)
            started.append(one.pid)
        for title in TITLES:
            one = kept.enter_context(subprocess.Popen([title, "60"], executable=shutil.which("sleep")))
            kept.callback(one.kill)
            started.append(one.pid)
        as_nobody = {"user": NOBODY} if os.getuid() == 0 else {}
        sleeper = kept.enter_context(subprocess.Popen(["sleep", "60"], **as_nobody))
        kept.callback(sleeper.kill)
        zombie = kept.enter_context(subprocess.Popen(["true"]))
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        yield started, sleeper.pid, zombie.pid


def test_processes(children):
    started, sleeper, zombie = children
    wanted = {*started, sleeper, zombie}
    states = "SZ"
    deadline = time.monotonic() + 10
    while True:
        found = {one.pid: one for one in here("process", [()])[()]}
        if all(found[pid].state in states for pid in wanted) or time.monotonic() > deadline:
            break
    told = {one.pid: one for one in snippet("process", [()])[()]}
    assert {pid: found[pid] for pid in wanted} == {pid: told[pid] for pid in wanted}
    assert found[zombie].state == "Z"
    assert found[zombie].program == ""
    assert found[sleeper].uid == (NOBODY if os.getuid() == 0 else os.getuid())
    assert found[started[0]].name == "odd ) na\\me\n"
    assert [found[pid].program for pid in started[-len(TITLES) :]] == [title[:4096] for title in TITLES]
    assert os.getpid() not in {*found, *told}
    # Others come and go, and change their names; what stood before and after must have been told between. On a busy
    # machine a process may change twice in that time, so the three looks are taken again.
    for _ in range(5):
        again = {one.pid: one for one in here("process", [()])[()]}
        lasting = [pid for pid in found if pid in again and known(found[pid]) == known(again[pid])]
        assert len(lasting) > len(wanted)
        both = [pid for pid in lasting if pid in told]
        if [known(found[pid]) for pid in both] == [known(told[pid]) for pid in both]:
            break
        found = again
        told = {one.pid: one for one in snippet("process", [()])[()]}
    assert [known(found[pid]) for pid in both] == [known(told[pid]) for pid in both]


def known(process):
    return process.pid, process.name, process.program, process.uid, process.parent, process.names, process.cut


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
@pytest.mark.parametrize("how, words", [(1, "process 1 cannot be seen"), (2, "/proc is not mounted, or other users'")])
def test_hidden_processes_are_unknown(how, words):
    program = (
        "import os, subprocess\n"
        "from infratest.errors import FactError\n"
        "from infratest.facts.base import Answer\n"
        "from infratest.facts.process import ProcessFact\n"
        "fact = ProcessFact()\n"
        "os.setgroups([]), os.setresgid(*[65534] * 3), os.setresuid(*[65534] * 3)\n"
        "done = subprocess.run(['sh', '-c', fact.ask([()])], capture_output=True, text=True)\n"
        "for look in (lambda: fact.look_here([()]),\n"
        "             lambda: fact.read(Answer(done.returncode, done.stdout, done.stderr), [()])):\n"
        "    try:\n        print(look())\n"
        "    except FactError as error:\n        print('FactError', error)\n"
    )
    # A new user and process namespace would need more; remounting /proc with hidepid in a mount namespace is enough.
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", 'mount -t proc -o "$1" proc /proc && shift && exec "$@"', "sh",
         f"hidepid={how}", sys.executable, "-c", program],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    native, told = done.stdout.splitlines()
    assert native == told
    assert native.startswith(f"FactError {words}")
