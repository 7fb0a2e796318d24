"""`up` of hosts that do not answer, ended by its time or by a signal: it names host, address, port and last cause."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.worlds.small_project import BIN, run, write

STACK = "stack: one\nprovider: existing\nhosts:\n  web: {{address: 127.0.0.1, port: {port}}}\n"


def test_an_up_that_is_stopped_says_which_hosts_had_not_answered_and_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        write(tmp_path, {"stack.yaml": STACK.format(port=port)})
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("INFRATEST", "PYTEST"))}
        program = subprocess.Popen(
            [str(BIN / "infratest"), "up"], cwd=tmp_path, env=kept, stderr=subprocess.PIPE, text=True
        )
        server.settimeout(60)
        for _ in range(2):  # by the second one the first attempt has come to something
            server.accept()[0].close()
        program.send_signal(signal.SIGTERM)
        server.close()
        err = program.communicate(timeout=60)[1]
    assert program.returncode == 143
    assert "stopped by SIGTERM; web: not ready after " in err
    assert f"127.0.0.1 port {port}" in err


def test_an_up_whose_time_is_over_says_so_too(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and listened on by nobody
        port = nobody.getsockname()[1]
        write(tmp_path, {"stack.yaml": STACK.format(port=port)})
        done = run(tmp_path, "infratest", "up", "--timeout", "3s")
    assert done.returncode == 1
    assert f"host web (127.0.0.1 port {port}, user " in done.stderr
    assert "connection refused" in done.stderr
