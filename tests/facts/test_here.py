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

from infratest.facts import _accounts, _machine
from infratest.facts.base import LooksHere
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written
from infratest.gherkin.sentence import CHECK
from infratest.gherkin.vocabulary import vocabulary
from infratest.outsiders import get, names
from tests.facts.both_ways import here, same, snippet

#: Facts with a native reader, each with an argument that the example of a sentence asks for.
NATIVE = {
    need.fact: need.argument
    for sentence in vocabulary().sentences
    if sentence.kind == CHECK
    for need in bind(vocabulary().match(sentence.example), as_written).built.needed
    if issubclass(get("fact", need.fact), LooksHere)
}
ODD = ["plain", "with blank", "quote'quote", 'double"', "back\\slash", "new\nline", "-dash", "$HOME", "*", "é", "\\n"]
NOBODY = 65534


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
    assert found[str(odd_files / "loop"),].link == "loop"
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
    (odd_files / "lines").write_bytes(b"one\ntwo\r\n\xff\0three\nlast")
    (odd_files / "empty").write_bytes(b"")
    (odd_files / "vast").write_bytes(b"x\n" * 2**20 + b"last")
    texts = ("one", "two\r", "three\nlast", "last", "x", "I am", "\ufffd")
    arguments = [(path, text) for (path,) in paths(odd_files) for text in texts]
    found = same("content", arguments)
    lines = str(odd_files / "lines")
    assert [found[lines, text].line for text in texts] == [1, 2, 3, 4, None, None, None]
    assert found[lines, "x"].lines == 4
    assert [text for text in texts if found[str(odd_files / "vast"), text].holds] == ["last", "x"]
    assert same("content", [("/proc/version", "Linux version")])["/proc/version", "Linux version"].holds
    assert not found[str(odd_files / "pipe"), "x"].there


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
        rest = ("x",) if name == "content" else ()
        listed = (str(hidden / "there"), str(hidden / "nosuch"), str(hidden), "/etc/shadow")
        arguments = [(path, *rest) for path in listed]
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


PASSWD = """\
twice:x:7002:7002::/a:/bin/sh
twice:x:7003:7003::/b:/bin/bash
short:x:7004:7004::/home
badid:x:abc:1::/h:/bin/sh
noshell:x:7008:7008::/h:
other:x:7004:7004::/h:/bin/sh
+nis:x:7009:7009::/h:/bin/sh
+::::::
"""
GROUP = "twice:x:7003:a,,b\ntwice:x:7005:noshell\nshort:x:7004\nother:x:7004:\nother:x:7004:twice\n+:::\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_odd_lines_of_passwd_and_group(tmp_path):
    (tmp_path / "passwd").write_text(Path("/etc/passwd").read_text() + PASSWD)
    (tmp_path / "group").write_text(Path("/etc/group").read_text() + GROUP)
    owned = tmp_path / "owned"
    owned.touch()
    os.chown(owned, 7004, 7004)
    mounted = f"mount --bind {tmp_path}/passwd /etc/passwd && mount --bind {tmp_path}/group /etc/group"
    users, groups = "twice,short,badid,noshell,nis,+,+nis", "twice,short,other,+"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mounted} && exec "$@"', "sh", sys.executable, "-m", "tests.facts.odd_names",
         users, groups, str(owned)], capture_output=True, encoding="utf-8", timeout=60, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "user twice (7002, '/a', '/bin/sh')",
        "user short (7004, '/home', '/bin/sh')",
        "user badid None",
        "user noshell (7008, '/h', '/bin/sh')",
        "user nis None",
        "user + None",
        "user +nis None",
        "membership twice (7002, 7004)",
        "membership short (7004,)",
        "membership badid None",
        "membership noshell (7005, 7008)",
        "membership nis None",
        "membership + None",
        "membership +nis None",
        "group twice (7003, ('a', 'b'))",
        "group short (7004, ())",
        "group other (7004, ())",
        "group + None",
        "file short short",
    ]


def test_what_getent_would_take_for_an_option_is_left_to_the_snippet():
    assert list(here("user", [("-s",), ("root",)])) == [("root",)]
    assert not here("group", [("--help",)])
    # The snippet does not let it, either: `--help` prints what getent can do, and no account at all.
    assert snippet("user", [("-s",), ("--help",), ("root",)])["root",].uid == 0


def test_mounts():
    assert same("mount", [()])[()]["/proc"].type == "proc"


def test_memory_and_load():
    told, seen = snippet("memory", [()])[()], here("memory", [()])[()]
    assert (seen.total, seen.swap_total) == (told.total, told.swap_total)
    assert abs(seen.available - told.available) < 2**30
    told, seen = snippet("load", [()])[()], here("load", [()])[()]
    assert seen.processors == told.processors == len(os.sched_getaffinity(0))
    assert max(abs(ours - theirs) for ours, theirs in zip(seen.averages, told.averages, strict=True)) < 1


def test_variables_and_modules_of_the_kernel():
    # Not those of interfaces, which come and go while others test.
    folders = (Path("/proc/sys/net/core"), Path("/proc/sys/net/ipv4"), Path("/proc/sys/vm"))
    variables = [str(path.relative_to("/proc/sys")) for folder in folders for path in folder.iterdir()]
    found = same("sysctl", [*((name,) for name in variables), ("vm/nosuch",), ("vm/swappiness/x",)])
    assert found["net/ipv4/ip_forward",].value in ("0", "1")
    assert found["vm/nosuch",].value is None
    modules = same("kernel-module", [(path.name, "") for path in Path("/sys/module").iterdir()] + [("no-such", "x")])
    assert {one.state for one in modules.values()} <= {"loaded", "built in", "", None}
    assert modules["no-such", "x"].state in ("", None)


def test_the_identity_of_this_machine():
    found = same("identity", [()])[()]
    assert (found.kernel, found.machine, found.hostname) == (
        os.uname().release,
        os.uname().machine,
        os.uname().nodename,
    )


def test_interfaces():
    found = same("interface", [*((path.name,) for path in Path("/sys/class/net").iterdir()), ("nosuch",)])
    assert "127.0.0.1/8" in found["lo",].addresses
    assert not found["nosuch",].there


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
        "from infratest.outsiders import get\n"
        "share, near = sys.argv[1:]\n"
        "for name in ('file', 'content', 'disk'):\n"
        "    rest = ('x',) if name == 'content' else ()\n"
        "    for path in (share, share + '/x', share.replace('share', 'to share')):\n"
        "        print(name, get('fact', name)().look_here([(near, *rest), (path, *rest)]) is None)\n"
        "    print(name, get('fact', name)().look_here([(near, *rest)]) is not None)\n"
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
    assert _accounts.sources("passwd", text) == passwd


def test_of_a_directory_service_only_the_local_file_is_near():
    assert _accounts.answered(["files", "sss"], {"root"}, [["root", "x", "0"]], 0)
    assert _accounts.answered(["files", "sss"], {"0"}, [["root", "x", "0"]], 2)
    assert not _accounts.answered(["files", "sss"], {"root", "far"}, [["root", "x", "0"]], 0)
    assert not _accounts.answered(["sss", "files"], {"root"}, [["root", "x", "0"]], 0)
    assert _accounts.answered(["files", "systemd"], {"nosuch"}, [], 0)


#: What a native reader may load: built-in and frozen modules, C modules of no weight, and our own light ones.
ALLOWED = {
    "__future__", "_collections_abc", "_socket", "_stat", "_struct", "errno", "genericpath", "grp", "os", "os.path",
    "posixpath", "pwd", "stat", "time", "posix", "abc", "_abc", "_sitebuiltins", "infratest", "infratest.cleaning",
    "infratest.deadline", "infratest.errors", "infratest.facts", "infratest.facts.base",
    "infratest.quoting", "infratest.record", "infratest.states", "infratest.facts.service",
    "infratest.facts.service.system_bus",
}  # fmt: skip


def test_some_sentence_asks_each_native_reader():
    assert set(NATIVE) == {name for name in names("fact") if issubclass(get("fact", name), LooksHere)}


@pytest.mark.parametrize("name, argument", NATIVE.items(), ids=NATIVE)
def test_a_native_reader_loads_nothing_heavy_and_starts_nothing(name, argument):
    name = name.replace("-", "_")
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
        "    if 'runit alone' not in str(error): raise\n"
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
