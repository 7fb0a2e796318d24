"""The machines behind a cloud of the tests: an address of 127.9.0.0/24 and a real sshd for each node that it says runs.

A cloud's API in these tests is real or near to it, and nothing stands behind its nodes. `Nodes` does: `start` reads the
very user data that the API was given, as cloud-init would (played here: the host key, and who is let in, taken from
`#cloud-config`), and has sshd listen at the node's address; `stop` ends it, and what its connections had started. The
host is this machine itself, so whoever runs the tests is the only user that can log in. Where that is not enough,
`machines.NodeMachines` has the same interface: its nodes are whole machines.

This folder imports the standard library alone and nothing by its full name: a cloud's server, in a virtual environment
of its own, loads it as the package `nodes`.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import processes

NETWORK = "127.9.0.0/24"
#: Not 22: an sshd of this machine's own may have that at every address.
SSH_PORT = 2022
#: A port of an address that nobody listens at: who holds it has the address, and a killed holder leaves nothing.
CLAIM_PORT = 2021

LISTENING = "Server listening on"


@dataclass
class Node:
    """One node: where its sshd is, and the process while it runs."""

    address: str
    folder: Path
    claim: socket.socket | None = field(repr=False, default=None)
    user_data: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.folder / "sshd.log"


class Nodes:
    """The nodes of one cloud by the ids that it gives them. Its methods may be called from several threads.

    Args:
        folder: for keys and logs. network: where addresses are taken from, when the cloud gives none.
    """

    #: Whether nodes reach each other at their addresses, as in a network of their own.
    meet = False

    def __init__(self, folder: Path, network: str = NETWORK) -> None:
        self._folder = folder
        self._network = ipaddress.ip_network(network)
        self._nodes: dict[str, Node] = {}
        self._lock = threading.RLock()

    def start(self, node: str, user_data: str | bytes, address: str = "") -> str:
        """Have a node's sshd up and return its address; fine where it is up.

        Args:
            node: the cloud's id. user_data: as the API was given it, in base64 or not; a node that was there before
            keeps what it had. address: that the cloud says it has; without one a free one is taken.
        """
        with self._lock:
            found = self._nodes.get(node)
            if found is None:
                claim = self._claim(address)
                folder = self._folder / re.sub(r"[^A-Za-z0-9-]", "_", node)
                found = Node(str(claim.getsockname()[0]), folder, claim, plain(user_data))
                self._nodes[node] = found
            if found.process is None or found.process.poll() is not None:
                found.process = _start(found)
            return found.address

    def stop(self, node: str) -> None:
        """End a node's sshd and keep its address and keys, as a halted machine does; fine where none runs."""
        with self._lock:
            if node in self._nodes:
                _end(self._nodes[node])

    def remove(self, node: str) -> None:
        """End a node's sshd and give its address back; fine where it was never there."""
        with self._lock:
            found = self._nodes.pop(node, None)
            if found is not None:
                _end(found)
                if found.claim is not None:
                    found.claim.close()
                shutil.rmtree(found.folder, ignore_errors=True)

    def reboot(self, node: str) -> None:
        """End a node's sshd and start it anew."""
        with self._lock:
            self.stop(node)
            self.start(node, "")

    def address(self, node: str) -> str:
        """Return a node's address, empty where it is not there."""
        found = self._nodes.get(node)
        return found.address if found else ""

    def names(self) -> list[str]:
        """Return the nodes that are there, running or not."""
        return list(self._nodes)

    def running(self) -> list[str]:
        """Return the nodes whose sshd runs."""
        return [name for name, node in list(self._nodes.items()) if node.process and node.process.poll() is None]

    def logins(self, node: str) -> int:
        """Return how many logins a node's sshd has counted."""
        return self._nodes[node].log.read_text("utf-8", "replace").count("Accepted publickey for")

    def console(self, node: str) -> str:
        """Return what a node's serial port shows: its sshd's log, and the host key as cloud-init prints it."""
        found = self._nodes[node]
        command = ["ssh-keygen", "-y", "-f", found.folder / "host_key"]
        public = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        keys = f"-----BEGIN SSH HOST KEY KEYS-----\n{public}-----END SSH HOST KEY KEYS-----\n"
        return keys + found.log.read_text("utf-8", "replace")

    def close(self) -> None:
        """End them all."""
        for name in self.names():
            self.remove(name)

    def _claim(self, address: str) -> socket.socket:
        """Take an address, of the other sessions of tests on this machine too."""
        wanted = [address] if address else [str(one) for one in list(self._network.hosts())[9:]]
        for one in wanted:
            claim = socket.socket()
            try:
                claim.bind((one, CLAIM_PORT))
                # Of a session that was killed an sshd may run on, which claims nothing any more. Connections that the
                # end of a node broke off stay known for a minute, and are in nobody's way: sshd takes the port, too.
                with socket.socket() as sshd:
                    sshd.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    sshd.bind((one, SSH_PORT))
                return claim
            except OSError:
                claim.close()
        raise AssertionError(f"no address of {address or self._network} is free for a node")


def plain(user_data: str | bytes) -> str:
    """Return user data as text, out of the base64 that an API wants it in."""
    text = user_data.decode() if isinstance(user_data, bytes) else user_data
    if text and not text.startswith("#"):
        with contextlib.suppress(ValueError):
            text = base64.b64decode(text, validate=True).decode()
    return text


def cloud_config(text: str) -> dict[str, object]:
    """Return what cloud-init would read of user data; nothing of what is no `#cloud-config` in JSON."""
    first, _, rest = text.partition("\n")
    if first.strip() != "#cloud-config":
        return {}
    config = json.loads(rest)
    assert isinstance(config, dict)
    return config


def _start(node: Node) -> subprocess.Popen[bytes]:
    """Start a node's sshd with what its user data say, as a first boot would; without, with keys of its own."""
    _prepare(node)
    settings = {
        "HostKey": node.folder / "host_key", "AuthorizedKeysFile": node.folder / "authorized_keys",
        "PidFile": "none", "StrictModes": "no", "UsePAM": "no", "UseDNS": "no", "LogLevel": "VERBOSE",
        "PermitRootLogin": "yes", "PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no",
        "MaxSessions": "50", "MaxStartups": "100", "Subsystem": "sftp internal-sftp",
        "Port": SSH_PORT, "ListenAddress": node.address, "SetEnv": f"HOME={node.folder}",
    }  # fmt: skip
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert program, "sshd is not installed: apt-get install openssh-server"
    node.log.write_text("")
    flags = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    words = [*_apart(node), program, "-D", "-f", "/dev/null", "-E", str(node.log), *flags]
    process = subprocess.Popen(words, start_new_session=True, close_fds=True)
    while LISTENING not in node.log.read_text():
        assert process.poll() is None, f"the sshd of {node.address} does not start: {node.log.read_text()}"
        time.sleep(0.01)
    return process


def _apart(node: Node) -> list[str]:
    """Return the words before sshd's that give a node an /etc/hosts of its own: `up` writes the stack's names there."""
    if os.getuid() != 0:
        return []
    hosts = node.folder / "hosts"
    if not hosts.exists():
        shutil.copy("/etc/hosts", hosts)
    script = 'mount --bind "$0" /etc/hosts && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, str(hosts)]


def _prepare(node: Node) -> None:
    """Write the keys that a node's user data hand over, once."""
    host_key = node.folder / "host_key"
    if host_key.exists():
        return
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's privilege separation demands it
    node.folder.mkdir(parents=True)
    node.folder.chmod(0o755)
    config = cloud_config(node.user_data)
    keys = config.get("ssh_keys")
    if isinstance(keys, dict) and "ed25519_private" in keys:
        host_key.touch(0o600)
        host_key.write_text(keys["ed25519_private"])
    else:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host_key], check=True)
    (node.folder / "authorized_keys").write_text("".join(f"{line}\n" for line in let_in(config)))


def let_in(config: dict[str, object]) -> list[str]:
    """Return the public keys that a cloud-config lets in, of the default user and of those that it makes."""
    users = config.get("users", [])
    assert isinstance(users, list)
    places = [config, *(user for user in users if isinstance(user, dict))]
    found: list[str] = []
    for place in places:
        keys = place.get("ssh_authorized_keys", [])
        assert isinstance(keys, list)
        found += keys
    return found


def _end(node: Node) -> None:
    """End a node's sshd, its connections, and what they had started and left behind."""
    process, node.process = node.process, None
    if process is None:
        return
    place = f" {node.address} {SSH_PORT}".encode()
    left = {*_below(process.pid)}
    process.terminate()
    process.wait(10)
    for pid, environment in processes.told("environ"):
        words = environment.split(b"\0")
        if any(word.startswith(b"SSH_CONNECTION=") and word.endswith(place) for word in words):
            left.add(pid)
    for pid in left - {os.getpid()}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _below(pid: int) -> list[int]:
    """Return the process ids of a process's children, and theirs."""
    parents: dict[int, list[int]] = {}
    for child, stat in processes.told("stat"):
        parents.setdefault(int(stat.rpartition(b")")[2].split()[1]), []).append(child)
    found, look = [], [pid]
    while look:
        children = parents.get(look.pop(), [])
        found += children
        look += children
    return found
