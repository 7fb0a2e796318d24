"""What a command costs, whole process with its children, and contestants measured in turns.

Turns (A B C, A B C, ...) so that a machine that is busy for a while is busy for all of them; medians, because the
slowest turn says more about the machine than about the command.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.problem import BenchError

BARE = "python -I -S -c pass"
KEEPER = Path(__file__).with_name("keeper.py")


@dataclass(frozen=True)
class Usage:
    """What one run cost: CPU and wall in seconds, memory in MiB (of the largest process; of all together); what the
    meters have gone up by.
    """

    cpu: float
    wall: float
    largest: float = 0.0
    together: float = 0.0
    output: str = ""
    meters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A command that is measured.

    Args:
        name: as it stands in the table. rounds: in how many of the rounds it takes part, 0 for all.
        statuses: exit statuses with which it has done its work. namespace: the network namespace to run in.
        before: called before each run, unmeasured. check: looks at the output, raising BenchError where it is wrong.
        meters: read before and after each run, as the CPU of a server.
    """

    name: str
    command: Sequence[str]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    rounds: int = 0
    statuses: Sequence[int] = (0,)
    namespace: str = ""
    limit: float = 180.0
    sample: bool = False
    before: Callable[[], object] = lambda: None
    check: Callable[[str], object] = lambda output: None
    meters: Mapping[str, Callable[[], float]] = field(default_factory=dict)


def measured(one: Contestant) -> Usage:
    """Run a contestant once.

    Raises:
        BenchError: it ended with another status than it may, or too late, or its output is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="infratest-bench-") as folder:
        result, output = Path(folder, "result"), Path(folder, "output")
        into = ["ip", "netns", "exec", one.namespace] if one.namespace else []
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(result), str(output)]
        words = [*into, *keeper, str(one.limit), str(int(one.sample)), *map(str, one.command)]
        environment = {**clean_environment(), **one.environment}
        before = {name: meter() for name, meter in one.meters.items()}
        done = subprocess.run(words, cwd=one.cwd, env=environment, capture_output=True, text=True, check=False)
        said = output.read_text("utf-8", "replace") if output.exists() else ""
        if done.returncode or not result.exists():
            raise BenchError(f"{one.name}: the keeper ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        kept = json.loads(result.read_text())
    if kept["late"] or kept["status"] not in one.statuses:
        how = f"took more than {one.limit:g} s" if kept["late"] else f"ended with {kept['status']}"
        raise BenchError(f"{one.name}: {' '.join(words[-len(one.command) :])} {how}:\n{said[-2000:]}")
    one.check(said)
    meters = {name: meter() - before[name] for name, meter in one.meters.items()}
    return Usage(kept["cpu"], kept["wall"], kept["largest"], kept["together"], said, meters)


def clean_environment() -> dict[str, str]:
    """Return the environment without what would change what is measured."""
    gone = ("INFRATEST_", "PYTEST_", "PYTHON", "ANSIBLE_", "VIRTUAL_ENV", "SSH_AUTH_SOCK", "DOCKER_HOST")
    return {name: value for name, value in os.environ.items() if not name.startswith(gone)}


def in_turns(contestants: Sequence[Contestant], rounds: int, warm_up: bool = True) -> dict[str, list[Usage]]:
    """Run each contestant once per round, one after the other, and return what each run cost.

    Args:
        warm_up: one round before that is not counted, of those that run in every round (the others are slow, and
        what they do is not changed by a first run).
    """
    found: dict[str, list[Usage]] = {one.name: [] for one in contestants}
    for number in range(-1 if warm_up else 0, rounds):
        for one in contestants:
            if number >= (one.rounds or rounds) or (number < 0 and one.rounds):
                continue
            one.before()
            usage = measured(one)
            if number >= 0:
                found[one.name].append(usage)
    return found


def bare(python: Path, rounds: int = 15) -> float:
    """Return the CPU seconds of an interpreter that does nothing: what a machine's speed is told by.

    Limits on CPU are multiples of it, since the same program takes twice the time on another machine.
    """
    one = Contestant(name=BARE, command=[str(python), "-I", "-S", "-c", "pass"], cwd=python.parent)
    return median([usage.cpu for usage in in_turns([one], rounds)[BARE]])


def median(values: Sequence[float]) -> float:
    """Return the median; of an even number the mean of the two in the middle."""
    return float(statistics.median(values))
