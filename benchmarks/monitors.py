"""The installed monitor at work while something is measured: begun, asked over its socket, and ended.

It ends with the harness, even where that is killed. What it cost is read from the kernel; what it knows it says itself.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import environment, mix
from benchmarks.measure import clean_environment
from benchmarks.problem import BenchError
from infratest.store.monitor_socket import Silence, asked

#: Seconds that anything may take before it is said not to happen; that an answer may; between two questions.
PATIENCE, ANSWER, PAUSE = 120.0, 5.0, 0.005
LOG = "monitor.log"


@dataclass(frozen=True)
class Running:
    """A monitor that was begun.

    Args:
        folder: of its project. begun: when it was begun, by the monotonic clock.
    """

    folder: Path
    process: subprocess.Popen[bytes]
    begun: float

    @property
    def place(self) -> str:
        """What is asked has to say whose monitor it means: its stack, which has no environments here."""
        return (self.folder / "stack.yaml").read_text().partition("\n")[0].removeprefix("stack: ")

    def ask(self, word: str, **given: object) -> Any:
        """Return its answer; None where it has none, as before it listens."""
        try:
            return asked(str(self.folder / ".infratest"), {"word": word, "place": self.place, **given}, ANSWER)
        except Silence:
            return None

    def looked_at(self, ids: Sequence[str]) -> float:
        """Wait until all of these were looked at in this life, and that is kept; return when, by the monotonic clock.

        Raises:
            BenchError: that does not come.
        """
        while (answer := self.ask("latest", digests=dict.fromkeys(ids, ""))) is None or answer["missing"]:
            self.expect(answer["missing"] if answer else "an answer")
            time.sleep(PAUSE)
        return time.monotonic()

    def expect(self, what: str) -> None:
        """Raise BenchError where what is waited for cannot come any longer."""
        if self.process.poll() is None and time.monotonic() < self.begun + PATIENCE:
            return
        raise BenchError(f"{what}: it never came (exit {self.process.poll()}): {self.log[-1500:]}")

    @property
    def log(self) -> str:
        return (self.folder / LOG).read_text("utf-8", "replace")

    def cpu(self) -> float:
        """Return the CPU seconds of all of its threads: the clock of another process (clock_getcpuclockid(3))."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def loop(self) -> float:
        """Return the CPU seconds of its loop alone, which is the first thread."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def resident(self, what: str = "VmRSS") -> float:
        """Return the MiB of its memory. Args: what: `VmRSS` now, `VmHWM` at most so far."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:"))

    def end(self) -> None:
        """Have it end in order, within its own time."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def begun(folder: Path, extras: str = "") -> Running:
    """Begin a monitor of the project in a folder, and wait for nothing. Args: extras: as of `environment.ours`."""
    command = [str(environment.ours(extras) / "infratest"), "monitor", "run"]
    with (folder / LOG).open("ab") as log:
        at = time.monotonic()
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, env={**clean_environment(), **mix.user_home()},
        )  # fmt: skip
    return Running(folder, process, at)


@contextlib.contextmanager
def running(folder: Path, extras: str = "") -> Iterator[Running]:
    """Have a monitor while the block runs."""
    made = begun(folder, extras)
    try:
        yield made
        made.end()
    finally:
        made.process.kill()
        made.process.wait()


def project(folder: Path, stack: str, feature: str) -> Path:
    """Write a project with one feature; return its folder."""
    folder.mkdir(parents=True)
    (folder / "stack.yaml").write_text(stack)
    (folder / "x.feature").write_text(feature)
    return folder


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all, from 0 to 1, does not exceed."""
    return sorted(values)[max(0, -(-round(len(values) * share * 1e6) // 1_000_000) - 1)]
