"""`monitor: {jobs: dask://...}` on a real cluster: looks go on when a worker is killed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.spread.cluster import BIN, cluster
from tests.spread.test_cluster import FEATURE, asked, project
from tests.worlds.small_project import run


def test_a_monitor_looks_by_workers_and_goes_on_when_one_is_killed(tmp_path: Path):
    record = tmp_path / "record"
    with cluster(tmp_path / "cluster") as three:
        more = f"monitor: {{interval: 2s, retry: 2s, attempts: 1, stale: 100, jobs: '{three.ours}'}}\n"
        project(tmp_path, FEATURE, 6, f"{{otherwise: run, record: {record}}}", more)
        once = run(tmp_path, "infratest", "monitor", "run", "--once", "--timeout", "100s")
        assert once.returncode == 2, once.stderr
        command = [str(BIN / "infratest"), "monitor", "run", "--timeout", "100s"]
        with (tmp_path / "monitor.log").open("w") as log:
            running = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
        try:
            wait_until(lambda: min(asked(record).values(), default=0) >= 3, seconds=150)
            three.workers[0].kill()
            before = asked(record)
            wait_until(lambda: all(asked(record)[name] >= before[name] + 3 for name in before), seconds=150)
            problems = run(tmp_path, "infratest", "monitor", "problems", "--format", "json")
            ids = {each["id"] for each in json.loads(problems.stdout)["problems"]}
            assert ids == {f"x.feature#bad@web-{number}" for number in range(1, 7)}
        finally:
            running.terminate()
            running.wait(60)
    assert running.returncode == 0, (tmp_path / "monitor.log").read_text()
