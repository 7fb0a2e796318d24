"""(x) A check spread over the workers of a cluster: 2,000 simulated hosts that take 50 ms each.

Each host is logged in to and asked once, and either takes 25 ms; what answers is a shell on this machine. A worker has
4 threads, as many as the run without workers asks at once. All processes share this machine's cores: what more workers
can gain here is the waiting alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import environment
from benchmarks.cases.plugin import says
from benchmarks.figures import Figure, Must, Outcome, figure
from benchmarks.measure import Contestant, in_turns
from benchmarks.problem import BenchError
from benchmarks.simulated import stand

TITLE = "(x) A check spread over workers"
HOSTS, THREADS, ROUNDS, BEGINS, LIMIT = 2000, 4, 3, 120, 280
EXTRAS = "dask"
ALONE = f"--jobs {THREADS}, no workers"
SETTING = f"{HOSTS} simulated hosts, 50 ms each"
STACK = f"""\
stack: many
provider: {{name: fake, world: world, transport: {{delay: 25ms, otherwise: run}}}}
hosts: {{a: {{count: {HOSTS // 2}}}, b: {{count: {HOSTS // 2}}}}}
features: [x.feature]
"""
FEATURE = 'Feature: f\n  Scenario: s\n    Then the file "/etc/passwd" exists\n'
LISTENS = re.compile(r"Scheduler at: +tcp://(127\.0\.0\.1:\d+)")


def run(rounds: int = 0) -> Outcome:
    """Measure a run alone, and with 1, 2 and 3 workers."""
    folder = environment.cache() / "spread"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "stack.yaml").write_text(STACK)
    (folder / "x.feature").write_text(FEATURE)
    names = [f"{group}-{number}" for group in "ab" for number in range(1, HOSTS // 2 + 1)]
    stand(folder, "many", names, EXTRAS)
    outcome = Outcome()
    outcome.figures.append(_figure(ALONE, folder, str(THREADS), rounds))
    for count in (1, 2, 3):
        with _cluster(folder, count) as address:
            name = f"{count} {'worker' if count == 1 else 'workers'} of {THREADS} threads"
            outcome.figures.append(_figure(name, folder, address, rounds))
    one, three = outcome.figures[1].wall or 0, outcome.figures[3].wall or 1
    gained = round(one / three, 2)
    outcome.musts = [Must(what="wall time with 1 worker, of that with 3", limit=1.0, got=gained, unit="x", least=True)]
    return outcome


def _figure(name: str, folder: Path, jobs: str, rounds: int) -> Figure:
    words = [environment.ours(EXTRAS) / "infratest", "check", "--jobs", jobs, "--timeout", f"{LIMIT}s"]
    one = Contestant(
        name=name, command=[str(word) for word in words], cwd=folder, check=says(name, "INFRATEST OK - "),
        limit=LIMIT + 20, sample=True,
    )  # fmt: skip
    ((_, runs),) = in_turns([one], rounds or ROUNDS, warm_up=True).items()
    return figure(SETTING, name, runs)


@contextmanager
def _cluster(folder: Path, count: int) -> Iterator[str]:
    """Give the address of a scheduler with so many workers, each a process."""
    begun = [_begin(folder, "scheduler", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        address = _said(begun[0], LISTENS)[1]
        for number in range(count):
            words = [f"tcp://{address}", "--host", "127.0.0.1", "--nthreads", str(THREADS), "--no-dashboard"]
            words += ["--no-nanny", "--local-directory", str(folder / "space")]
            begun.append(_begin(folder, f"worker-{number}", "worker", *words))
        for each in begun[1:]:
            _said(each, re.compile("Registered to:"))
        yield f"dask://{address}"
    finally:
        for process, _ in reversed(begun):
            process.terminate()
            process.wait(30)


def _begin(folder: Path, name: str, *words: str) -> tuple[subprocess.Popen[bytes], Path]:
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        command = [str(environment.ours(EXTRAS) / "dask"), *words]
        return subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL), log


def _said(begun: tuple[subprocess.Popen[bytes], Path], what: re.Pattern[str]) -> re.Match[str]:
    process, log = begun
    end = time.monotonic() + BEGINS
    while not (found := what.search(log.read_text("utf-8", "replace"))):
        if process.poll() is not None or time.monotonic() > end:
            raise BenchError(f"{log.name} did not say {what.pattern!r}: {log.read_text()[-500:]}")
        time.sleep(0.05)
    return found
