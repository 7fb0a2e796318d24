"""What the ways in are measured by, in small: all that was sent is counted, and what is refused ends it."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading

import pytest

from benchmarks import intakes


@pytest.mark.parametrize("work", ["http", "otlp"])
def test_what_was_answered_has_been_taken(work):
    words = [sys.executable, intakes.PROBES / "intake.py", work, "3000"]
    seen = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert (seen["sent"], seen["taken"]) == (3000, 3000)
    assert seen["cpu"] > 0


def test_a_sender_whose_request_is_refused_says_so_and_fails():
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as refusing:
        threading.Thread(target=refusing.handle_request, daemon=True).start()
        words = [sys.executable, intakes.PROBES / "senders.py", "http", str(refusing.server_port), "100"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "/in/events is answered 501" in done.stderr
