"""`--jobs dask://` on a real cluster: a scheduler and three workers, each a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.spread.cluster import BIN, Cluster, cluster
from tests.spread.conftest import without_times
from tests.worlds.small_project import run, write

STACK = """\
stack: shop
provider: {{name: simulator, boot: 0s, pending: 0s, latency: 0s, transport: {transport}}}
hosts: {{web: {{count: {count}}}}}
features: [x.feature]
{more}"""
FEATURE = """\
Feature: f
  Scenario: good
    Then the user "root" exists
  Scenario: bad
    Then the file "/nothing-there" exists
  Scenario: alike
    Then the file "/etc/passwd" is the same on all hosts
  Scenario: from here
    Then the name "localhost" resolves to "127.0.0.1"
"""
GOOD = 'Feature: f\n  Scenario: good\n    Then the user "root" exists\n'


def project(folder: Path, feature: str, count: int, transport: str = "{otherwise: run}", more: str = "") -> Path:
    """Write a project on simulated hosts, and bring them up."""
    stack = STACK.format(transport=transport, count=count, more=more)
    write(folder, {"stack.yaml": stack, "x.feature": feature})
    done = run(folder, "infratest", "up")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


def test_the_report_is_that_of_a_run_without_workers(three: Cluster, tmp_path: Path):
    project(tmp_path, FEATURE, 6)
    here = run(tmp_path, "infratest", "test", "--format", "json")
    words = ["infratest", "test", "-v", "--timeout", "200s", "--jobs", three.ours, "--format", "json"]
    spread = run(tmp_path, *words)
    assert (here.returncode, spread.returncode) == (2, 2), spread.stderr
    assert without_times(json.loads(spread.stdout)) == without_times(json.loads(here.stdout))
    assert "12 of 14 scenarios go to workers, on 6 hosts" in spread.stderr
    checked = run(tmp_path, "infratest", "check", "--timeout", "200s", INFRATEST_JOBS=three.ours)
    assert checked.stdout.startswith("INFRATEST CRITICAL - shop 6 hosts: 6 of 14 scenarios failed: "), checked.stderr


def asked(record: Path) -> Counter[str]:
    """Return how often each host was begun to be asked."""
    if not record.exists():
        return Counter()
    lines = [json.loads(line) for line in record.read_text().splitlines() if line.endswith("}")]
    return Counter(line["host"] for line in lines if line["verb"] == "open")


def test_one_killed_in_mid_cycle_has_its_hosts_asked_again(tmp_path: Path):
    record = tmp_path / "record"
    transport = f"{{otherwise: run, delay: 3s, record: {record}}}"
    project(tmp_path, GOOD, 36, transport)
    record.unlink()  # what `up` asked
    with cluster(tmp_path / "cluster") as three:
        command = [str(BIN / "infratest"), "test", "--timeout", "250s", "--jobs", three.ours, "--format", "json"]
        running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: len(asked(record)) >= 12, seconds=120)
        os.kill(three.workers[0].running.pid, signal.SIGKILL)
        out, err = running.communicate(timeout=280)
    report = json.loads(out)
    assert (running.returncode, report["counts"]["ok"]) == (0, 36), err
    ids = [result["id"] for result in report["results"]]
    assert len(ids) == len(set(ids)) == 36
    assert report["cost"]["logins"] == 36  # what was asked twice counts once
    again = asked(record)
    assert len(again) == 36
    assert 36 < again.total() <= 40


def test_with_no_worker_left_nothing_is_known(tmp_path: Path):
    project(tmp_path, GOOD, 2, "{otherwise: run, delay: 120s}")
    with cluster(tmp_path / "cluster", workers=1) as one:
        command = [str(BIN / "infratest"), "test", "--timeout", "20s", "--jobs", one.ours, "--format", "json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
        report = json.loads(done.stdout)
        assert (done.returncode, report["counts"]["unknown"]) == (3, 2), done.stderr
        one.workers[0].kill()
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 3
        assert "it has no workers; start some with `dask worker`" in json.loads(done.stdout)["problem"]


@pytest.mark.parametrize(
    "lacks, words",
    [
        ("scheduler", "the scheduler, or a worker, lacks infratest; install this one's version on all of them"),
        ("worker", "no worker has answered within 30 s; give it more with --timeout, or see whether the workers run"),
    ],
)
def test_one_without_infratest_is_told(tmp_path: Path, lacks: str, words: str):
    project(tmp_path, GOOD, 1)
    with cluster(tmp_path / "cluster", workers=1, lacks=lacks) as one:
        done = run(tmp_path, "infratest", "test", "--timeout", "30s", "--jobs", one.ours, "--format", "json")
    (result,) = json.loads(done.stdout)["results"]
    assert (done.returncode, result["state"]) == (3, "unknown")
    assert words in result["reason"]


def test_no_scheduler_is_told(tmp_path: Path):
    project(tmp_path, GOOD, 1)
    done = run(tmp_path, "infratest", "check", "--timeout", "60s", "--jobs", "dask://127.0.0.1:9")
    assert done.returncode == 3
    assert "dask://127.0.0.1:9: there is no scheduler of dask" in done.stdout


def test_workers_are_named_by_the_verbs_that_have_them(tmp_path: Path):
    stack = "stack: one\nprovider: local\nhosts: {here: {}}\nfeatures: [x.feature]\n"
    write(tmp_path, {"stack.yaml": stack, "x.feature": GOOD})
    words_of_up = ("up", "--jobs", "dask://127.0.0.1:8786")
    refused = {
        words_of_up: "`test`, `check` and `monitor run` alone have hosts asked by workers",
        ("test", "--jobs", "dask://192.0.2.1:8786"): "dask://192.0.2.1:8786 is not on loopback",
        ("test", "--jobs", "dask+tls://192.0.2.1"): "dask's configuration does not say distributed.comm.tls.ca-file",
        ("test", "--jobs", "dask://127.0.0.1/x"): "dask://127.0.0.1/x is no address of a scheduler",
        ("test", "--jobs", "0"): "0 is not in the range 1<=x<=1000",
        ("test", "--jobs", "http://127.0.0.1"): "'http://127.0.0.1' is not a valid integer range",
    }
    for words, expected in refused.items():
        done = run(tmp_path, "infratest", *words)
        assert done.returncode in (2, 3)
        assert expected in " ".join((done.stdout + done.stderr).split()), words
