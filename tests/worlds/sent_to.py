"""Real servers of other tools on the loopback, each from a folder of its own, that senders send to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.worlds.monitoring_tools import LONG, daemon, owner, program_of
from tests.worlds.tls_servers import free_ports, listens

CARBON = """[cache]
STORAGE_DIR = {folder}
CONF_DIR = {folder}
LOG_DIR = {folder}/log
PID_DIR = {folder}
LOCAL_DATA_DIR = {folder}/whisper
USER = {owner}
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
ENABLE_TAGS = False
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
"""


@dataclass(frozen=True)
class Carbon:
    """A running one: its port for lines, and where it keeps its files."""

    port: int
    storage: Path


@contextmanager
def carbon(folder: Path) -> Iterator[Carbon]:
    """Have a carbon that keeps each second, until the block ends."""
    line, pickle, query = free_ports(3)
    for name in ("log", "whisper"):
        (folder / name).mkdir()
    given = CARBON.format(folder=folder, owner=owner(), line=line, pickle=pickle, query=query)
    (folder / "carbon.conf").write_text(given)
    (folder / "storage-schemas.conf").write_text("[all]\npattern = .*\nretentions = 1s:1h\n")
    words = [program_of("carbon-cache"), f"--config={folder}/carbon.conf", "--nodaemon", f"--pidfile={folder}/c.pid"]
    with daemon(folder, [*words, "start"]) as process:
        assert wait_until(lambda: process.poll() is not None or listens(line), LONG)
        assert process.poll() is None, (folder / "out").read_text()[-3000:]
        yield Carbon(line, folder / "whisper")
