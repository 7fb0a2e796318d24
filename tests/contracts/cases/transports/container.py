"""A real container of the engine that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.hosts import Host
from tests.worlds.tiny_container import found, running_container


@contextmanager
def running(folder: Path) -> Iterator[Host]:
    with running_container() as container:
        yield Host(name="web-1", transport="container", options={"container": container, "engine": found().program})


WAYS = {"": running}
BROKEN = {"container": "no-such-container"}
