"""The delay link: two network namespaces, near and far, joined by a pair of TUN devices that hold back each packet.

Packets are held back, not bytes of a stream, so the TCP handshake, Nagle, delayed ACK and the congestion window are as
on a long line. The packets are carried by `delay.c`, compiled when first needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import environment
from benchmarks.namespaces import FOLDER, ip, name, namespaces
from benchmarks.problem import BenchError

SOURCE = Path(__file__).with_name("delay.c")
NEAR, FAR = "10.201.252.1", "10.201.252.2"
#: Everything that is reached over the link: `far` itself and the hosts behind it.
RANGE = "10.201.0.0/16"


@dataclass
class Link:
    """A link that is up.

    Args:
        near: the namespace of whoever measures. far: the one of the other end.
    """

    near: str
    far: str
    _shuttle: subprocess.Popen[bytes] = field(repr=False)

    def delay(self, rtt: float) -> None:
        """Set the round-trip time, in milliseconds."""
        if self._shuttle.stdin is None or self._shuttle.stdout is None:
            raise BenchError("the delay link has no way to be told its delay")
        self._shuttle.stdin.write(b"%d\n" % round(rtt * 500))
        self._shuttle.stdin.flush()
        if self._shuttle.stdout.readline() != b"ready\n":
            raise BenchError("the delay link has ended")


@contextlib.contextmanager
def link(rtt: float = 0.0) -> Iterator[Link]:
    """Join two new namespaces, with this round-trip time in milliseconds."""
    near, far = name("near"), name("far")
    with namespaces(near, far):
        words = [shuttle(), FOLDER / near, FOLDER / far, str(round(rtt * 500))]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                if process.stdout is None or process.stdout.readline() != b"ready\n":
                    raise BenchError(f"the delay link does not come up: {words[0]} ended; is there /dev/net/tun?")
                _address(near, far)
                yield Link(near, far, process)
            finally:
                process.kill()


def _address(near: str, far: str) -> None:
    ip(f"addr add {NEAR}/30 dev link0", "link set link0 up", f"route add {RANGE} via {FAR}", inside=near)
    ip(f"addr add {FAR}/30 dev link0", "link set link0 up", inside=far)
    for each in (near, far):
        ip("route add unreachable default", inside=each)


def shuttle() -> Path:
    """Return the compiled program, compiled now where it is not there yet.

    Raises:
        BenchError: there is no C compiler, or it does not compile.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    program = environment.cache() / f"delay-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    if program.exists():
        return program
    if compiler is None:
        raise BenchError("the delay link needs a C compiler: apt-get install gcc libc6-dev")
    made = program.with_suffix(".new")
    done = subprocess.run([compiler, "-O2", "-Wall", "-o", made, SOURCE], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{SOURCE} does not compile: {done.stderr}")
    made.replace(program)
    return program
