"""One real name server, unbound, with a few names of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.worlds.tls_servers import free_ports, running

SETTINGS = """
server:
  username: ""
  chroot: ""
  use-syslog: no
  do-daemonize: no
  pidfile: ""
  interface: 127.0.0.1@{port}
  num-threads: 1
  local-zone: "shop.example." static
  local-zone: "refused.example." refuse
  {records}
remote-control:
  control-enable: no
"""
RECORDS = (
    "_web._tcp.shop.example. 60 IN SRV 0 5 8080 web-2.shop.example.",
    "_web._tcp.shop.example. 60 IN SRV 0 5 8080 web-1.shop.example.",
    "_web._tcp.shop.example. 60 IN SRV 0 5 8081 web-1.shop.example.",
    "_none._tcp.shop.example. 60 IN SRV 0 0 0 .",
    "all.shop.example. 60 IN A 192.0.2.11",
    "all.shop.example. 60 IN A 192.0.2.12",
    "all.shop.example. 60 IN AAAA 2001:db8::11",
    "six.shop.example. 60 IN AAAA 2001:db8::1",
    'words.shop.example. 60 IN TXT "no host"',
    *(f"many.shop.example. 60 IN A 198.51.100.{number}" for number in range(1, 201)),
)


@contextmanager
def name_server(folder: Path) -> Iterator[int]:
    """Have it until the block ends, on 127.0.0.1; gives its port."""
    (port,) = free_ports(1)
    settings = folder / "unbound.conf"
    records = "\n  ".join(f"local-data: '{record}'" for record in RECORDS)
    settings.write_text(SETTINGS.format(port=port, records=records))
    with running("unbound", "-c", str(settings), ports=(port,)):
        yield port
