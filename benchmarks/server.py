"""sshd in a network namespace, as a distribution sets it up but for key login as root, and what it cost.

The listener waits for each of its connections' processes, and they for theirs, so what its children have used (utime
and stime of /proc/PID/stat) is what the target spent: login, shell, and all that was run. In ticks of 10 ms, so it is
taken over many runs. Root's home on the target is one of /etc/skel: what somebody has in their own .bashrc is run for
every command, and would be most of the figure.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environment
from benchmarks.namespaces import FOLDER
from benchmarks.problem import BenchError
from benchmarks.processes import ended, staying

TICK = os.sysconf("SC_CLK_TCK")
#: What a host of its own runs beside sshd: as many processes as a small server has.
PROCESSES = 30
STAYING = ("sleep",)  # what of sshd's children does not come from a connection
ALONE = (
    *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"),
    # Namespaces with a name are mounts, and those of all hosts are no host's own.
    f'umount -l /run/netns 2>/dev/null; n=0; while [ $n -lt {PROCESSES} ]; do sleep 7200 & n=$((n+1)); done; exec "$@"',
    "sh",
)
SETTINGS = {
    "AuthorizedKeysFile": "{folder}/authorized_keys", "HostKey": "{folder}/host_key", "PidFile": "none",
    "StrictModes": "no", "UsePAM": "no", "UseDNS": "no", "PermitRootLogin": "yes", "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no", "MaxSessions": "200", "MaxStartups": "200", "LogLevel": "ERROR",
    "SetEnv": "HOME={folder}/home",
}  # fmt: skip


@dataclass
class Server:
    """An sshd that listens.

    Args:
        address: in its namespace, port 22. process: `ip netns exec` has become the listener itself.
    """

    address: str
    process: subprocess.Popen[bytes]

    def cpu(self) -> float:
        """Return the CPU seconds of all connections that have ended and all they left, waiting for what is ending."""
        until = time.monotonic() + 5
        while any(_name(pid) not in STAYING for pid in _children(self.listener)) and time.monotonic() < until:
            time.sleep(0.01)
        used = Path(f"/proc/{self.listener}/stat").read_text().rpartition(")")[2].split()[13:15]
        return sum(map(int, used)) / TICK

    @property
    def listener(self) -> int:
        """The process id of sshd itself, which is the only child of `unshare` on a host of its own."""
        return self.process.pid if _name(self.process.pid) == "sshd" else _children(self.process.pid)[0]


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True)
class Keys:
    """The login of all servers: one host key, one user key, and files of OpenSSH that know them."""

    folder: Path

    @property
    def user(self) -> Path:
        return self.folder / "id"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    def know(self, addresses: Sequence[str], options: str = "") -> None:
        """Write known_hosts and an ssh_config for these addresses, with more options of ssh_config."""
        key = " ".join((self.folder / "host_key.pub").read_text().split()[:2])
        self.known_hosts.write_text("".join(f"{address} {key}\n" for address in addresses))
        lines = ["Host *", "User root", f"IdentityFile {self.user}", "IdentitiesOnly yes", options]
        lines += [f"UserKnownHostsFile {self.known_hosts}", "StrictHostKeyChecking yes"]
        self.config.write_text("\n  ".join(line for line in lines if line) + "\n")


def keys() -> Keys:
    """Return the keys, made when first asked for."""
    folder = environment.cache() / "ssh"
    folder.mkdir(exist_ok=True)
    for name in ("id", "host_key"):
        if not (folder / name).exists():
            environment.ran("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    shutil.copytree("/etc/skel", folder / "home", dirs_exist_ok=True)
    (folder / "authorized_keys").write_text((folder / "id.pub").read_text())
    return Keys(folder)


@contextlib.contextmanager
def servers(places: Sequence[tuple[str, str]], looked_at_from: str, alone: bool = False) -> Iterator[list[Server]]:
    """Start an sshd in each of (namespace, address).

    Args:
        alone: each sees no processes but its own and PROCESSES that sleep, as a host of its own does.
        looked_at_from: the namespace in which each must show its banner before this goes on.
    """
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise BenchError("sshd is not installed: apt-get install openssh-server")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its privilege separation demands it
    folder = keys().folder
    flags = [word for name, value in SETTINGS.items() for word in ("-o", f"{name}={value.format(folder=folder)}")]
    with ended([]) as processes:
        found = []
        for namespace, address in places:
            words = [program, "-D", "-f", "/dev/null", "-o", f"ListenAddress={address}", *flags]
            processes.append(staying([*ALONE, *words] if alone else words, namespace))
            found.append(Server(address, processes[-1]))
        with inside(looked_at_from):
            for each in found:
                _answers(each)
        yield found


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Be in a network namespace for a while. Sockets made there stay there."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(FOLDER / namespace, os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(home)
        os.close(home)
        os.close(there)


def _setns(descriptor: int) -> None:
    """os.setns came with Python 3.12."""
    import ctypes

    clone_newnet = 0x40000000
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, clone_newnet):
        raise BenchError(f"setns: {os.strerror(ctypes.get_errno())}")


def _answers(server: Server) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and server.process.poll() is None:
        try:
            with socket.create_connection((server.address, 22), 5) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.02)
    raise BenchError(f"sshd at {server.address} does not answer (exit {server.process.poll()})")


def connect_seconds(namespace: str, address: str, port: int = 22) -> float:
    """Return how long a TCP connect takes, seen from a namespace: one round trip."""
    with inside(namespace):
        began = time.monotonic()
        with socket.create_connection((address, port), 10):
            return time.monotonic() - began
