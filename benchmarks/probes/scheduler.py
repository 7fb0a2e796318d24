"""What it costs APScheduler to run COUNT jobs that do nothing, in this process.

    python scheduler.py COUNT PERIOD SECONDS      prints one JSON object

Its defaults: jobs in memory, run by its pool of ten threads. As hosts of 20 scenarios are looked at, 20 jobs are due at
one moment and those moments are spread over the PERIOD (seconds), so that it wakes once for 20 of them. Counted are the
SECONDS behind the first period.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta
from itertools import count as counting
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

TOGETHER = int(sys.argv[4])
runs = counting(1)
done = 0


def nothing() -> None:
    global done
    done = next(runs)


def resident() -> float:
    """Return the MiB of this process's memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def main(count: int, period: float, seconds: float) -> None:
    before = resident()
    # On a machine that is busy a job that is late is run all the same.
    scheduler = BackgroundScheduler(job_defaults={"misfire_grace_time": None, "coalesce": True})
    scheduler.start(paused=True)
    begin = datetime.now(scheduler.timezone)
    for number in range(count):
        part = number // TOGETHER * TOGETHER / count
        scheduler.add_job(nothing, "interval", seconds=period, start_date=begin + timedelta(seconds=period * part))
    scheduler.resume()
    time.sleep(period + 1)
    first, spent = done, time.process_time()
    time.sleep(seconds)
    spent, ran = time.process_time() - spent, done - first
    print(json.dumps({"cpu": spent, "runs": ran, "MiB": resident(), "more MiB": resident() - before}))
    scheduler.shutdown(wait=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
