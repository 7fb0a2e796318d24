"""Every snippet, run for real under dash, bash, mksh and busybox, held against what Python sees by itself."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import subprocess
from pathlib import Path

import pytest

from infratest.collect.script import Question, build, read
from infratest.errors import FactError
from infratest.facts.base import NO_TOOL, Answer
from infratest.facts.group import Group, GroupFact
from infratest.outsiders import get
from tests.worlds.shells import shell

ODD = ["plain", "with blank", "quote'quote", 'double"', "back\\slash", "new\nline", "-dash", "$HOME", "`id`", "*", "é"]


def test_packages_are_those_of_the_status_file(look):
    stanzas = Path("/var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n")
    rows = [dict(line.split(": ", 1) for line in one.split("\n") if ": " in line and line[0] != " ") for one in stanzas]
    known = {row["Package"]: row for row in rows if "Package" in row}
    for name in ("bash", "coreutils", "libc6"):
        found = look("package", (name,), ("nosuch",), ("ba*",))
        assert known[name]["Status"] == "install ok installed"
        assert (found[name,].installed, found[name,].version) == (True, known[name]["Version"])
        assert found["nosuch",].installed is False
        assert found["ba*",].installed is False


def test_a_package_by_its_architecture(look):
    own = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()
    found = look("package", (f"bash:{own}",), ("bash:nosuch",))
    assert found[f"bash:{own}",].installed
    assert not found["bash:nosuch",].installed


def test_no_systemd_names_what_is_there_instead(run):
    answer = run("service", ("nginx",))
    if Path("/run/systemd/system").exists():
        assert answer.exit == 0
    else:
        assert answer.exit == NO_TOOL
        assert Path("/proc/1/comm").read_text().strip() in answer.err


@pytest.fixture
def listeners():
    """Sockets of each kind: (kind, address, port) of what is really bound."""
    made = []

    def bound(family, kind, address, only6=None):
        one = socket.socket(family, kind)
        if only6 is not None:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only6)
        one.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            one.listen()
        made.append(one)
        return one.getsockname()[1]

    yield bound
    for one in made:
        one.close()


def test_sockets_are_those_that_are_bound(look, listeners, tmp_path):
    four, six, tcp, udp = socket.AF_INET, socket.AF_INET6, socket.SOCK_STREAM, socket.SOCK_DGRAM
    ports = {
        "loop4": listeners(four, tcp, "127.0.0.1"),
        "all4": listeners(four, tcp, "0.0.0.0"),
        "loop6": listeners(six, tcp, "::1"),
        "only6": listeners(six, tcp, "::", 1),
        "both": listeners(six, tcp, "::", 0),
        "udp4": listeners(four, udp, "127.0.0.1"),
    }
    path = str(tmp_path / "with blank.sock")
    with socket.socket(socket.AF_UNIX, tcp) as unix:
        unix.bind(path)
        unix.listen()
        found, names = look("socket", ())[()], look("unix-socket", ())[()]
    # By address too: one number may be bound at several addresses, by others on this machine as well.
    seen = {(one.kind, one.address, one.port): one for one in found}
    assert ("tcp", "127.0.0.1", ports["loop4"]) in seen
    assert ("tcp", "0.0.0.0", ports["all4"]) in seen
    assert ("tcp", "::1", ports["loop6"]) in seen
    assert ("udp", "127.0.0.1", ports["udp4"]) in seen
    assert ("udp", "127.0.0.1", ports["loop4"]) not in seen
    assert seen["tcp", "::", ports["only6"]].only6 is True
    assert seen["tcp", "::", ports["both"]].only6 is False
    assert path in names.addresses


def test_sockets_without_ss_are_read_from_proc(look, run, listeners, tmp_path):
    ports = {
        "127.0.0.1": listeners(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"),
        "::1": listeners(socket.AF_INET6, socket.SOCK_STREAM, "::1"),
        "::": listeners(socket.AF_INET6, socket.SOCK_STREAM, "::", 0),
    }
    udp = listeners(socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1")
    path = str(tmp_path / "with blank.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix:
        unix.bind(path)
        unix.listen()
        found = look("socket", (), only=run.programs)[()]
        names = look("unix-socket", (), only=run.programs)[()]
    seen = {(one.kind, one.address, one.port): one for one in found}
    for address, port in ports.items():
        assert ("tcp", address, port) in seen
    assert ("udp", "127.0.0.1", udp) in seen
    assert seen["tcp", "::", ports["::"]].only6 is None
    assert path in names.addresses


def test_processes_are_found_whatever_their_names(look, tmp_path):
    script = tmp_path / "odd ) name"
    script.write_text("#!/bin/sh\nread -r line\n")
    script.chmod(0o755)
    with subprocess.Popen([script, "two words", "line\nbreak", ""], stdin=subprocess.PIPE) as child:
        try:
            found = {one.pid: one for one in look("process", ())[()]}
        finally:
            child.stdin.close()
    assert found[child.pid].name == "odd ) name"
    assert found[child.pid].program == "/bin/sh"
    assert found[child.pid].parent == os.getpid()
    assert found[child.pid].uid == os.getuid()
    assert 0 < found[child.pid].rss < 100 * 2**20
    assert os.getpid() not in found
    assert 1 in found


def test_our_own_shell_and_its_children_are_no_processes_of_the_host(look):
    before = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = look("process", ())[()]
    new = [one for one in found if one.pid not in before and one.parent == os.getpid()]
    assert new == []


def test_nothing_of_our_own_is_a_process_of_the_host_when_the_engine_asks():
    fact = get("fact", "process")()
    script = build([Question(fact.ask([()]), 10)])
    before = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    with subprocess.Popen(
        ["env", "LC_ALL=C", "sh", "-s", script.nonce], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as shell:
        output = shell.communicate(script.text, timeout=20)[0]
    found = fact.read(read(script, output)[0], [()])[()]
    family = {os.getpid()}
    for one in sorted(found, key=lambda process: process.pid):
        if one.parent in family and one.pid not in before:
            family.add(one.pid)
    assert family == {os.getpid()}
    assert shell.pid not in {one.pid for one in found}


@pytest.fixture
def odd_files(tmp_path):
    for name in ODD:
        (tmp_path / name).write_text(f"I am {name}")
        (tmp_path / f"{name}.link").symlink_to(name)
    (tmp_path / "folder").mkdir(mode=0o2750)
    (tmp_path / "folder").chmod(0o2750)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("not\\here\nat all\n")
    return tmp_path


def test_files_are_what_os_stat_says(look, odd_files):
    paths = [*odd_files.iterdir(), Path("/dev/null"), Path("/etc/passwd"), Path("/")]
    wanted = [(str(path),) for path in paths] + [(str(odd_files / "nosuch"),), ("/etc/passwd/x",)]
    found = look("file", *wanted)
    kinds = {0o100000: "file", 0o040000: "directory", 0o010000: "pipe", 0o020000: "character device"}
    for path in paths:
        seen = found[str(path),]
        assert seen.problem == ""
        assert seen.link == (str(path.readlink()) if path.is_symlink() else None)
        if path.name == "dangling":
            assert seen.kind is None
            continue
        status = path.stat()
        assert seen.kind == kinds[status.st_mode & 0o170000]
        assert seen.mode == f"{status.st_mode & 0o7777:04o}"
        assert (seen.uid, seen.gid, seen.size) == (status.st_uid, status.st_gid, status.st_size)
        assert (seen.owner, seen.group) == (pwd.getpwuid(status.st_uid)[0], grp.getgrgid(status.st_gid)[0])
    for absent in wanted[-2:]:
        assert (found[absent].kind, found[absent].link, found[absent].problem) == (None, None, "")


def test_the_age_of_a_file_is_by_its_own_clock(look, tmp_path):
    old = tmp_path / "old"
    old.touch()
    moment = old.stat().st_mtime - 3600
    os.utime(old, (moment, moment))
    assert 3600 <= look("file", (str(old),))[str(old),].age < 3660


def test_contents_are_those_of_the_files(look, odd_files):
    for name in ODD:
        path = str(odd_files / name)
        found = look("content", (path, f"I am {name}"), (path, "I am not"), (path + ".link", name), (path, f"{name} "))
        assert [found[one].holds for one in found] == [True, False, True, False], name
    missing = [(str(odd_files / name), "x") for name in ("folder", "pipe", "nosuch")]
    assert {found.there for found in look("content", *missing).values()} == {False}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("fact", ["file", "content"])
def test_what_may_not_be_looked_at_is_a_problem_and_not_absent(look, tmp_path_factory, fact):
    hidden = Path("/tmp") / f"infratest-hidden-{os.getpid()}"
    hidden.mkdir(mode=0o700)
    try:
        (hidden / "there").write_text("secret")
        rest = ("x",) if fact == "content" else ()
        there, hosts, nosuch = ((path, *rest) for path in (str(hidden / "there"), "/etc/hosts", str(hidden / "nosuch")))
        found = look(fact, there, hosts, nosuch, as_user="nobody")
        assert "Permission denied" in found[there].problem
        assert "Permission denied" in found[nosuch].problem
        assert found[hosts].problem == ""
    finally:
        (hidden / "there").unlink()
        hidden.rmdir()


def test_users_and_groups_are_those_of_the_name_services(look):
    everybody = [entry.pw_name for entry in pwd.getpwall()]
    found = look("user", *[(name,) for name in everybody], ("nosuch",), ("0",))
    for entry in pwd.getpwall():
        seen = found[entry.pw_name,]
        assert (seen.uid, seen.gid, seen.home, seen.shell) == (
            entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell or "/bin/sh",
        )  # fmt: skip
    assert found["nosuch",] is None
    assert found["0",] is None
    groups = look("group", *[(entry.gr_name,) for entry in grp.getgrall()], ("nosuch",))
    for entry in grp.getgrall():
        assert (groups[entry.gr_name,].gid, groups[entry.gr_name,].members) == (entry.gr_gid, tuple(entry.gr_mem))
    assert groups["nosuch",] is None


def test_users_without_getent_are_read_from_the_file(look, run):
    found = look("user", ("root",), ("nosuch",), only=run.programs)
    assert (found["root",].uid, found["nosuch",]) == (0, None)


def test_a_group_with_more_members_than_a_program_takes_as_an_argument(run, tmp_path):
    """Without getent the shell prints the line: mksh by no program, for the kernel ends an argument at 128 KiB."""
    members = tuple(f"member-{number:05}" for number in range(12_000))
    (tmp_path / "group").write_text(f"root:x:0:\nmany\\n:x:7:{','.join(members)}\n")
    snippet = GroupFact().ask([("many\\n",), ("root",), ("nosuch",)]).replace("/etc/group", str(tmp_path / "group"))
    words, _ = shell(run.shell)
    done = subprocess.run([*words, "-c", snippet], capture_output=True, env={"PATH": str(run.programs)}, timeout=20)
    answer = Answer(exit=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
    found = GroupFact().read(answer, [("many\\n",), ("root",), ("nosuch",)])
    assert found["many\\n",] == Group(name="many\\n", gid=7, members=members)
    assert (found["root",].gid, found["nosuch",]) == (0, None)


def test_mounts_are_those_of_the_kernel(look):
    found = look("mount", ())[()]
    assert {path for path in found if os.path.ismount(path)} >= {"/", "/proc"}
    assert found["/proc"].type == "proc"
    assert "rw" in found["/proc"].options


def test_the_room_on_a_disk_is_what_statvfs_says(look, tmp_path):
    found = look("disk", ("/",), ("/proc",), (str(tmp_path / "nosuch"),), (str(tmp_path),))
    status = os.statvfs("/")
    seen = found["/",]
    assert seen.size == status.f_blocks * status.f_frsize
    assert abs(seen.available - status.f_bavail * status.f_frsize) < 2**30
    assert abs(seen.used - (status.f_blocks - status.f_bfree) * status.f_frsize) < 2**30
    assert seen.inodes == status.f_files
    assert 0 < seen.percent < 100
    assert found[str(tmp_path / "nosuch"),].there is False
    assert found[str(tmp_path),].there


def test_memory_and_load_are_those_of_the_kernel(look):
    memory = look("memory", ())[()]
    assert memory.total == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < memory.available < memory.total
    load = look("load", ())[()]
    assert load.processors == len(os.sched_getaffinity(0))
    assert abs(load.averages[2] - os.getloadavg()[2]) < 1


def test_a_command_runs_as_it_is_written(look):
    text = "printf '%s|' \"$0\" 'a b' '`id`'; echo x >&2; exit 3"
    seen = look("command", (text,))[text,]
    assert (seen.exit, seen.out, seen.err) == (3, "sh|a b|`id`|", "x\n")


def test_the_exit_status_of_a_missing_tool_is_a_value_of_a_users_command(look):
    assert look("command", ("exit 69",))["exit 69",].exit == NO_TOOL


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_command_as_root_is_not_run_by_another(look, tmp_path):
    touched = tmp_path / "touched"
    with pytest.raises(FactError, match="not root"):
        look("root-command", (f"touch {touched}",), as_user="nobody")
    assert not touched.exists()
    assert look("root-command", ("id -u; exit 69",))["id -u; exit 69",].out == "0\n"


@pytest.mark.parametrize(
    "fact, arguments, words",
    [
        ("http", [("http://127.0.0.1:1/",)], "curl is not installed"),
        ("package", [("bash",)], "no package manager"),
    ],
)
def test_a_missing_tool_is_named(look, tmp_path, fact, arguments, words):
    with pytest.raises(FactError) as caught:
        look(fact, *arguments, only=tmp_path)
    assert words in str(caught.value)
