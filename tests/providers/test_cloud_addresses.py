"""A host that is reached by its address of IPv6: a listener there hands each connection on to the host's own sshd."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.up import up
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.providers import answers
from tests.worlds import cloudstack_simulator
from tests.worlds.cloudstack_simulator import simulator
from tests.worlds.handed_on import ended, hand_on
from tests.worlds.nodes import SSH_PORT

LOOPBACK = "::1"


@pytest.fixture
def port() -> Iterator[int]:
    """Have a port of IPv6's loopback lead to the newest instance."""
    with socket.create_server((LOOPBACK, 0), family=socket.AF_INET6) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        ended(listener)
        thread.join(10)


def serve(listener: socket.socket) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        address = list(simulator().account.machines.values())[-1].address
        try:
            far = socket.create_connection((address, SSH_PORT), timeout=30)
        except OSError:  # its sshd is on its way
            near.close()
            continue
        hand_on(near, far)


@pytest.fixture
def life(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lifecycle]:
    for name, value in cloudstack_simulator.credentials().items():
        monkeypatch.setenv(name, value)
    options = cloudstack_simulator.host_options(ssh_port=port, address="private v6")
    declared = {
        "stack": "six",
        "provider": {"name": "cloud", **cloudstack_simulator.options()},
        "hosts": {"web": {key.replace("_", "-"): value for key, value in options.items()}},
    }
    (tmp_path / "stack.yaml").write_text(json.dumps(declared))
    life = Lifecycle(file.load(tmp_path / "stack.yaml"), StateDir(tmp_path / ".infratest"), deadline=Deadline(60))
    yield life
    destroy(life)
    simulator().account.wish()


def test_a_host_is_reached_by_its_address_of_version_6(life, port):
    simulator().account.wish(ip6=LOOPBACK)
    (host,) = up(life)
    assert (host.options["address"], host.options["port"]) == (LOOPBACK, port)
    assert host.address.startswith("127.9.0.")
    assert answers(host)


def test_one_that_has_none_is_waited_for_and_not_reached_by_another(life):
    limited = Lifecycle(life.stack, life.state, deadline=Deadline(8))
    words = (
        "has not brought it to run within .*: it runs, and is to be reached at its private IPv6 address, which it has"
    )
    with pytest.raises(ProviderError, match=words):
        up(limited)
