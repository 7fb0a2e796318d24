"""Ports of this machine's loopback that lead to ports of hosts. For providers whose hosts have no address routed here.

One list for all providers and processes of a user, under one lock: two machines never get the same port, though one of
them is halted and nobody listens for it. The list is a file in the cache folder; its owners are the machines' ids.

Another user, or a job of CI with a cache folder of its own, has another list, and neither can see what the other has
allotted and does not listen at yet. So each list begins at a place of its own, by its path.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from zlib import crc32

from infratest.errors import ProviderError
from infratest.images.cache import cache_folder
from infratest.json_text import loads

LOOPBACK = "127.0.0.1"

#: Below the ranges that kernels hand out by themselves (Linux from 32768, others from 49152), above the usual services.
FIRST, LAST = 21000, 31999


def allot(owner: str, ports: Sequence[int], taken: Container[int] = ()) -> dict[int, int]:
    """Return a port of this machine for each port of a host; what its owner holds already stays as it is.

    Args:
        owner: the machine's id, which nobody else has. taken: ports that nobody may listen on just now and that are not
        free all the same, as those of machines that somebody else has halted.
    Raises:
        ProviderError: none is free, or the list cannot be written.
    """
    with _list() as held:
        mine = {port: at for at, (name, port) in held.items() if name == owner}
        candidates = (at for at in _in_order() if at not in held and at not in taken and free(at))
        for port in ports:
            if port in mine:
                continue
            at = next(candidates, None)
            if at is None:
                raise ProviderError(f"every port from {FIRST} to {LAST} of {LOOPBACK} is taken; see `infratest reap`")
            held[at] = (owner, port)
            mine[port] = at
        return {port: mine[port] for port in ports}


def allotted(owner: str) -> dict[int, int]:
    """Return what a machine has, without waiting for the lock: host's port -> this machine's."""
    return {port: at for at, (name, port) in _read(_path()).items() if name == owner}


def release(owner: str) -> None:
    """Give back all that a machine has; fine if it has nothing."""
    with _list() as held:
        for at in [at for at, (name, _) in held.items() if name == owner]:
            del held[at]


def _path() -> Path:
    return cache_folder() / "host-ports.json"


def _in_order() -> Iterator[int]:
    """Return all ports, from where this list begins and round."""
    first = FIRST + crc32(os.fsencode(_path())) % (LAST + 1 - FIRST)
    return chain(range(first, LAST + 1), range(FIRST, first))


@contextmanager
def _list() -> Iterator[dict[int, tuple[str, int]]]:
    """Hold the list; what is changed in it is written at the end, unless that fails."""
    path = _path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ProviderError(f"{path.parent} cannot be written: {error.strerror}; name another folder with "
                            "INFRATEST_CACHE") from error  # fmt: skip
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        held = _read(path)
        before = dict(held)
        yield held
        if held != before:
            _write(path, held)
    finally:
        os.close(handle)


def _read(path: Path) -> dict[int, tuple[str, int]]:
    try:
        lines = loads(path.read_text("utf-8"))
        return {int(at): (str(name), int(port)) for at, (name, port) in lines.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ProviderError(
            f"{path}: the list of host ports cannot be read: {error}; where no machine of yours runs, remove the file"
        ) from error


def _write(path: Path, held: dict[int, tuple[str, int]]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(held), "utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ProviderError(f"{path} cannot be written: {error.strerror}; is the disk full?") from error


def free(port: int) -> bool:
    """Return whether nobody listens on a port of the loopback just now; connections of before may still be ending."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
