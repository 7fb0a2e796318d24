"""Nodes of the tests' clouds that are whole machines: a container with systemd, and Debian's own cloud-init in it.

The same interface as `Nodes`, where a node is an sshd of this machine. Here the very user data that the API was given
are read by cloud-init itself, from its NoCloud source. A node's address is its machine's own, in a network of the
container engine: this machine reaches it there and so does every other node, at every port. `tests.worlds.node_network`
makes that network, and says what is handed to `NodeMachines`.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import Node, Nodes, plain

SEED = "var/lib/cloud/seed/nocloud"
OPTIONS = (
    "--cgroupns=private", "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--tmpfs=/run", "--tmpfs=/run/lock", "--stop-signal=SIGRTMIN+3",
    "--memory=256m", "--tty",
)  # fmt: skip


@dataclass
class Machine(Node):
    """A node that is a container, by the engine's id of it."""

    container: str = ""
    runs: bool = False


class NodeMachines(Nodes):
    """The nodes of one network by the ids that their cloud gives them.

    Args:
        engine: the words that begin a call of docker. environment: its variables. image: with cloud-init in it.
        network: the engine's name of it. addresses: of that network. heard: characters of user data after which the
        cloud breaks off; 0 for a cloud that does not.
    """

    meet = True

    def __init__(
        self, engine: Sequence[str], environment: Mapping[str, str], image: str, network: str, addresses: str,
        heard: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(Path(os.devnull), addresses)
        self._engine, self._environment, self._image, self._name = engine, environment, image, network
        self._heard = heard

    def start(self, node: str, user_data: str | bytes, address: str = "") -> str:
        with self._lock:
            found = self._nodes.get(node)
            if found is None:
                text = plain(user_data)
                found = Machine(address or self._free(), self._folder, user_data=text[: self._heard or len(text)])
                found.container = self._make(node, found)
                self._nodes[node] = found
            assert isinstance(found, Machine)
            if not found.runs:
                self._docker("start", found.container)
                found.runs = True
            return found.address

    def stop(self, node: str) -> None:
        with self._lock:
            found = self._nodes.get(node)
            if isinstance(found, Machine) and found.runs:
                self._docker("stop", "--time", "10", found.container)
                found.runs = False

    def remove(self, node: str) -> None:
        with self._lock:
            found = self._nodes.pop(node, None)
            if isinstance(found, Machine):
                self._docker("rm", "--force", "--volumes", found.container)

    def running(self) -> list[str]:
        return [name for name, node in list(self._nodes.items()) if isinstance(node, Machine) and node.runs]

    def logins(self, node: str) -> int:
        journal = self._docker("exec", self._container(node), "journalctl", "--unit=ssh", "--output=cat", "--no-pager")
        return journal.count("Accepted publickey for")

    def console(self, node: str) -> str:
        return self._docker("logs", self._container(node))

    def inside(self, node: str, command: str) -> str | None:
        """Return what a shell in a node's machine prints, None where it fails."""
        words = [*self._engine, "exec", self._container(node), "sh", "-c", command]
        environment = {**os.environ, **self._environment}
        done = subprocess.run(words, capture_output=True, text=True, timeout=240, env=environment)
        return done.stdout if done.returncode == 0 else None

    def powered(self, node: str) -> bool:
        """Return whether a node's machine runs: it may have powered itself off."""
        return self._docker("inspect", "--format", "{{.State.Running}}", self._container(node)).strip() == "true"

    def _container(self, node: str) -> str:
        found = self._nodes[node]
        assert isinstance(found, Machine)
        return found.container

    def _free(self) -> str:
        taken = {node.address for node in self._nodes.values()}
        return next(str(one) for one in list(self._network.hosts())[9:] if str(one) not in taken)

    def _make(self, node: str, machine: Machine) -> str:
        """Make a machine that finds its user data at its first boot, and return the engine's id of it."""
        name = f"infratest-node-{uuid.uuid4().hex[:12]}"
        place = ("--network", self._name, "--ip", machine.address)
        container = self._docker("create", "--name", name, "--hostname", "node", *place, *OPTIONS, self._image).strip()
        held = {"user-data": machine.user_data, "meta-data": json.dumps({"instance-id": node})}
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for file, text in held.items():
                entry = tarfile.TarInfo(f"{SEED}/{file}")
                entry.size, entry.mode = len(text.encode()), 0o600
                archive.addfile(entry, io.BytesIO(text.encode()))
        self._docker("cp", "-", f"{container}:/", stdin=stream.getvalue())
        return container

    def _docker(self, *words: str, stdin: bytes = b"") -> str:
        environment = {**os.environ, **self._environment}
        done = subprocess.run([*self._engine, *words], input=stdin, capture_output=True, timeout=120, env=environment)
        assert done.returncode == 0, f"{words}: {done.stderr.decode()}"
        return done.stdout.decode("utf-8", "replace")
