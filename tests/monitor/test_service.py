"""What systemd is told, over a real socket of the kind that it listens on."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from infratest.monitor import service


@pytest.mark.parametrize("kind", ["a file", "an abstract one"])
def test_who_asked_is_told(tmp_path: Path, kind: str):
    path = str(tmp_path / "notify") if kind == "a file" else f"@infratest-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + path[1:] if path[0] == "@" else path)
        listening.settimeout(20)
        service.notify(service.READY, "STATUS=500 hosts", environment={"NOTIFY_SOCKET": path})
        assert listening.recv(100) == b"READY=1\nSTATUS=500 hosts"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/notify"])
def test_who_did_not_ask_or_went_away_is_no_error(address: str):
    service.notify(service.READY, environment={"NOTIFY_SOCKET": address})


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_when_a_word_is_waited_for(environment: dict[str, str], seconds: float | None):
    assert service.watchdog(environment) == seconds
