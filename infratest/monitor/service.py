"""Telling systemd that the monitor is ready, alive, and about to end (sd_notify(3)); nothing where it was not asked to.

`Type=notify` and `WatchdogSec=` of a unit: who is silent for longer is ended and started again.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

READY, STOPPING, RELOADING, ALIVE = "READY=1", "STOPPING=1", "RELOADING=1", "WATCHDOG=1"


def notify(*words: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send words to whoever started this process, where that asked for them."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    # An abstract socket begins with NUL, for which the variable has `@`.
    place = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending, suppress(OSError):
        sending.sendto("\n".join(words).encode(), place)


def watchdog(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return after how many seconds without a word it is taken for dead; None where nobody waits for one."""
    of = environment.get("WATCHDOG_PID", "")
    if of and of != str(os.getpid()):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdigit() and int(text) > 0 else None
