"""Where sockets answer, by three ways of looking, held against the kernel: a connection is made, or refused."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from infratest.steps.socket import UnixListening

from infratest.errors import FactError
from infratest.facts.base import Answer, Need
from infratest.outsiders import get
from tests.facts.both_ways import here, snippet

ROOT = Path(__file__).parents[2]


def connects(path):
    """Whether a unix socket of a kind that listens there lets us in."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as probe:
            probe.settimeout(5)
            with contextlib.suppress(OSError):
                probe.connect(path)
                return True
    return False


@pytest.fixture
def bound(tmp_path, monkeypatch):
    """Unix sockets of every kind, and paths to them."""
    stream, packets = socket.SOCK_STREAM, socket.SOCK_DGRAM
    with contextlib.ExitStack() as kept:

        def made(name, kind=stream, listens=True):
            one = kept.enter_context(socket.socket(socket.AF_UNIX, kind))
            one.bind(name if not name.startswith("/") else f"{tmp_path}{name}")
            if kind != packets and listens:
                one.listen()
            return one

        for folder in ("run", "var"):
            (tmp_path / folder).mkdir()
        (tmp_path / "var" / "run").symlink_to(tmp_path / "run")
        well = made("/run/well")
        kept.enter_context(socket.socket(socket.AF_UNIX)).connect(f"{tmp_path}/run/well")
        kept.enter_context(well.accept()[0])
        made("/run/with  blanks ino:1 dev:0")
        made("/run/packets", packets)
        made("/run/sent to", packets)
        kept.enter_context(socket.socket(socket.AF_UNIX, packets)).connect(f"{tmp_path}/run/sent to")
        made("/run/of one peer", packets).connect(f"{tmp_path}/run/packets")
        made("/run/in order", socket.SOCK_SEQPACKET)
        made("/run/silent", listens=False)
        made("/run/unlinked")
        (tmp_path / "run" / "unlinked").unlink()
        made("/run/left").close()
        made("/run/again")
        (tmp_path / "run" / "again").unlink()
        made("/run/again", listens=False)
        made("/run/newer", listens=False)
        (tmp_path / "run" / "newer").unlink()
        made("/run/newer")
        made("/run/moved")
        (tmp_path / "run" / "moved").rename(tmp_path / "var" / "moved")
        monkeypatch.chdir(tmp_path / "run")
        made("relative")
        made("@relative")
        (tmp_path / "run" / "linked").symlink_to("well")
        (tmp_path / "run" / "hard").hardlink_to(tmp_path / "run" / "well")
        (tmp_path / "run" / "dangling").symlink_to("nosuch")
        (tmp_path / "run" / "file").touch()
        (tmp_path / "run" / "folder").mkdir()
        yield tmp_path


#: Path -> whether one gets in there; by hand, and the kernel is asked whether that is so.
ANSWERS = {
    "run/well": True, "var/run/well": True, "run/linked": True, "run/hard": True, "var/run/linked": True,
    "run/with  blanks ino:1 dev:0": True, "run/packets": True, "run/sent to": True,
    "run/of one peer": False, "run/in order": True,
    "run/silent": False, "run/unlinked": False, "run/left": False, "run/again": False, "run/newer": True,
    "run/moved": False, "var/moved": True, "run/relative": True, "var/run/relative": True, "run/@relative": True,
    "run/dangling": False, "run/file": False, "run/folder": False, "run/nosuch": False,
}  # fmt: skip


def verdicts(ask, folder):
    paths = [str(folder / name) for name in ANSWERS]
    facts = {Need("unix-socket"): ask("unix-socket", [()])[()]}
    for name in ("file", "real-path"):
        facts |= {Need(name, one): value for one, value in ask(name, [(path,) for path in paths]).items()}
    seen = {}
    for name, path in zip(ANSWERS, paths, strict=True):
        try:
            seen[name] = UnixListening(path).observe(facts).holds
        except FactError:
            seen[name] = None
    return seen


def test_unix_sockets_answer_where_the_kernel_lets_us_in(bound):
    assert {name: connects(str(bound / name)) for name in ANSWERS} == ANSWERS
    assert verdicts(here, bound) == ANSWERS
    assert verdicts(snippet, bound) == ANSWERS


def test_what_cannot_be_known_without_ss_is_unknown(bound, look, run):
    def ask(name, arguments):
        return look(name, *arguments, only=run.programs)

    seen = verdicts(ask, bound)
    unknown = {name for name, answer in seen.items() if answer is None}
    assert unknown == {
        "run/again", "run/newer", "var/moved", "run/relative", "var/run/relative", "run/@relative"
    }  # fmt: skip
    # /proc does not tell a datagram socket with a peer of its own from one that others have sent to.
    assert seen.pop("run/of one peer")
    assert {name: seen[name] for name in seen.keys() - unknown} == {
        name: ANSWERS[name] for name in seen.keys() - unknown
    }


TWO_FILE_SYSTEMS = """
import pathlib, socket, subprocess, sys
from infratest.steps.socket import UnixListening
from infratest.errors import FactError
from infratest.facts.base import Answer, Need
from infratest.outsiders import get
from tests.facts.both_ways import here, snippet

paths = []
for name in ("left", "right"):
    folder = pathlib.Path(sys.argv[1], name)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
    paths.append(str(folder / "x.sock"))
sockets = [socket.socket(socket.AF_UNIX) for _ in paths]
for one, path in zip(sockets, paths):
    one.bind(path)
sockets[0].listen()
sockets[1].close()
files = [pathlib.Path(path).stat() for path in paths]
assert files[0].st_ino == files[1].st_ino and files[0].st_dev != files[1].st_dev
for ask in (here, snippet):
    facts = {Need("unix-socket"): ask("unix-socket", [()])[()]}
    for name in ("file", "real-path"):
        facts |= {Need(name, one): value for one, value in ask(name, [(path,) for path in paths]).items()}
    assert UnixListening(paths[0]).observe(facts).holds
    try:
        print(UnixListening(paths[1]).observe(facts))
    except FactError as error:
        assert "not known" in str(error)
print("done")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_a_socket_of_the_same_number_on_another_file_system_is_another_one(tmp_path):
    words = ["unshare", "--mount", sys.executable, "-c", TWO_FILE_SYSTEMS, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)


IN_A_NETWORK_OF_ITS_OWN = """
import socket, subprocess
from infratest.steps.socket import PortListening
from infratest.errors import FactError
from infratest.facts.base import Answer, Need
from infratest.outsiders import get
from tests.facts.both_ways import here, snippet

subprocess.run(
    "ip link set lo up; ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up; "
    "ip addr add 10.9.9.1/24 dev d0; ip addr add 10.9.8.1/24 dev d1; ip addr add 10.9.7.1 peer 10.9.7.2/32 dev d0; "
    "ip -6 addr add 2001:db8::1/64 dev d0 nodad", shell=True, check=True)
ADDRESSES = ("127.0.0.1", "127.0.0.53", "10.9.9.1", "10.9.8.1", "10.9.7.1", "::1", "2001:db8::1", "::ffff:127.0.0.1")

def connects(address, port):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, port)) == 0

def holds(looked, port, address):
    try:
        return PortListening(port, address=address).observe({Need("socket"): looked}).holds
    except FactError:
        return None

for bound, interface in (
    ("0.0.0.0", ""), ("0.0.0.0", "d0"), ("0.0.0.0", "lo"), ("10.9.9.1", "d0"), ("127.0.0.53", "lo"), ("::", ""),
    ("::", "d0"), ("::", "lo"), ("2001:db8::1", "d0"), ("::ffff:127.0.0.1", ""), ("::ffff:0.0.0.0", ""),
    ("::ffff:0.0.0.0", "d0"),
):
    listener = socket.socket(socket.AF_INET6 if ":" in bound else socket.AF_INET)
    if interface:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    listener.bind((bound, 0))
    listener.listen(64)
    port = listener.getsockname()[1]
    native, told = here("socket", [()])[()], snippet("socket", [()])[()]
    assert native.on("tcp", port) == told.on("tcp", port), (native, told)
    for address in ADDRESSES:
        really = connects(address, port)
        seen = holds(native, port, address), holds(told, port, address)
        unknown = interface == "d0" and address in ("10.9.8.1",) and seen == (None, None)
        if seen != (really, really) and not unknown:
            print(bound, interface, address, really, seen)
    listener.close()
print("done")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a network of its own")
def test_ports_answer_where_the_kernel_lets_us_in():
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", IN_A_NETWORK_OF_ITS_OWN], capture_output=True, text=True, timeout=120,
        cwd=ROOT,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


#: What a program says that stands where ss is -> words of why nothing is known by it.
MUTE = {
    "": "says nothing, not even its headings",
    "echo 'BusyBox v1.35 multi-call binary.'": "says 'BusyBox v1.35",
    "echo 'Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port'": "names no socket, and /proc/net has",
}


@pytest.mark.parametrize("name", ["socket", "unix-socket"])
@pytest.mark.parametrize("said", MUTE)
def test_a_program_that_says_nothing_does_not_say_that_nothing_listens(tmp_path, monkeypatch, name, said):
    program = tmp_path / "ss"
    program.write_text(f"#!/bin/sh\n{said}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX) as own:
        own.bind(f"{tmp_path}/own")
        own.listen()
        with pytest.raises(FactError, match=MUTE[said]):
            snippet(name, [()])


@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own takes root")
def test_where_nothing_listens_headings_alone_are_believed():
    """In a network without any socket ss prints nothing else, and /proc/net has none either."""
    for name in ("socket", "unix-socket"):
        asked = get("fact", name)()
        done = subprocess.run(
            ["unshare", "-n", "sh", "-c", asked.ask([()])], capture_output=True, text=True, timeout=60
        )
        assert done.stdout.startswith("ss\nNetid"), done.stderr
        assert asked.read(Answer(done.returncode, done.stdout, done.stderr), [()])[()] == ()
