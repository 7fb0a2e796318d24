"""systemd itself: `Restart=always` of the unit, whose own process it sees end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.drills.host import Host
from benchmarks.drills.peers.base import Watching

TITLE = "systemd Restart="
PACKAGES = ""


@contextlib.contextmanager
def watching(host: Host, folder: Path) -> Iterator[Watching]:
    """Have the unit restarted by systemd. It tells nobody."""
    place = "/etc/systemd/system/nginx.service.d"
    host.run(f"mkdir -p {place}; printf '[Service]\\nRestart=always\\n' >{place}/restart.conf; systemctl daemon-reload")
    yield Watching(told=lambda after: None)
