"""What it costs to take what others send, and what it costs those who would be asked instead.

The peer of StatsD is the first one, of npm; of HTTP and OTLP it is the plain way, Starlette and uvicorn as they come,
into a list. All are sent the same by the same sender (`probes/senders.py`), and only what they took is counted.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import environment, processes
from benchmarks.figures import Figure, Must
from benchmarks.measure import Contestant, measured, median
from benchmarks.problem import BenchError

#: By the word of the sender: what is sent.
INTAKES = {
    "statsd": "StatsD, a counter a packet", "lines": "StatsD, 20 a packet", "http": "HTTP, 100 events a request",
    "otlp": "OTLP, 1000 points a request",
}  # fmt: skip
OURS, NPM, PLAIN = "infratest", "statsd of npm", "Starlette and uvicorn, into a list"
PEERS = {"statsd": NPM, "lines": NPM, "http": PLAIN, "otlp": PLAIN}
#: What is sent, and the version of the peer.
SENT, STATSD = 400_000, "statsd@0.9.0"
TAKEN, SHARE = "taken a second of a core", "% taken"
#: What is told of, least times what the peer takes. It writes nothing and asks nothing: what it takes is lost with it.
LEAST = {"statsd": 1.0, "http": 0.6, "otlp": 0.8}
PROBES = Path(__file__).with_name("probes")
#: Seconds that the peer may take to start.
PATIENCE = 15.0


def figures(rounds: int) -> tuple[list[Figure], list[Must], list[str]]:
    """Measure all in turns: figures, what they are held against, and who could not be had."""
    names = [(work, name) for work in INTAKES for name in (OURS, PEERS[work])]
    missing = []
    if not shutil.which("npm"):
        names = [each for each in names if each[1] != NPM]
        missing.append(f"{NPM}: there is no npm")
    seen: dict[tuple[str, str], list[dict[str, float]]] = {each: [] for each in names}
    for _ in range(rounds):
        for each, those in seen.items():
            those.append(_once(*each))
    found = [_figure(work, name, those) for (work, name), those in seen.items()]
    rates = {each: figure.more[TAKEN] for each, figure in zip(seen, found, strict=True)}
    musts = [
        Must(
            what=f"{INTAKES[work]}: {TAKEN}, of those of {PEERS[work]}", limit=limit,
            got=round(rates[work, OURS] / rates[work, PEERS[work]], 2), unit="x", least=True,
        )
        for work, limit in LEAST.items() if (work, PEERS[work]) in rates
    ]  # fmt: skip
    return found, musts, missing


def _figure(work: str, name: str, seen: list[dict[str, float]]) -> Figure:
    more = {
        TAKEN: round(median([each["taken"] / each["cpu"] for each in seen])),
        SHARE: round(median([100 * each["taken"] / each["sent"] for each in seen]), 1),
    }
    return Figure(setting=f"{INTAKES[work]}, {SENT} sent", name=name, rounds=len(seen), more=more)


def _once(work: str, name: str) -> dict[str, float]:
    """Send to one contestant: what was `sent`, what it has `taken`, and its `cpu` in seconds."""
    if name == NPM:
        return _npm(work)
    program, python = ("intake", environment.ours("otlp")) if name == OURS else ("plain_intake", environment.others())
    words = [str(python / "python"), str(PROBES / f"{program}.py"), work, str(SENT)]
    output = measured(Contestant(name=f"{name}, {work}", command=words, cwd=environment.cache())).output
    seen: dict[str, float] = json.loads(output.splitlines()[-1])
    return seen


def _npm(work: str) -> dict[str, float]:
    with _statsd() as (process, port, management):
        before = _cpu(process.pid)
        sender = [str(environment.ours("otlp") / "python"), str(PROBES / "senders.py")]
        subprocess.run([*sender, work, str(port), str(SENT)], check=True)
        found = -1
        while found != (found := _received(management)):
            time.sleep(0.5)
        return {"sent": SENT, "taken": found, "cpu": _cpu(process.pid) - before}


@contextlib.contextmanager
def _statsd() -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """Have the peer at work: its process, the port it takes packets at, and that of its management."""
    program = environment.npm(STATSD) / "statsd/stats.js"
    with tempfile.TemporaryDirectory(prefix="infratest-bench-") as folder, processes.ended([]) as started:
        port, management = _free(socket.SOCK_DGRAM), _free(socket.SOCK_STREAM)
        # It counts for an hour: what it was sent is asked of its management before it begins anew.
        config = {
            "address": "127.0.0.1", "port": port, "mgmt_address": "127.0.0.1", "mgmt_port": management,
            "flushInterval": 3_600_000, "backends": [],
        }  # fmt: skip
        path = Path(folder, "config.js")
        path.write_text(f"({json.dumps(config)})\n")
        started.append(processes.staying(["node", str(program), str(path)]))
        until = time.monotonic() + PATIENCE
        while True:
            try:
                _received(management)
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise BenchError(f"{NPM} does not answer at port {management}: {error}") from error
                time.sleep(0.05)
        yield started[0], port, management


def _received(management: int) -> int:
    """Return the metrics that the peer has counted so far."""
    with socket.create_connection(("127.0.0.1", management), timeout=30) as asking:
        asking.sendall(b"counters\n")
        said = b""
        while b"END" not in said and (more := asking.recv(65536)):
            said += more
    counted = re.search(rb"metrics_received\W+(\d+)", said)
    if counted is None:
        raise BenchError(f"{NPM} tells no metrics_received: {said[:300]!r}")
    return int(counted[1])


def _cpu(pid: int) -> float:
    """Return the seconds of CPU of a process, all of its threads together (proc(5), `schedstat`: nanoseconds)."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def _free(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
