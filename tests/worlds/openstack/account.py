"""How a test's stack says that it stands on this cloud, and who it is there."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.worlds.nodes import SSH_PORT

OPTIONS = {"driver": "openstack"}


def host_options(**others: Any) -> dict[str, Any]:
    """Return options of hosts: the only user that its servers can let in, and where their sshd is."""
    return {"user": pwd.getpwuid(os.getuid()).pw_name, "ssh_port": SSH_PORT} | others


@contextmanager
def logged_in(login: Mapping[str, str]) -> Iterator[None]:
    """Have a shell's variables say who logs in, and nothing of the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("OS_")]:
            patch.delenv(name)
        for name, value in login.items():
            patch.setenv(name, value)
        yield
