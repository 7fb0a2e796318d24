"""A real cluster of dask on loopback: a scheduler and workers, each a process that was begun as its users begin it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from infratest.testing.waiting import wait_until

BIN = Path(sys.executable).parent
LISTENS = re.compile(r"Scheduler at: +(\w+://127\.0\.0\.1:\d+)")
#: Seconds that a process of a cluster may take to begin, on a machine that has other things to do.
BEGINS = 120


@dataclass
class Process:
    """One process, and what it says."""

    log: Path
    running: subprocess.Popen[bytes] = field(repr=False)

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def kill(self) -> None:
        self.running.kill()
        self.running.wait(30)

    def end(self) -> None:
        self.running.terminate()
        try:
            self.running.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class Cluster:
    """A scheduler and its workers. address: as dask writes it."""

    address: str
    scheduler: Process
    workers: list[Process]

    @property
    def ours(self) -> str:
        """The address as infratest has it."""
        return self.address.replace("tcp://", "dask://").replace("tls://", "dask+tls://")


#: As sitecustomize: a Python in which infratest is not installed.
LACKS = """\
import sys
class Lacks:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "infratest":
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Lacks())
"""


def begin(folder: Path, name: str, words: Sequence[str], lacks: bool = False) -> Process:
    """Begin `dask` with these words. lacks: where infratest is not installed."""
    log = folder / f"{name}.log"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("INFRATEST", "PYTEST"))}
    if lacks:
        (folder / "lacks").mkdir(exist_ok=True)
        (folder / "lacks" / "sitecustomize.py").write_text(LACKS)
        environment["PYTHONPATH"] = str(folder / "lacks")
    with log.open("wb") as out:
        running = subprocess.Popen(
            [str(BIN / "dask"), *words], stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder, env=environment
        )
    return Process(log, running)


@contextmanager
def cluster(
    folder: Path, workers: int = 3, threads: int = 4, tls: Sequence[str] = (), lacks: str = ""
) -> Iterator[Cluster]:
    """Give a cluster that works.

    Args:
        tls: the options of its certificates, for the scheduler and the workers. lacks: `scheduler` or `worker`: those
        have no infratest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    of_tls = ["--protocol", "tls", *tls] if tls else []
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *of_tls]
    begun = [begin(folder, "scheduler", words, lacks == "scheduler")]
    try:
        found = wait_until(lambda: LISTENS.search(begun[0].said), seconds=BEGINS)
        assert found is not None, begun[0].said
        for number in range(workers):
            words = ["worker", found[1], "--host", "127.0.0.1", "--nthreads", str(threads), "--no-dashboard"]
            words += ["--no-nanny", "--local-directory", str(folder / "space"), *of_tls]
            begun.append(begin(folder, f"worker-{number}", words, lacks == "worker"))
        for each in begun[1:]:
            assert wait_until(lambda each=each: "Registered to:" in each.said, seconds=BEGINS), each.said
        yield Cluster(found[1], begun[0], begun[1:])
    finally:
        for each in reversed(begun):
            with suppress(ProcessLookupError):
                each.end()
