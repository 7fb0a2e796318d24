"""Facts against pytest-testinfra's local backend on this machine: where both know an answer they must agree.

Where they do not, it is one of testinfra's known errors, and the kernel decides (a connection is made):
- a socket at 127.0.0.1 is not found when its listener is bound to 0.0.0.0, which answers there;
- a socket at 127.0.0.1 is found when its listener is bound to [::] and takes IPv6 alone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess

import pytest
import testinfra
from infratest.steps.socket import socket_check

from infratest.facts.base import Answer, Need
from infratest.outsiders import get
from infratest.testing.waiting import wait_until


@pytest.fixture(scope="module")
def host():
    return testinfra.get_host("local://")


@pytest.fixture(scope="module")
def ask():
    """Ask a fact of this machine by `sh`, as a host is asked."""

    def asked(name, *arguments):
        fact = get("fact", name)()
        done = subprocess.run(
            ["sh", "-c", fact.ask(arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            timeout=20,
        )
        answer = Answer(exit=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
        found = fact.read(answer, arguments)
        return [found[argument] for argument in arguments]

    return asked


def test_packages(host, ask):
    names = ["bash", "coreutils", "libc6", "dpkg", "nosuch-package", "nginx-full"]
    for name, found in zip(names, ask("package", *((name,) for name in names)), strict=True):
        theirs = host.package(name)
        assert found.installed == theirs.is_installed, name
        if found.installed:
            assert found.version == theirs.version


def test_files(host, ask, tmp_path):
    (tmp_path / "it's odd").write_text("x")
    (tmp_path / "set").touch()
    (tmp_path / "set").chmod(0o4711)
    paths = ["/etc/passwd", "/etc/shadow", "/tmp", "/dev/null", "/nosuch", *(str(path) for path in tmp_path.iterdir())]
    for path, found in zip(paths, ask("file", *((path,) for path in paths)), strict=True):
        theirs = host.file(path)
        assert (found.kind is not None) == theirs.exists, path
        if theirs.exists:
            assert (found.kind == "directory", found.kind == "file") == (theirs.is_directory, theirs.is_file)
            assert (found.owner, found.group) == (theirs.user, theirs.group)
            assert (found.uid, found.gid, found.size) == (theirs.uid, theirs.gid, theirs.size)
            assert int(found.mode, 8) == theirs.mode


def test_links_are_followed_but_for_their_target(host, ask, tmp_path):
    (tmp_path / "target").touch()
    (tmp_path / "target").chmod(0o600)
    (tmp_path / "link").symlink_to("target")
    (found,) = ask("file", (str(tmp_path / "link"),))
    theirs = host.file(str(tmp_path / "link"))
    assert theirs.is_symlink
    assert (int(found.mode, 8), found.kind == "file") == (theirs.mode, theirs.is_file)
    # Ours is what the link holds, theirs where it ends after all others are followed.
    assert (found.link, theirs.linked_to) == ("target", str(tmp_path / "target"))


def test_contents(host, ask, tmp_path):
    (tmp_path / "text").write_text("listen 80;\n# debug\n")
    theirs = host.file(str(tmp_path / "text"))
    texts = ("listen 80", "debug", "nosuch")
    for text, found in zip(texts, ask("content", *((str(tmp_path / "text"), text) for text in texts)), strict=True):
        assert found.holds == (text in theirs.content_string) == theirs.contains(text)


def test_users_and_groups(host, ask):
    names = ["root", "daemon", "nobody", "nosuch"]
    for name, found in zip(names, ask("user", *((name,) for name in names)), strict=True):
        theirs = host.user(name)
        assert (found is not None) == theirs.exists
        if found:
            assert (found.uid, found.gid, found.home, found.shell) == (
                theirs.uid, theirs.gid, theirs.home, theirs.shell,
            )  # fmt: skip
    names = ["root", "adm", "nogroup", "nosuch"]
    for name, found in zip(names, ask("group", *((name,) for name in names)), strict=True):
        theirs = host.group(name)
        assert (found is not None) == theirs.exists
        if found:
            assert found.gid == theirs.gid
            assert list(found.members) == theirs.members


def sleeping(host):
    """Ask testinfra for processes; it gives up on words that are not UTF-8, of any process on this machine."""
    with contextlib.suppress(UnicodeDecodeError):
        return host.process.filter(comm="sleep")
    return []


def test_processes(host, ask):
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            (found,) = ask("process", ())
            (ours,) = [one for one in found if one.pid == child.pid]
            (theirs,) = wait_until(lambda: [one for one in sleeping(host) if one.pid == child.pid])
            assert (ours.pid, ours.parent, ours.name) == (theirs.pid, theirs.ppid, theirs.comm)
            assert ours.program == theirs.args.split()[0]
            assert ours.uid == host.user(theirs.user).uid
        finally:
            child.terminate()


def test_mounts(host, ask):
    (found,) = ask("mount", ())
    for path in ("/", "/proc", "/nosuch"):
        theirs = host.mount_point(path)
        assert (path in found) == theirs.exists
        if theirs.exists:
            assert (found[path].type, found[path].device) == (theirs.filesystem, theirs.device)
            assert list(found[path].options) == theirs.options


def test_commands(host, ask):
    for text in ("echo 'a b'; exit 3", "printf x >&2", "nosuch-command-at-all"):
        (found,) = ask("command", (text,))
        theirs = host.run(text)
        assert (found.exit, found.out) == (theirs.rc, theirs.stdout)


def connects(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, port)) == 0


#: Listener (address, IPV6_V6ONLY) -> the addresses at which testinfra is known to be wrong about it.
LISTENERS = {
    ("127.0.0.1", None): set(),
    ("0.0.0.0", None): {"127.0.0.1"},
    ("::1", None): set(),
    ("::", 1): {"127.0.0.1"},
    ("::", 0): set(),
}


@pytest.mark.parametrize("bound, only6", LISTENERS)
def test_sockets_are_what_the_kernel_lets_in(host, ask, bound, only6):
    with socket.socket(socket.AF_INET6 if ":" in bound else socket.AF_INET) as listener:
        if only6 is not None:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only6)
        listener.bind((bound, 0))
        listener.listen()
        port = listener.getsockname()[1]
        (found,) = ask("socket", ())
        wrong = set()
        for address in ("127.0.0.1", "::1"):
            kernel = connects(address, port)
            ours = socket_check(f"tcp://{address}:{port}").observe({Need("socket"): found}).holds
            assert ours == kernel, address
            if host.socket(f"tcp://{address}:{port}").is_listening != kernel:
                wrong.add(address)
    assert wrong == LISTENERS[bound, only6], "testinfra's errors are not those that are known"
