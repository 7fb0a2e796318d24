"""OpenSSH's own client, of two real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from infratest.hosts import Host
from tests.worlds.dropbear import running_dropbear
from tests.worlds.sshd import Server, running_sshd


@contextmanager
def host_of(start: Callable[[Path], AbstractContextManager[Server]], folder: Path) -> Iterator[Host]:
    with start(folder) as server:
        yield Host(name="web-1", transport="openssh", options=server.options())


WAYS = {"sshd": partial(host_of, running_sshd), "dropbear": partial(host_of, running_dropbear)}
BROKEN = {"port": 1}
