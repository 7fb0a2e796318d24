"""Load as a sentence: a real server counts what it is asked, and how its answers are told."""

from __future__ import annotations

import http.server
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.facts.load_test import LoadTest
from tests.worlds.locust import programs

SLOW = 0.3


class Server(http.server.ThreadingHTTPServer):
    """Counts requests by path and Host header; `/slow` takes its time, `/third` fails each third time."""

    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.seen: Counter[tuple[str, str]] = Counter()
        self.moments: dict[str, list[float]] = {}
        self.lock = threading.Lock()


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.seen[self.path, self.headers["Host"]] += 1
            self.server.moments.setdefault(self.path, []).append(time.monotonic())
            number = sum(many for (path, _), many in self.server.seen.items() if path == self.path)
        if self.path == "/slow":
            time.sleep(SLOW)
        self.send_response(503 if self.path == "/third" and number % 3 == 0 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def tried(folder: Path, steps: str) -> list[dict[str, Any]]:
    """Return the steps of one scenario as the report has them."""
    (folder / "stack.yaml").write_text("stack: load\nprovider: local\nhosts: {web: {}}\n")
    (folder / "load.feature").write_text(f"Feature: load\n  Scenario: one\n{steps}")
    done = subprocess.run(
        [sys.executable, "-m", "infratest", "test", "load.feature", "--format", "json", "--timeout", "120s"],
        cwd=folder, capture_output=True, text=True, timeout=180, check=False,
        env={**os.environ, "PATH": f"{programs()}:{os.environ['PATH']}"},
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["exit"] == done.returncode
    (one,) = report["results"]
    return list(one["steps"])


def test_it_is_asked_so_often_and_no_more_and_what_came_of_it_is_judged(server, tmp_path):
    there = f"web:{server.server_port}"
    steps = tried(
        tmp_path,
        f"""
    When "http://{there}/slow" is asked 20 times a second for 2 s
    And "http://{there}/third?a=b%20c" is asked 30 times a second for 1 s
    Then "http://{there}/slow" answered in at least 300 ms at the 1st percentile
    And "http://{there}/slow" answered in less than 300 ms at the 99th percentile
    And "http://{there}/slow" answered with at most 0 % errors
    And "http://{there}/third?a=b%20c" answered with at most 0 % errors
""",
    )
    assert [step["state"] for step in steps] == ["ok", "ok", "ok", "critical", "ok", "ok"], steps
    assert server.seen == {("/slow", there): 40, ("/third?a=b%20c", there): 30}
    # As if each request were another visitor's: those that wait hold up no other.
    moments = sorted(server.moments["/slow"])
    assert moments[-1] - moments[0] < 20 * SLOW  # one visitor alone would take 40 times so long
    assert [each["name"] for each in steps[2]["observations"]] == [f"http http://{there}/slow 1st percentile"]


def test_what_fails_is_no_answer(server, tmp_path):
    there = f"web:{server.server_port}"
    steps = tried(
        tmp_path,
        f"""
    When "http://{there}/third" is asked 30 times a second for 1 s
    And "http://web:1/" is asked 10 times a second for 1 s
    And "https://{there}/" is asked 10 times a second for 1 s
    Then "http://{there}/third" answered with between 33 % and 34 % errors
    And "http://{there}/third" answered in less than 10 min at the 66th percentile
    And "http://{there}/third" answered in less than 10 min at the 67th percentile
    And "http://web:1/" answered with at most 99 % errors
    And "https://{there}/" answered with at most 99 % errors
""",
    )
    assert [step["state"] for step in steps[:3]] == ["ok"] * 3, steps
    assert [step["state"] for step in steps[3:]] == ["ok", "ok", "critical", "critical", "critical"], steps
    assert "10 status 503" in steps[5]["reason"]
    assert "10 requests, 10 without a good answer (10 connection refused)" in steps[6]["reason"]
    assert "10 does not speak TLS with us" in steps[7]["reason"]


def test_nobody_elses_host_is_asked_and_nothing_is_known_without_a_load(tmp_path):
    steps = tried(
        tmp_path,
        """
    When "http://192.0.2.1/" is asked 5 times a second for 1 s
    Then "http://192.0.2.1/" answered with at most 100 % errors
""",
    )
    assert "192.0.2.1 is no host of this stack" in steps[0]["reason"]
    assert {step["state"] for step in steps} == {"unknown"}
    steps = tried(tmp_path, '    Then "http://web/" answered with at most 100 % errors\n')
    assert [step["state"] for step in steps] == ["unknown"]
    assert 'nothing asked "http://web/" before' in steps[0]["reason"]
    steps = tried(
        tmp_path,
        """
    When "http://web/" is asked 5 times a second for 2 min
    Then "http://web/" answered with at most 100 % errors
""",
    )
    assert "lasts 2 min and cannot end within" in steps[0]["reason"]
    assert {step["state"] for step in steps} == {"unknown"}


@given(st.lists(st.floats(0, 100), max_size=50), st.integers(0, 50), st.floats(0.1, 100))
def test_a_percentile_is_a_time_within_which_so_many_had_a_good_answer(times, failed, rank):
    if not times and not failed:
        return
    load = LoadTest(tuple(sorted(times)), (("status 500", failed),) if failed else ())
    seconds = load.percentile(rank)
    share = math.ceil((len(times) + failed) * rank / 100 - 1e-9)
    if seconds is None:
        assert len(times) < share
    else:
        assert seconds in times
        assert sum(each <= seconds for each in times) >= share
        assert sum(each < seconds for each in times) < max(1, share)
