"""Lets the tests of this folder import what lies beside it; projects with a host that is reached by SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faces.far_project import Project, stack
from tests.worlds.small_project import write
from tests.worlds.sshd import Server, start_sshd


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


@pytest.fixture
def project(tmp_path: Path, start: Callable[..., Server]) -> Project:
    server = start()
    return Project(write(tmp_path / "project", {"stack.yaml": stack(server)}), server)


@pytest.fixture
def spied(tmp_path: Path, start: Callable[..., Server]) -> tuple[Project, Callable[[], str]]:
    """A project, and what returns the commands that its server was given since the last call."""
    log, spy = tmp_path / "commands", tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$SSH_ORIGINAL_COMMAND" >>{log}\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n')
    spy.chmod(0o755)
    server = start(ForceCommand=str(spy))

    def commands() -> str:
        text = log.read_text()
        log.unlink()
        return text

    return Project(write(tmp_path / "project", {"stack.yaml": stack(server)}), server), commands
