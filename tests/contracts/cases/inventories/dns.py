"""The targets of SRV records, by a real name server; the same host at two ports is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.inventories import Case
from tests.worlds.name_server import name_server


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    with name_server(folder) as port:
        yield Case(
            works={"name": "_web._tcp.shop.example", "server": f"127.0.0.1:{port}"},
            files={},
            hosts={
                "web-1.shop.example": {"address": "web-1.shop.example", "port": None, "groups": (), "labels": {}},
                "web-2.shop.example": {"address": "web-2.shop.example"},
            },
            refused=({}, 3, {"name": "x", "max-age": "0s"}),
        )
