"""What all peers have in common: a run of one fault, and that they restart nginx whatever is wrong."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.drills.faults import Fault
from benchmarks.drills.host import Host
from benchmarks.drills.ours import INTERVAL
from benchmarks.drills.watch import Times, Watch

#: What a handler does: the one thing that it was written for.
HANDLER = "systemctl restart nginx"
#: Seconds until a peer is said not to heal: six intervals.
PATIENCE = 6 * INTERVAL


@dataclass(frozen=True, kw_only=True)
class Watching:
    """A peer at work on a host.

    Args:
        told: returns when it first said, after a moment, that something is wrong; both in seconds since the epoch; None
        where it has said nothing. calm: whether it says that all is well.
    """

    told: Callable[[float], float | None]
    calm: Callable[[], bool] = lambda: True


def run(watching: Watching, host: Host, fault: Fault, rng: random.Random) -> Times:
    """Break it once, and see whether the peer mends it; what it does not mend is mended behind it."""
    _until_calm(watching)
    time.sleep(rng.uniform(0, INTERVAL))
    host.fault(fault)
    began = time.time()
    with Watch(host, fault) as watch:
        watch.wait(PATIENCE)
    told = watching.told(began)
    red = None if told is None else max(0.0, told - began)
    if watch.green is None:
        host.mend(fault)
    return Times(red=red, green=watch.green, rung="" if watch.green is None else HANDLER)


def _until_calm(watching: Watching) -> None:
    end = time.monotonic() + PATIENCE
    while not watching.calm() and time.monotonic() < end:
        time.sleep(0.2)
