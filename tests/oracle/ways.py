"""The ways in: each asks many sentences in one run of the installed program, and returns the state of each."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.worlds import ldap_server, mail_servers, servers
from tests.worlds.sshd import Server, start_sshd

NOBODY = "nobody"
#: Scenarios of one feature.
TOGETHER = 400
SECONDS = 600

#: What the worlds' servers are asked with, by the parameter's name: no password stands in a feature.
SECRETS = {"password": servers.PASSWORD, "ldap": ldap_server.PASSWORD, "mail": mail_servers.PASSWORD}
PARAMETERS = "parameters:\n" + "".join(
    f"  {name}: {{type: string, secret: true, from: {{env: {name}}}}}\n" for name in SECRETS
)
LOCAL = "stack: oracle\nprovider: local\nhosts: {it: {}}\n"
#: By sudo a host is asked through its transport, and never natively.
SHELL = "stack: oracle\nprovider: local\nhosts: {it: {sudo: true}}\n"
SSH = """\
stack: oracle
provider: {{name: existing, known-hosts: {server.known_hosts}, config: none, agent: false}}
hosts:
  it: {{address: {server.address}, port: {server.port}, user: {server.user}, key: {server.key}{more}}}
"""


@dataclass(frozen=True)
class Way:
    """A way in: a stack file, who runs the program, and whether what looks is root."""

    name: str
    stack: str
    user: str = "root"
    root: bool = True

    def ask(self, folder: Path, texts: Sequence[str]) -> list[tuple[str, str]]:
        """Ask every text; return the state and the reason of each, in order.

        Raises:
            AssertionError: this way in could not be gone, or has left an answer out.
        """
        project = folder / self.name
        (project / "features").mkdir(parents=True)
        (project / "stack.yaml").write_text(self.stack + PARAMETERS)
        for first in range(0, len(texts), TOGETHER):
            lines = ["Feature: asked by the oracle"]
            for number, text in enumerate(texts[first : first + TOGETHER], first):
                lines += [f"  Scenario: number {number}", f"    Then {text}"]
            (project / f"features/from-{first}.feature").write_text("\n".join(lines) + "\n")
        owner = pwd.getpwnam(self.user)
        for path in (project, *project.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        self._run(project, owner)
        return self._read(project / "report.json", len(texts))

    def _run(self, project: Path, owner: pwd.struct_passwd) -> None:
        program = str(Path(sys.executable).with_name("infratest"))
        words = [program, "check", "--format", "json:report.json", "--timeout", f"{SECONDS}s"]
        variables = {"HOME": str(project), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | SECRETS
        done = subprocess.run(
            words, cwd=project, env=variables, capture_output=True, text=True, timeout=SECONDS + 60, check=False,
            user=owner.pw_uid, group=owner.pw_gid, extra_groups=[],
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert (project / "report.json").exists(), f"{self.name}: no report: {output[-4000:]}"
        assert "Traceback" not in output, f"{self.name}: {output[-4000:]}"

    def _read(self, report: Path, count: int) -> list[tuple[str, str]]:
        results = json.loads(report.read_text())["results"]
        states = {
            one["scenario"]: (one["state"], one["reason"]) for one in results if one["scenario"].startswith("number ")
        }
        missing = [number for number in range(count) if f"number {number}" not in states]
        assert not missing, f"{self.name}: no answer to {len(missing)} of {count} questions, the first is {missing[0]}"
        return [states[f"number {number}"] for number in range(count)]


class Ways:
    """All ways in, made when first asked for; `close` ends what they have started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[Server] = []

    def made(self, name: str) -> Way:
        """Return a way in by its name."""
        return WAYS[name](self, name)

    def server(self, **options: Any) -> Server:
        folder = self._folder / f"sshd-{len(self._servers)}"  # without the blanks of a name, which sshd parts words by
        server = start_sshd(folder, **options)
        self._servers.append(server)
        return server

    def close(self) -> None:
        for server in self._servers:
            server.stop()


def _shell_of(program: str) -> list[str]:
    """Return the words that run a command where /bin/sh is another shell."""
    path = shutil.which(program)
    assert path, f"{program} is not installed"
    return ["unshare", "--mount", "sh", "-ec", f'mount --bind {path} "$(readlink -f /bin/sh)"; exec "$@"', "sh"]


def _ssh(ways: Ways, name: str, more: str = "", **options: Any) -> Way:
    server = ways.server(**options)
    return Way(name, SSH.format(server=server, more=more), root=server.user != NOBODY)


#: What a login may have that changes what tools say; facts are asked without it.
ODD = (
    "HOME=/srv POSIXLY_CORRECT=1 BLOCKSIZE=1M DF_BLOCK_SIZE=1G DU_BLOCK_SIZE=1G LS_BLOCK_SIZE=1M COLUMNS=20 "
    "TZ=Asia/Tokyo "
    "GREP_OPTIONS=-v QUOTING_STYLE=c TIME_STYLE=full-iso LANG=de_DE.UTF-8 LANGUAGE=de CDPATH=/etc IFS=/ PS_FORMAT=pid "
    "DPKG_ADMINDIR=/nowhere XTABLES_LIBDIR=/nowhere SYSTEMD_COLORS=1 SYSTEMD_LOG_LEVEL=debug ENV=/nowhere "
    "PGHOST=/nowhere"
)

#: Name -> how it is made. `here` reads natively; every other one is the shell script that a host is asked by.
WAYS: dict[str, Callable[[Ways, str], Way]] = {
    "here": lambda ways, name: Way(name, LOCAL),
    "here as nobody": lambda ways, name: Way(name, LOCAL, NOBODY, root=False),
    "shell": lambda ways, name: Way(name, SHELL),
    "ssh": _ssh,
    "ssh as nobody": lambda ways, name: _ssh(ways, name, user=NOBODY),
    "openssh": lambda ways, name: _ssh(ways, name, more=", transport: openssh"),
    "ssh, odd login": lambda ways, name: _ssh(ways, name, SetEnv=ODD),
    "ssh, busybox": lambda ways, name: _ssh(ways, name, under=_shell_of("busybox")),
    "ssh, mksh": lambda ways, name: _ssh(ways, name, under=_shell_of("mksh")),
}
