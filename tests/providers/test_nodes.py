"""The machines behind a cloud of the tests are no cause of a test's failure."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds.nodes import SSH_PORT, Nodes

#: Of no other world: nodes take theirs from 127.9.0.0/24, and an OpenStack's projects from 127.9.128.0/17.
ADDRESS = "127.9.1.7"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path / "nodes", "127.9.1.0/24")
    yield made
    made.close()


def test_an_address_is_free_again_as_soon_as_its_node_is_gone(nodes: Nodes) -> None:
    """Also where its end broke off a connection, which the kernel goes on to know for a minute."""
    nodes.start("one", "", ADDRESS)
    with socket.create_connection((ADDRESS, SSH_PORT), timeout=30) as open_still:
        assert open_still.recv(4) == b"SSH-"
        nodes.remove("one")
        while open_still.recv(4096):
            pass
    assert nodes.start("two", "", ADDRESS) == ADDRESS


def test_an_address_that_another_listens_at_is_not_taken(nodes: Nodes) -> None:
    with socket.create_server((ADDRESS, SSH_PORT)), pytest.raises(AssertionError, match=f"no address of {ADDRESS}"):
        nodes.start("one", "", ADDRESS)
