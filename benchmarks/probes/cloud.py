"""A stack of N servers brought up and removed on the simulated cloud, by its clock: what it took, and which calls.

python cloud.py N LATENCY PENDING BOOT     prints one JSON object; the times are seconds
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.up import up
from infratest.providers.base import HostSpec
from infratest.providers.simulator.world import per_kind, per_tick
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir

TICK = 0.5  # the shortest time between two questions to a provider (lifecycle/ready.py)


def measured(count: int, latency: float, pending: float, boot: float) -> dict[str, float]:
    """Return seconds and calls of an `up`, and how late the last but 5 % of its hosts were seen to be ready."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = {"latency": f"{latency}s", "pending": f"{pending}s", "boot": f"{boot}s"}
        stack = StackFile(
            name="bench",
            path=folder / "stack.yaml",
            folder=folder,
            provider="simulator",
            provider_options=options,
            hosts=tuple(HostSpec(name=f"web-{number}") for number in range(1, count + 1)),
        )
        moments: dict[tuple[str, str], float] = {}

        def tell(host: str, phase: str, words: str) -> None:
            moments[host, phase] = life.clock.time()

        life = Lifecycle(stack, StateDir(folder / "state"), progress=tell)
        began, real = life.clock.time(), time.monotonic()
        up(life)
        took, real = life.clock.time() - began, time.monotonic() - real
        calls = life.provider.cloud.world.calls()  # type: ignore[attr-defined]
        made = [moments[spec.name, "made"] - latency + pending + boot for spec in stack.hosts]
        late = [moments[spec.name, "ready"] - due for spec, due in zip(stack.hosts, made, strict=True)]
        destroy(life)
        kinds = per_kind(calls)
        return {
            "took": took,
            "real": real,
            "calls": len(calls),
            "creates": kinds["create"],
            "listings": kinds["list"],
            "in a tick": per_tick(calls, "list", TICK / 2),
            "late": quantiles(late, n=20, method="inclusive")[-1] if len(late) > 1 else late[0],
        }


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]), *map(float, sys.argv[2:]))))
