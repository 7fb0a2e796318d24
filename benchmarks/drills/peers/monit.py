"""monit, on the host: a cycle every few seconds, two of them confirm, and nginx is restarted."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.drills.host import Host
from benchmarks.drills.ours import INTERVAL
from benchmarks.drills.peers.base import Watching

TITLE = "monit"
PACKAGES = "monit"
LOG = "/var/log/monit-drill.log"
#: Its units are cycles; the page is what a user would have it look at, and so are the disk and the certificate.
RULES = f"""\
set daemon {INTERVAL:.0f}
set log {LOG}
set pidfile /run/monit-drill.pid
set idfile /var/lib/monit/drill.id
set statefile /var/lib/monit/drill.state
check host page with address 127.0.0.1
  if failed port 80 protocol http and request "/" and content = "the shop" for 2 cycles
  then exec "/bin/systemctl restart nginx"
check host certificate with address 127.0.0.1
  if failed port 443 protocol https with ssl options {{selfsigned: allow}} and certificate valid > 14 days for 2 cycles
  then exec "/bin/systemctl restart nginx"
check filesystem room with path /srv/shop
  if space usage > 90% for 2 cycles then exec "/bin/systemctl restart nginx"
"""
_LINE = re.compile(r"^\[([^\]]+)\] (?:error|warning) +: '(page|certificate|room)'", re.MULTILINE)


@contextlib.contextmanager
def watching(host: Host, folder: Path) -> Iterator[Watching]:
    """Have monit at work until the block ends."""
    # What it looks at must be there, and be a file system of its own.
    host.run("mkdir -p /srv/shop; mountpoint -q /srv/shop || mount -t tmpfs -o size=64M shop /srv/shop")
    host.run(f"systemctl stop monit; cat >/etc/monit/drill <<'END'\n{RULES}END\nchmod 600 /etc/monit/drill")
    host.run("monit -c /etc/monit/drill -t && monit -c /etc/monit/drill")

    def told(after: float) -> float | None:
        times = [_moment(match[1]) for match in _LINE.finditer(host.run(f"cat {LOG}"))]
        return next((one for one in times if one >= int(after)), None)

    def calm() -> bool:
        last = [line for line in host.run(f"cat {LOG}").splitlines() if re.search(r"'(page|certificate|room)'", line)]
        return not last or ("exec:" not in last[-1] and not re.search(r"\] (error|warning)", last[-1]))

    try:
        yield Watching(told=told, calm=calm)
    finally:
        host.run("monit -c /etc/monit/drill quit; true")


def _moment(words: str) -> float:
    """Return a moment of its log, whole seconds, as seconds since the epoch."""
    return datetime.datetime.strptime(words, "%Y-%m-%dT%H:%M:%S%z").timestamp()
