"""Real SSH servers for the tests of the SSH transport."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.sshd import Server, running_sshd, start_sshd


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with nothing special, for all tests of this folder."""
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers with options of sshd_config; they end with the test."""
    servers: list[Server] = []

    def start(**options: Any) -> Server:
        servers.append(start_sshd(tmp_path / f"sshd-{len(servers)}", **options))
        return servers[-1]

    yield start
    for each in servers:
        each.stop()
