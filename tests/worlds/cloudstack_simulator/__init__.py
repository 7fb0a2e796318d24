"""A simulator of CloudStack's API for tests, with state: no server of CloudStack can be installed where they run.

`simulator()` is the one of this process; `options(...)` are those of a provider that uses it, `credentials()` the
environment that lets it in. What it answers is held against answers recorded from real ones, which libcloud's own tests
have (`tests/providers/test_cloudstack_simulator.py`); what no recorded answer shows is from CloudStack's API reference
and source. `server.py` takes requests, `account.py` has what an account has, `instances.py`, `groups.py` and
`networks.py` commands about these, `machines.py` what runs.
"""

from __future__ import annotations

import atexit
import functools
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.worlds.cloudstack_simulator import furniture
from tests.worlds.cloudstack_simulator.server import KEY, OTHER_KEY, OTHER_SECRET, SECRET, Simulator
from tests.worlds.node_network import node_network
from tests.worlds.nodes import SSH_PORT
from tests.worlds.nodes.machines import NodeMachines

__all__ = [
    "KEY", "OTHER_KEY", "OTHER_SECRET", "SECRET", "Simulator", "credentials", "host_options", "isolated", "of_machines",
    "options", "simulator",
]  # fmt: skip


@functools.cache
def simulator() -> Simulator:
    """Return the simulator of this process."""
    made = Simulator()
    atexit.register(made.close)
    return made


@functools.cache
def isolated() -> Simulator:
    """Return another one, whose only zone has no security groups, and networks of an account's own."""
    made = Simulator()
    made.account.zones = [furniture.OTHER_ZONE]
    made.account.templates = [one | {"zoneid": furniture.OTHER_ZONE_ID} for one in furniture.TEMPLATES]
    atexit.register(made.close)
    return made


@contextmanager
def of_machines() -> Iterator[Simulator]:
    """Have a simulator of one's own whose nodes are whole machines."""
    with node_network() as network:
        made = Simulator(NodeMachines(**network))
        try:
            yield made
        finally:
            made.close()


def credentials(key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    """Return the environment of who may use it; nothing of the user's own account is left in it."""
    return {
        "CLOUDSTACK_ENDPOINT": "", "CLOUDSTACK_KEY": key, "CLOUDSTACK_SECRET": secret, "CLOUDSTACK_VERIFY": "",
        "CLOUDSTACK_CONFIG": "/nonexistent", "CLOUDSTACK_REGION": "",
    }  # fmt: skip


def options(url: str = "", **others: Any) -> dict[str, Any]:
    """Return options of `provider: cloud` for it, or for what stands before it."""
    return {"driver": "cloudstack", "endpoint": url or simulator().url} | others


def host_options(**others: Any) -> dict[str, Any]:
    """Return options of its hosts: the only user that its nodes can let in, and where their sshd is."""
    return {"user": pwd.getpwuid(os.getuid()).pw_name, "ssh_port": SSH_PORT} | others
