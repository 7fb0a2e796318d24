"""The native readers of this machine, held against what the snippets answer on the same machine."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.engine.script import Question, build, read
from infratest.facts import _machine, _names
from infratest.facts.base import Answer, LooksHere
from infratest.facts.package import PART, PackageFact, dpkg_rows
from infratest.found import File, Listener, Space
from infratest.registry import get

NATIVE = ("content", "disk", "file", "group", "load", "memory", "mount", "package", "process", "socket", "user")
ODD = ["plain", "with blank", "quote'quote", 'double"', "back\\slash", "new\nline", "-dash", "$HOME", "*", "é", "\\n"]
NOBODY = 65534


def snippet(name, arguments, as_user=None):
    """What the snippet tells, run by sh as the engine runs it."""
    fact = get("fact", name)()
    script = build([Question(fact.ask(arguments), 30)])
    done = subprocess.run(
        ["env", "LC_ALL=C", "sh"], input=script.text, capture_output=True, user=as_user, timeout=30
    )  # fmt: skip
    (answer,) = read(script, done.stdout)
    assert isinstance(answer, Answer), done.stderr
    return fact.read(answer, arguments)


def here(name, arguments):
    fact = get("fact", name)()
    assert isinstance(fact, LooksHere)
    return fact.look_here(arguments)


def alike(found):
    """Return a value without what may differ: the program that a problem names, seconds of age, room that is used."""
    if problem := getattr(found, "problem", ""):
        return found.changed(problem=problem.rpartition(": ")[2])
    if isinstance(found, Space):
        return found.changed(used=0, available=0, inodes_free=0)
    return found.changed(age=0) if isinstance(found, File) else found


def same(name, arguments, as_user=None, rights=contextlib.nullcontext):
    """Ask both ways and compare everything; return what they agree on."""
    told = snippet(name, arguments, as_user)
    with rights():
        seen = here(name, arguments)
    assert seen is not None
    assert {one: alike(value) for one, value in seen.items()} == {one: alike(value) for one, value in told.items()}
    return seen


@contextlib.contextmanager
def unprivileged():
    """This process with the rights of nobody."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def odd_files(tmp_path):
    for name in ODD:
        (tmp_path / name).write_text(f"I am {name}\n")
        (tmp_path / f"{name}.link").symlink_to(name)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").chmod(0o7750)
    (tmp_path / "dangling").symlink_to("not\\here\nat all\n")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "chain").symlink_to("plain.link")
    (tmp_path / "into").symlink_to("folder")
    (tmp_path / "strange").write_text("x")
    if os.getuid() == 0:
        os.chown(tmp_path / "strange", 3999999, 3999998)
    os.utime(tmp_path / "strange", ns=(0, -1_500_000_000))
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s"))
        yield tmp_path


def paths(folder):
    inside = [str(path) for path in folder.iterdir()]
    outside = [
        "/", "//", "/etc/", "/etc/passwd", "/etc/passwd/", "/etc/passwd/x", "/nosuch", "/nosuch/x", "/dev/null",
        "/proc/version",
        "/dev/../etc/./hosts", f"{folder}/into/", f"{folder}/into/..", f"{folder}/loop/x", f"{folder}/{'x' * 300}",
        "/proc/1/exe", "/var/run", "/tmp", "/bin/sh", "/usr/bin/passwd", "/dev/pts", "/dev/tty", "",
    ]  # fmt: skip
    return [(path,) for path in inside + outside]


def test_files(odd_files):
    found = same("file", paths(odd_files))
    assert found[str(odd_files / "s"),].kind == "socket"
    assert found[str(odd_files / "dangling"),].link == "not\\here\nat all\n"
    assert found[str(odd_files / "loop"),].problem == "Too many levels of symbolic links"
    assert found[f"{odd_files}/{'x' * 300}",].problem == "File name too long"
    assert found[str(odd_files / "folder"),].mode == "7750"
    assert found["/nosuch/x",].kind is None


def test_the_age_of_a_file(odd_files):
    arguments = [(str(odd_files / "strange"),), (str(odd_files / "plain"),)]
    told, seen = snippet("file", arguments), here("file", arguments)
    for one in arguments:
        assert 0 <= seen[one].age - told[one].age <= 2
    # 1.5 s before the epoch is in the second that begins 2 s before it.
    assert 0 <= seen[arguments[0]].age - (int(time.time()) + 2) <= 1


def test_contents(odd_files):
    for name, data in {
        "ended": b"one\n|two\n.\nfile 1\n\n", "open": b"one\n\n.", "empty": b"", "nuls": b"a\0b\0\0\nc\0",
        "binary": b"\xff\xfe\x01\r\n\xc3", "full": b"x" * 2**20, "vast": b"x" * 2**20 + b"y",
        "cut": b"x" * 2**20 + "é".encode(), "swollen": b"\xff" * 400_000, "padded": b"\0" * 9 + b"x" * 2**20,
    }.items():  # fmt: skip
        (odd_files / name).write_bytes(data)
    found = same("content", paths(odd_files))
    assert found[str(odd_files / "open"),].text == "one\n\n."
    assert found[str(odd_files / "nuls"),].text == "ab\nc"
    assert found[str(odd_files / "full"),].whole
    assert not found[str(odd_files / "vast"),].whole
    assert found["/proc/version",].text.startswith("Linux version")
    assert found[str(odd_files / "pipe"),].text is None


def test_disks(odd_files):
    mounts = [(path,) for path in here("mount", [()])[()]]
    arguments = [*paths(odd_files), *(one for one in mounts if not one[0].startswith(("/proc", "/tmp")))]
    same("disk", arguments)
    told, seen = snippet("disk", arguments), here("disk", arguments)
    for one in arguments:
        assert abs(seen[one].used - told[one].used) < 2**30
        assert abs(seen[one].available - told[one].available) < 2**30
        assert abs(seen[one].inodes_free - told[one].inodes_free) < 10_000
    assert seen["/",].size > 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("name", ["file", "content", "disk"])
def test_what_may_not_be_looked_at_is_a_problem(name):
    hidden = Path("/tmp") / f"infratest-native-{os.getpid()}"
    hidden.mkdir(mode=0o700)
    try:
        (hidden / "there").write_text("secret")
        arguments = [(str(hidden / "there"),), (str(hidden / "nosuch"),), (str(hidden),), ("/etc/shadow",)]
        found = same(name, arguments, "nobody", unprivileged)
        assert found[arguments[0]].problem == "Permission denied"
        assert found[arguments[1]].problem == "Permission denied"
        assert found[arguments[3]].problem == ("Permission denied" if name == "content" else "")
    finally:
        (hidden / "there").unlink()
        hidden.rmdir()


def test_users_and_groups():
    rows = [row.split(":") for row in Path("/etc/passwd").read_text().splitlines()]
    found = same(
        "user", [*((row[0],) for row in rows), ("nosuch",), ("0",), ("",), ("Root",), ("ro*",), ("é",), ("a b",)]
    )
    assert found["root",].uid == 0
    assert found["nosuch",] is None
    assert found["0",] is None
    rows = [row.split(":") for row in Path("/etc/group").read_text().splitlines()]
    groups = same("group", [*((row[0],) for row in rows), ("nosuch",), ("0",), ("",)])
    assert {row[0]: groups[row[0],].gid for row in rows} == {row[0]: int(row[2]) for row in rows}
    assert {row[0]: ",".join(groups[row[0],].members) for row in rows} == {row[0]: row[3] for row in rows}


def test_what_getent_would_take_for_an_option_is_left_to_the_snippet():
    assert here("user", [("-s",), ("root",)]) is None
    assert here("group", [("--help",)]) is None


def test_mounts():
    assert same("mount", [()])[()]["/proc"].type == "proc"


def test_memory_and_load():
    told, seen = snippet("memory", [()])[()], here("memory", [()])[()]
    assert (seen.total, seen.swap_total) == (told.total, told.swap_total)
    assert abs(seen.available - told.available) < 2**30
    told, seen = snippet("load", [()])[()], here("load", [()])[()]
    assert seen.processors == told.processors == len(os.sched_getaffinity(0))
    assert max(abs(ours - theirs) for ours, theirs in zip(seen.averages, told.averages, strict=True)) < 1


def test_packages_of_this_machine():
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\t${Architecture}\n"], check=True, capture_output=True)
    rows = [row.split("\t") for row in done.stdout.decode().splitlines()]
    odd = ["nosuch", "bash:nosuch", "bash:any", "mail-transport-agent", "awk", "perlapi-5.36.0", "Bash"]
    arguments = [(name,) for name in [*(row[0] for row in rows), *(":".join(row) for row in rows), *odd]]
    found = same("package", arguments)
    assert found["bash",].installed
    assert [name for name in odd if found[name,].installed] == []
    for argument in (*arguments[::97], *((name,) for name in odd)):
        assert here("package", [argument]) == {argument: found[argument]}


@pytest.mark.parametrize("name", ["ba*", "a b", "", "[ab]ash", "ba?h", "é"])
def test_names_that_dpkg_query_may_take_apart_are_left_to_it(name):
    assert here("package", [("bash",), (name,)]) is None


def test_while_dpkg_is_at_work_it_is_asked_itself(tmp_path):
    (tmp_path / "updates").mkdir()
    (tmp_path / "status").write_text("Package: one\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n")
    assert dpkg_rows(str(tmp_path), {"one"}) == ["one\tall\tinstall ok installed\t1"]
    (tmp_path / "updates" / "tmp.i").touch()
    assert dpkg_rows(str(tmp_path), {"one"}) is not None
    (tmp_path / "updates" / "0003").touch()
    assert dpkg_rows(str(tmp_path), {"one"}) is None
    (tmp_path / "updates" / "0003").unlink()
    (tmp_path / "status").write_text("")
    assert dpkg_rows(str(tmp_path), {"one"}) is None
    (tmp_path / "status").unlink()
    assert dpkg_rows(str(tmp_path), {"one"}) is None


@pytest.mark.parametrize("shift", range(-24, 3))
def test_a_package_where_one_read_ends_and_the_next_begins(tmp_path, shift):
    (tmp_path / "updates").mkdir()
    first = "Package: one\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nDescription: "
    second = "\nPackage: two\nStatus: install ok installed\nArchitecture: all\nVersion: 2\n"
    (tmp_path / "status").write_text(first.ljust(PART + shift, "x") + "\n" + second)
    assert dpkg_rows(str(tmp_path), {"one", "two", "three"}) == [
        "one\tall\tinstall ok installed\t1", "two\tall\tinstall ok installed\t2",
    ]  # fmt: skip


NAMES = ("aa", "aa1", "ab", "b+", "c.d", "e-f")
STATES = (
    "install ok installed", "hold ok installed", "deinstall ok config-files", "install reinstreq half-installed",
    "install ok unpacked", "install ok half-configured", "purge ok not-installed", "deinstall ok installed",
)  # fmt: skip
VERSIONS = ("1", "1.0-1", "2:1.0~rc1-1+deb12u1", "20240203.1")
#: What stands between a package's first fields and the next package, and must never be taken for a package.
REST = (
    "Maintainer: A <a@b>\nDescription: one\n Package: aa\n .\n Status: install ok installed\n",
    "Depends: e-f (>= 1), aa1:any | b+\nProvides: ab (= 7)\nMaintainer: A <a@b>\nDescription: Package: ab\n",
    "Conffiles:\n /etc/x 00000000000000000000000000000000\nMaintainer: A <a@b>\nDescription: x\n",
)


@st.composite
def stanzas(draw):
    name = draw(st.sampled_from(NAMES))
    architectures = draw(st.lists(st.sampled_from(["amd64", "i386", "arm64"]), min_size=1, max_size=3, unique=True))
    shared = len(architectures) > 1
    made = []
    for architecture in architectures:
        made.append(
            f"Package: {name}\nStatus: {draw(st.sampled_from(STATES))}\nPriority: optional\n"
            f"Architecture: {architecture}\n"
            + ("Multi-Arch: same\n" if shared else "")
            + f"Version: {draw(st.sampled_from(VERSIONS))}\n"
            + draw(st.sampled_from(REST))
        )
    return name, made


@settings(max_examples=60, deadline=None)
@given(st.lists(stanzas(), min_size=1, max_size=6, unique_by=lambda one: one[0]), st.booleans())
def test_a_status_file_is_read_as_dpkg_query_reads_it(tmp_path_factory, packages, ended):
    folder = tmp_path_factory.mktemp("dpkg")
    for name in ("updates", "info"):
        (folder / name).mkdir()
    text = "\n".join(stanza for _, made in packages for stanza in made)
    (folder / "status").write_text(text + ("\n" if ended else ""))
    (folder / "arch").write_text("amd64\ni386\narm64\n")
    asked = [*NAMES, "aa:amd64", "aa:i386", "b+:arm64", "e-f:i386", "nosuch"]
    fields = "${Package}\\t${Architecture}\\t${Status}\\t${Version}\\n"
    done = subprocess.run(
        ["dpkg-query", f"--admindir={folder}", "-W", "-f", fields, "--", *asked], capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stderr
    fact, arguments = PackageFact(), [(name,) for name in asked]
    told = fact.read(Answer(0, "dpkg\n" + done.stdout), arguments)
    for some in (arguments, *([one] for one in arguments)):
        rows = dpkg_rows(str(folder), {argument[0].partition(":")[0] for argument in some})
        assert rows is not None
        seen = fact.read(Answer(0, "\n".join(["dpkg", *rows, ""])), some)
        assert seen == {argument: told[argument] for argument in some}


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
            there.append(Listener("unix", made(unix, kind, str(tmp_path / name))))
        mark = f"infratest-{os.getpid()}"
        for name, shown in ((f"\0{mark}", f"@{mark}"), (f"\0{mark}\0x\0\0", f"@{mark}@x@@")):
            made(unix, tcp, name)
            there.append(Listener("unix", shown))
        not_there = [made(four, tcp, ("127.0.0.1", 0), listen=False)]
        peer = kept.enter_context(socket.socket(four, udp))
        peer.connect(("127.0.0.1", there[6].port))
        not_there.append(peer.getsockname()[1])
        kept.enter_context(socket.create_connection(("127.0.0.1", there[0].port)))
        yield there, not_there


def test_sockets(waiting):
    there, not_there = waiting
    told, seen = snippet("socket", [()])[()], here("socket", [()])[()]
    # Other programs open and close sockets meanwhile: both must know all of ours, and what both saw must be equal.
    ports, names = {one.port for one in there} - {None}, {one.address for one in there if one.port is None}

    def ours(found):
        return sorted(repr(one) for one in found if one.port in ports or one.address in names)

    assert ours(seen) == ours(told) == sorted(repr(one) for one in there)
    assert not {one.port for one in (*seen, *told)} & set(not_there)
    again = here("socket", [()])[()]
    assert set(seen) & set(again) <= set(told)
    assert {one.kind for one in told} == {one.kind for one in seen}


def test_a_path_of_a_socket_with_a_line_break_is_told_whole(tmp_path):
    path = str(tmp_path / "new\nline")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path)
        unix.listen()
        assert Listener("unix", path) in here("socket", [()])[()]


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
    assert found[zombie].arguments == ()
    assert found[sleeper].uid == (NOBODY if os.getuid() == 0 else os.getuid())
    assert found[started[0]].name == "odd ) na\\me\n"
    assert found[started[1]].arguments[2:] == ("two words", "line\nbreak", "")
    assert found[started[5]].arguments[2] == "x" * 100_000
    assert os.getpid() in found
    # Others come and go, and change their names; what stood before and after must have been told between.
    again = {one.pid: one for one in here("process", [()])[()]}
    lasting = [pid for pid in found if pid in again and known(found[pid]) == known(again[pid])]
    assert len(lasting) > len(wanted)
    assert [known(found[pid]) for pid in lasting] == [known(told[pid]) for pid in lasting if pid in told]


def known(process):
    return process.pid, process.name, process.arguments, process.uid, process.parent


def test_where_other_machines_may_be_asked_the_snippet_is(tmp_path):
    (tmp_path / "real" / "share").mkdir(parents=True)
    (tmp_path / "into").symlink_to("real/share/x")
    (tmp_path / "over").symlink_to(tmp_path / "real")
    (tmp_path / "loop").symlink_to("loop")
    points = {os.fsencode(tmp_path / "real" / "share")}
    for path in ("real/share", "real/share/x", "into", "over/share", "over/../real/./share/", "loop/../real/share"):
        expected = path != "loop/../real/share"  # the kernel gives up on the loop too
        assert _machine._leads_to(os.fsencode(f"{tmp_path}/{path}"), points) is expected, path
    for path in ("real", "real/shared", "real/share/..x"[:4], "loop", "nosuch/share", "/"):
        assert not _machine._leads_to(os.fsencode(tmp_path / path), points), path


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_a_distant_file_system_is_left_to_the_snippet(tmp_path):
    for folder in ("share", "near"):
        (tmp_path / folder).mkdir()
    (tmp_path / "to share").symlink_to("share")
    program = (
        "import os, sys\n"
        "from infratest.registry import get\n"
        "share, near = sys.argv[1:]\n"
        "for name in ('file', 'content', 'disk'):\n"
        "    for path in (share, share + '/x', share.replace('share', 'to share')):\n"
        "        print(name, get('fact', name)().look_here([(near,), (path,)]) is None)\n"
        "    print(name, get('fact', name)().look_here([(near,)]) is not None)\n"
    )
    share, near = str(tmp_path / "share"), str(tmp_path / "near")
    # A file system of the kind `autofs` that nobody serves: whatever goes into it waits.
    mount = (
        'exec 9<>"$1/pipe"; mount -t autofs -o fd=9,pgrp=$$,minproto=5,maxproto=5,indirect x "$1/share" || exit 9\n'
        'shift; exec "$@"'
    )
    os.mkfifo(tmp_path / "pipe")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", tmp_path, sys.executable, "-c", program, share, near],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{name} True" for name in ("file", "content", "disk") for _ in range(4)]


@pytest.mark.parametrize(
    "text, passwd",
    [
        ("passwd: files systemd\ngroup: files\n", ["files", "systemd"]),
        ("# passwd: ldap\npasswd:\tfiles [NOTFOUND=return] sss # ldap\n", ["files", "sss"]),
        ("passwd: files [!SUCCESS=merge ] ldap[SUCCESS=return]nis\n", ["files", "ldap", "nis"]),
        ("group: ldap\n", ["files"]),
        ("passwd:\n", ["files"]),
    ],
)
def test_name_services_are_told_by_nsswitch(text, passwd):
    assert _names.sources("passwd", text) == passwd


def test_of_a_directory_service_only_the_local_file_is_near():
    assert _names.answered(["files", "sss"], {"root"}, [["root", "x", "0"]], 0)
    assert _names.answered(["files", "sss"], {"0"}, [["root", "x", "0"]], 2)
    assert not _names.answered(["files", "sss"], {"root", "far"}, [["root", "x", "0"]], 0)
    assert not _names.answered(["sss", "files"], {"root"}, [["root", "x", "0"]], 0)
    assert _names.answered(["files", "systemd"], {"nosuch"}, [], 0)


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


#: What a native reader may load: built-in and frozen modules, C modules of no weight, and our own light ones.
ALLOWED = {
    "__future__", "_collections_abc", "_socket", "_stat", "_struct", "errno", "genericpath", "grp", "os", "os.path",
    "posixpath", "pwd", "stat", "time", "posix", "abc", "_abc", "_sitebuiltins", "infratest", "infratest.cleaning",
    "infratest.deadline", "infratest.errors", "infratest.facts", "infratest.facts.base", "infratest.found",
    "infratest.names", "infratest.quoting", "infratest.record", "infratest.states",
}  # fmt: skip


@pytest.mark.parametrize("name", [*NATIVE, "service"])
def test_a_native_reader_loads_nothing_heavy_and_starts_nothing(name):
    arguments = {
        "content": "/etc/hosts", "disk": "/", "file": "/etc/hosts", "group": "root", "package": "bash", "user": "root",
        "service": "dbus",
    }  # fmt: skip
    argument = (arguments[name],) if name in arguments else ()
    root = str(Path(sys.modules["infratest"].__file__).parents[1])
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "events = []\n"
        "sys.addaudithook(lambda event, arguments: events.append(event))\n"
        f"sys.path.insert(0, {root!r})\n"
        f"from infratest.facts import {name}\n"
        f"(fact,) = [one for one in vars({name}).values()"
        f" if isinstance(one, type) and one.__module__ == {name}.__name__ and hasattr(one, 'look_here')]\n"
        "from infratest.errors import FactError\n"
        "try:\n"
        f"    if not fact().look_here([{argument!r}]): raise SystemExit('no answer')\n"
        "except FactError as error:\n"
        "    if 'systemd alone' not in str(error): raise\n"
        "print(*set(sys.modules) - before)\n"
        "print(*{event for event in events if event.startswith(('subprocess', 'os.posix_spawn', 'os.fork', 'os.exec',"
        " 'os.system'))})\n"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded, started = done.stdout.split("\n")[:2]
    heavy = {one for one in loaded.split() if not one.startswith(("infratest.facts._", f"infratest.facts.{name}"))}
    assert heavy <= ALLOWED
    assert started == ""
