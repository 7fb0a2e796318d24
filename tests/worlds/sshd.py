"""A real sshd for tests: on a free port of 127.0.0.1, with its own host key, keys, configuration and log in a folder.

`start_sshd(folder)` starts one; nothing of the system's own sshd or of ~/.ssh is read or touched.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.testing.waiting import wait_until
from tests.worlds.nodes import processes

STARTED = "Server listening on"
ACCEPTED = "Accepted publickey for"


def make_key(path: Path, kind: str = "ed25519", password: str = "") -> Path:
    """Make a key pair; return the private half's path."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", password, "-C", f"test {path.name}", "-f", path], check=True)
    return path


@dataclass
class Server:
    """A running sshd.

    Args:
        host_key: its public key as `type base64`. key: private key that `user` may log in with.
        known_hosts: file that knows this server (and nothing else). accepted: what its log says of a login.
    """

    address: str
    port: int
    user: str
    host_key: str
    key: Path
    known_hosts: Path
    log: Path
    folder: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    accepted: str = ACCEPTED

    def options(self, **others: Any) -> dict[str, Any]:
        """Return options of the ssh transport for this server, read from nowhere else than from here."""
        return {
            "address": self.address,
            "port": self.port,
            "user": self.user,
            "key": str(self.key),
            "known-hosts": str(self.known_hosts),
            "config": "none",
            "agent": False,
        } | {name.replace("_", "-"): value for name, value in others.items()}

    def logins(self) -> int:
        """Return how many logins the server itself has counted."""
        return self.log.read_text("utf-8", "replace").count(self.accepted)

    def sessions(self) -> list[int]:
        """Return the process ids of the connections it serves."""
        return children(self.process.pid)

    def stop(self) -> None:
        """End it, its connections, and what they have started."""
        left = {*descendants(self.process.pid), *self._orphans()}
        self.process.terminate()
        self.process.wait(10)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _orphans(self) -> list[int]:
        """Return what commands of ended connections have left behind: sshd tells each of its place."""
        place = f" {self.address} {self.port}".encode()
        found = []
        for pid, environment in processes.told("environ"):
            words = environment.split(b"\0")
            if any(word.startswith(b"SSH_CONNECTION=") and word.endswith(place) for word in words):
                found.append(pid)
        return found


def descendants(pid: int) -> list[int]:
    """Return the process ids of a process's children, and theirs."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children."""
    return [child for child, stat in processes.told("stat") if int(stat.rpartition(b")")[2].split()[1]) == pid]


def start_sshd(
    folder: Path,
    *,
    user: str = "",
    address: str = "127.0.0.1",
    key: Path | None = None,
    under: Sequence[str] = (),
    **options: str,
) -> Server:
    """Start an sshd.

    Args:
        folder: an empty or missing folder for its files. user: who may log in; default whoever runs the test.
        key: the private key to let in; default a new one. under: a command line that sshd's is put behind, and becomes.
        options: sshd_config keywords, as `ForceCommand="false"`; `HostKeys` is one more host key beside its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    user = user or pwd.getpwuid(os.getuid()).pw_name
    key = key or make_key(folder / "id")
    host_key = make_key(folder / "host_key")
    (folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    (folder / "authorized_keys").chmod(0o644)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its privilege separation demands it
    given = {
        "HostKey": str(host_key),
        "AuthorizedKeysFile": str(folder / "authorized_keys"),
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "UseDNS": "no",
        "LogLevel": "VERBOSE",
        "PermitRootLogin": "yes",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "MaxSessions": "50",
        "MaxStartups": "100",
        "Subsystem": "sftp internal-sftp",
        # bash reads ~/.bashrc under sshd: whatever stands in the user's own is no part of a test.
        "SetEnv": f"HOME={folder}",
    } | options
    more = [given.pop("HostKeys")] if "HostKeys" in given else []
    process, port = _listening(folder, address, given, more, under)
    kind, blob, *_ = (folder / "host_key.pub").read_text().split()
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"[{address}]:{port} {kind} {blob}\n")
    return Server(address, port, user, f"{kind} {blob}", key, known_hosts, folder / "sshd.log", folder, process)


def _listening(
    folder: Path, address: str, given: dict[str, str], host_keys: list[str], under: Sequence[str]
) -> tuple[subprocess.Popen[bytes], int]:
    """Start sshd on a free port; it cannot choose one itself, so a port that someone else took is another try."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert program, "sshd is not installed: apt-get install openssh-server"
    log = folder / "sshd.log"
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        log.write_text("")
        settings = given | {"Port": str(port), "ListenAddress": address}
        flags = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        flags += [word for path in host_keys for word in ("-h", path)]
        words = [*under, program, "-D", "-f", "/dev/null", "-E", str(log), *flags]
        process = subprocess.Popen(words, start_new_session=True)
        if wait_until(lambda: STARTED in log.read_text() or process.poll() is not None) and process.poll() is None:  # noqa: B023
            return process, port
    raise AssertionError(f"sshd does not start: {log.read_text()}")


@contextlib.contextmanager
def running_sshd(folder: Path, **options: Any) -> Iterator[Server]:
    """Start an sshd for a `with` block."""
    server = start_sshd(folder, **options)
    try:
        yield server
    finally:
        server.stop()
