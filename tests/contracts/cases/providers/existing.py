"""Hosts that are there already: two names of one real sshd."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.providers import Case, case_of
from tests.worlds.sshd import running_sshd

MAKES = False


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    with running_sshd(folder / "sshd") as server:
        reach = {"address": server.address, "port": server.port, "user": server.user, "key": str(server.key)}
        options = {"known-hosts": str(server.known_hosts), "config": "none", "agent": False}
        yield case_of("existing", folder, options, **reach)
