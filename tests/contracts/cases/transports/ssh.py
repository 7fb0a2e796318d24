"""SSH by each of its clients, of two real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from infratest.hosts import Host
from tests.worlds.dropbear import running_dropbear
from tests.worlds.sshd import Server, running_sshd

CLIENTS: dict[str, dict[str, object]] = {
    "libssh2": {"client": "libssh2"},
    "pipelined": {"client": "libssh2", "pipelined": True},
    "paramiko": {"client": "paramiko"},
}
SERVERS = {"sshd": running_sshd, "dropbear": running_dropbear}


@contextmanager
def host_of(
    start: Callable[[Path], AbstractContextManager[Server]], client: dict[str, object], folder: Path
) -> Iterator[Host]:
    with start(folder) as server:
        yield Host(name="web-1", transport="ssh", options=server.options(**client))


WAYS = {
    f"{server}-{name}": partial(host_of, start, client)
    for server, start in SERVERS.items()
    for name, client in CLIENTS.items()
}
BROKEN = {"port": 1}
