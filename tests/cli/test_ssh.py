"""`infratest ssh` with the system's client, on real sshds: the stack's key and known hosts hold on the whole way."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.worlds import forked
from tests.worlds.sshd import Server, make_key, running_sshd

STACK = """\
stack: office
provider: {{name: existing, known-hosts: known_hosts, config: none, agent: false}}
hosts:
  desk: {{address: 127.0.0.1, port: {port}, user: root, key: id, jump: "{jump}"}}
"""


@pytest.mark.parametrize("jumps", [0, 1, 2])
def test_jump_hosts_are_passed_with_the_stacks_key_and_known_hosts(tmp_path: Path, jumps: int) -> None:
    key = make_key(tmp_path / "id")
    with ExitStack() as servers:
        ways = [servers.enter_context(running_sshd(tmp_path / f"way-{n}", key=key)) for n in range(jumps)]
        last = servers.enter_context(running_sshd(tmp_path / "last", key=key))
        project(tmp_path, [*ways, last], last, ",".join(f"root@127.0.0.1:{way.port}" for way in ways))
        done = infratest_ssh(tmp_path, "desk", "echo $SSH_CONNECTION")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.split()[3] == str(last.port)
        assert [way.logins() for way in [*ways, last]] == [1] * (jumps + 1)


def test_a_jump_host_that_is_not_known_is_refused(tmp_path: Path) -> None:
    key = make_key(tmp_path / "id")
    with running_sshd(tmp_path / "way", key=key) as way, running_sshd(tmp_path / "last", key=key) as last:
        project(tmp_path, [last], last, f"root@127.0.0.1:{way.port}")
        done = infratest_ssh(tmp_path, "desk", "true")
        assert (done.returncode, done.stdout) == (255, "")
        assert "Host key verification failed" in done.stderr
        assert (way.logins(), last.logins()) == (0, 0)


def project(folder: Path, known: list[Server], last: Server, jump: str) -> None:
    (folder / "known_hosts").write_text("".join(each.known_hosts.read_text() for each in known))
    (folder / "stack.yaml").write_text(STACK.format(port=last.port, jump=jump or "none"))


def infratest_ssh(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return forked.run(["ssh", *words], cwd=folder, timeout=60)
