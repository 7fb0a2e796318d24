"""`rotate-logs: nginx`: logrotate run for one of its configurations, whether that is due or not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.remedies._on_host import OnHost, There

#: Where Debian, Red Hat and SUSE keep what logrotate is configured with (logrotate(8), `include`).
FOLDER = "/etc/logrotate.d"
NAME = r"^(/[^\x00-\x1f\x7f]*[^/\x00-\x1f\x7f]|[A-Za-z0-9_][A-Za-z0-9_.@+-]*)$"
#: $1: the file. A login's PATH may be without sbin, where logrotate is.
ROTATE = """PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
command -v logrotate >/dev/null || {
  echo 'logrotate is not installed there: install it, or take clear-space' >&2; exit 127; }
[ -f "$1" ] || { echo "its configuration $1 was not found" >&2; exit 66; }
exec logrotate --force "$1\""""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is rotated."""

    config: str = field(
        metadata={
            "description": "the configuration: a name below /etc/logrotate.d, or an absolute path",
            "title": "a name below /etc/logrotate.d or an absolute path",
            "example": "nginx",
            "pattern": NAME,
            "short": True,
        }
    )


class RotateLogs(OnHost):
    """Rotate the logs of one configuration now. How many old ones are kept, and what is told of it, stands in that."""

    name = "rotate-logs"
    Options = Options
    usage = "expected a name below /etc/logrotate.d or an absolute path, as `rotate-logs: nginx`"
    seconds = 300.0
    no_undo = "the logs of before stand beside the new ones"

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        if not re.match(NAME, self.options.config):
            raise UserError(f"rotate-logs: {self.usage}, found {argument!r}")

    def describe(self) -> str:
        return f"rotate-logs {clean(self.options.config, 80)}"

    def act(self, there: There) -> str:
        config = self.options.config
        path = config if config.startswith("/") else f"{FOLDER}/{config}"
        return there.done(["sh", "-c", ROTATE, "sh", path], f"logrotate --force {path}")
