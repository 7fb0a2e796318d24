"""(vii) What bringing hosts up costs in calls of VBoxManage, counted by a shim before the real one.

The registry is VirtualBox's own, of Debian sid; that its machines run is played (tests/worlds/virtualbox_power.py), by
an sshd behind each host's port. So the calls are those of a real `up`, and the times are not those of a hypervisor:
none stands in the table. The image is imported before, as it is once for all stacks. Beside us Debian's Vagrant, on
the same registry, behind the same shim (benchmarks/vagrant.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import unittest
from collections.abc import Sequence
from math import log
from pathlib import Path

from benchmarks import environment, vagrant
from benchmarks.figures import Figure, Must, Outcome
from benchmarks.problem import BenchError
from tests.worlds.virtualbox import VirtualBoxWorld, virtualbox_world

TITLE = "(vii) Processes that `up` of VirtualBox machines spawns"
MACHINES, OF_VAGRANT = (1, 2, 4, 8, 32), (1, 2, 4, 8)
EXTRAS = "ssh,machines"
NAME, VAGRANT = "infratest up", "vagrant up"

#: Processes for each machine, and for each look at those that are waited for.
EACH, TICK = 12, 1
#: Above this the calls grow faster than the machines.
EXPONENT = 1.05
LOOK = "list runningvms"
STACK = "stack: bench\nprovider: virtualbox\nhosts: {{web: {{count: {count}, image: {image}, memory: 64MiB}}}}\n"


def run(rounds: int = 0) -> Outcome:
    """Count calls; a count is the same in every round, so that one is enough."""
    outcome = Outcome()
    python = environment.ours(EXTRAS) / "python"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with virtualbox_world(Path(folder) / "world", guest="sshd", python=str(python)) as world:
                image = world.empty_disk()
                _count(world, 1, image)  # the import, once
                calls = {count: _count(world, count, image) for count in MACHINES}
                peer = _of_vagrant(world, outcome)
        except unittest.SkipTest as missing:
            raise BenchError(str(missing)) from None
    others = {count: sum(not call.startswith(LOOK) for call in made) for count, (made, _) in calls.items()}
    for count, (made, seconds) in calls.items():
        looks = len(made) - others[count]
        more = {
            "processes": len(made),
            "of these looks at who runs": looks,
            "a machine": round(len(made) / count, 1),
            "a machine, without looks": round(others[count] / count, 1),
            "looks a second": round(looks / seconds, 2),
        }
        outcome.figures.append(Figure(setting=_machines(count), name=NAME, rounds=1, more=more))
        if count in peer:
            outcome.figures.append(_peer(count, peer[count]))
    few, many = MACHINES[-2:]
    made, seconds = calls[many]
    growth = log(others[many] / others[few]) / log(many / few)
    outcome.musts = [
        Must(what=f"processes a machine, of {many}", limit=EACH, got=round(others[many] / many, 1), unit=""),
        Must(what=f"looks a tick (a second), {many} machines", limit=TICK,
             got=round((len(made) - others[many]) / seconds, 2), unit=""),
        Must(what=f"exponent of processes, {few} to {many} machines", limit=EXPONENT, got=round(growth, 2), unit=""),
    ]  # fmt: skip
    outcome.notes.append("All hosts that are waited for share one look a second at most.")
    if peer:
        outcome.notes.append(_growth(peer))
    return outcome


def _of_vagrant(world: VirtualBoxWorld, outcome: Outcome) -> dict[int, list[str]]:
    """Return Vagrant's calls for each number of machines; its box is imported before, too."""
    if not shutil.which(vagrant.PROGRAM):
        outcome.missing.append(f"Vagrant (Debian's package `{vagrant.PACKAGE}`)")
        return {}
    peer = vagrant.Vagrant(world)
    peer.prepare()
    peer.up(1)
    outcome.notes.append(
        f"Vagrant {peer.version}: `vagrant up` of so many machines, linked clones of one box, without shared folders "
        f"and guest additions; it is told that VirtualBox is {vagrant.VERSION}, the newest that it knows."
    )
    return {count: peer.up(count) for count in OF_VAGRANT}


def _machines(count: int) -> str:
    return f"{count} machine{'s' if count > 1 else ''}"


def _peer(count: int, calls: list[str]) -> Figure:
    reads = sum(call.startswith("showvminfo") for call in calls)
    more = {"processes": len(calls), "a machine": round(len(calls) / count, 1), "of these showvminfo": reads}
    return Figure(setting=_machines(count), name=VAGRANT, rounds=1, more=more)


def _growth(peer: dict[int, list[str]]) -> str:
    """Say what was measured of how Vagrant's calls grow: for each machine, and for each pair of machines."""
    counted = [len(peer[count]) for count in OF_VAGRANT]
    one, two, four, eight = counted
    pairs = ((eight - four) / 4 - (four - two) / 2) / 3
    linear = (four - two) / 2 - pairs * 3.5
    rest = one - linear - pairs
    fitted = [linear * count + pairs * count * (count + 1) / 2 + rest for count in OF_VAGRANT]
    return (
        f"How Vagrant's processes grow with N machines, by those counted at {_listed(OF_VAGRANT)}: "
        f"{linear:.1f} N + {pairs:.2f} N(N+1)/2 + {rest:.1f}. That would "
        f"be {_listed(fitted)}; counted were {_listed(counted)}."
    )


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{each:.0f}" for each in numbers[:-1]) + f" and {numbers[-1]:.0f}"


def _count(world: VirtualBoxWorld, count: int, image: Path) -> tuple[list[str], float]:
    """Bring up a stack and take it down; return the calls of `up`, and how many seconds it took."""
    folder = world.folder / "stack"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "stack.yaml").write_text(STACK.format(count=count, image=image))
    program = environment.ours(EXTRAS) / "infratest"
    counted: list[str] = []
    seconds = 0.0
    for verb in ("up", "destroy"):
        world.calls()
        began = time.monotonic()
        done = subprocess.run([program, verb], cwd=folder, capture_output=True, text=True, timeout=900, env=os.environ)
        if done.returncode != 0:
            raise BenchError(f"infratest {verb} of {count} machines failed: {done.stderr[-400:]}")
        if verb == "up":
            counted, seconds = world.calls(), time.monotonic() - began
    return counted, seconds
