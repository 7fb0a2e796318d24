"""Nodes of the tests' clouds that are whole machines: a container with systemd, and Debian's own cloud-init in it.

The same interface as `nodes.Nodes`, where a node is an sshd of this machine. Here the very user data that the API was
given are read by cloud-init itself, from its NoCloud source. The node's address is one of 127.9.0.0/24 on this machine,
where a thread hands each connection on to the container.

It imports the standard library alone: a cloud's server, in a virtual environment of its own, can load this file.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import subprocess
import tarfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from tests.worlds.nodes import SSH_PORT, Node, Nodes, plain

#: Ports of a node's address -> ports of its machine. SSH is elsewhere: a machine's own sshd may have 22 everywhere.
PORTS = {SSH_PORT: 22, 80: 80}
SEED = "var/lib/cloud/seed/nocloud"
OPTIONS = (
    "--cgroupns=private", "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--tmpfs=/run", "--tmpfs=/run/lock", "--stop-signal=SIGRTMIN+3",
    "--memory=256m",
)  # fmt: skip


class Machine(Node):
    """A node that is a container."""

    container: str = ""
    relay: Relay | None = None


class NodeMachines(Nodes):
    """The nodes of one cloud by the ids that it gives them.

    Args:
        folder: of nothing that is kept. engine: the words that begin a call of docker. image: with cloud-init in it.
    """

    def __init__(self, folder: Path, engine: tuple[str, ...], image: str) -> None:
        super().__init__(folder)
        self._engine, self._image = engine, image

    def start(self, node: str, user_data: str | bytes, address: str = "") -> str:
        with self._lock:
            found = self._nodes.get(node)
            if found is None:
                claim = self._claim(address)
                found = Machine(str(claim.getsockname()[0]), self._folder, claim, plain(user_data))
                found.container = self._make(node, found.user_data)
                self._nodes[node] = found
            assert isinstance(found, Machine)
            if found.relay is None:
                self._docker("start", found.container)
                form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
                inside = self._docker("inspect", "--format", form, found.container).strip()
                found.relay = Relay(found.address, inside)
            return found.address

    def stop(self, node: str) -> None:
        with self._lock:
            found = self._nodes.get(node)
            if isinstance(found, Machine) and found.relay is not None:
                found.relay.close()
                found.relay = None
                self._docker("stop", "--time", "10", found.container)

    def remove(self, node: str) -> None:
        with self._lock:
            found = self._nodes.pop(node, None)
            if isinstance(found, Machine):
                if found.relay is not None:
                    found.relay.close()
                self._docker("rm", "--force", "--volumes", found.container)
                found.claim.close()

    def running(self) -> list[str]:
        return [name for name, node in list(self._nodes.items()) if isinstance(node, Machine) and node.relay]

    def logins(self, node: str) -> int:
        found = self._nodes[node]
        assert isinstance(found, Machine)
        journal = self._docker("exec", found.container, "journalctl", "--unit=ssh", "--output=cat", "--no-pager")
        return journal.count("Accepted publickey for")

    def _make(self, node: str, user_data: str) -> str:
        """Make a machine that finds its user data at its first boot, and return the engine's id of it."""
        name = f"infratest-node-{uuid.uuid4().hex[:12]}"
        container = self._docker("create", "--name", name, "--hostname", "node", *OPTIONS, self._image).strip()
        held = {"user-data": user_data, "meta-data": json.dumps({"instance-id": node})}
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for file, text in held.items():
                entry = tarfile.TarInfo(f"{SEED}/{file}")
                entry.size, entry.mode = len(text.encode()), 0o600
                archive.addfile(entry, io.BytesIO(text.encode()))
        self._docker("cp", "-", f"{container}:/", stdin=stream.getvalue())
        return container

    def _docker(self, *words: str, stdin: bytes = b"") -> str:
        done = subprocess.run([*self._engine, *words], input=stdin, capture_output=True, timeout=120)
        assert done.returncode == 0, f"{words}: {done.stderr.decode()}"
        return done.stdout.decode()


class Relay:
    """Hands connections to PORTS of an address of this machine on to another address, in a thread of its own."""

    def __init__(self, address: str, inside: str) -> None:
        self._address, self._inside = address, inside
        self._loop = asyncio.new_event_loop()
        listening = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), daemon=True)
        self._thread.start()
        assert listening.wait(10), f"nothing listens at {address}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def _run(self, listening: threading.Event) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve(listening))

    async def _serve(self, listening: threading.Event) -> None:
        self._end = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        servers = [await asyncio.start_server(self._taker(to), self._address, port) for port, to in PORTS.items()]
        listening.set()
        await self._end.wait()
        for server in servers:
            server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _taker(self, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._hand_on(reader, writer, port))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

        return take

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):  # nobody listens yet: as from a booting machine
            far_reader, far_writer = await asyncio.open_connection(self._inside, port)
            with contextlib.closing(far_writer):
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write what is read until its end, which is handed on too."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
