"""What it costs to take what others send: an intake in this process, and who sends to it in another.

    python intake.py statsd|lines|http|otlp COUNT     prints one JSON object

Only the CPU of the one that takes is counted, and only what was taken: UDP loses. What is sent stands in `senders`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

from infratest.intakes._arrivals import Arrivals
from infratest.intakes.base import House, opened

SENDERS = Path(__file__).with_name("senders.py")


def taken(work: str, count: int) -> dict[str, float]:
    """Have an intake take what is sent in another process, and return what it took and what that cost."""
    kind = "http" if work in ("http", "otlp") else "statsd"
    options = {} if kind == "http" else {"every": "1h"}
    intake = opened(kind, {"address": "127.0.0.1:0", **options}, kind, Path())
    arrivals, ended = Arrivals(), Event()

    def keep() -> None:
        while not ended.wait(0.001):
            for ticket in arrivals.take().tickets:
                ticket.end(kept=True)

    if kind == "http":
        Thread(target=keep, daemon=True).start()
    intake.open(House(arrivals))
    spent = time.process_time()
    subprocess.run([sys.executable, SENDERS, work, str(intake.port), str(count)], check=True)
    tally, found = getattr(intake, "tally", None), -1
    while found != (found := tally.metrics if tally is not None else arrivals.taken[kind]):
        time.sleep(0.5)
    spent = time.process_time() - spent
    ended.set()
    intake.close()
    if refused := arrivals.refusals.total():
        sys.exit(f"{refused} of {work} were refused")
    return {"sent": count, "taken": found, "cpu": spent}


def main() -> None:
    print(json.dumps(taken(sys.argv[1], int(sys.argv[2]))))


if __name__ == "__main__":
    main()
