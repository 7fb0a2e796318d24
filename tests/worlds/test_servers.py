"""Servers of the tests end with the run that has started them, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.nodes import processes

REPOSITORY = Path(__file__).parents[2]
#: A clock that is moved, a server as nobody and one as root.
RUN = """
import sys
from pathlib import Path
from tests.worlds import servers, tls_servers
from tests.worlds.chronyd import chronyd

folder, (clock, cache, tls) = Path(sys.argv[1]), tls_servers.free_ports(3)
words = ("openssl", "s_server", "-nocert", "-www", "-accept", f"127.0.0.1:{tls}")
with (
    chronyd(folder / "chrony", clock, "local stratum 1", wrong="+100s"),
    servers.running("memcached", "-l", "127.0.0.1", "-p", cache, "-U", "0", folder=folder, port=cache),
    tls_servers.running(*words, ports=(tls,)),
):
    print(clock, cache, tls, flush=True)
    sys.stdin.read()
"""


def names(folder: Path, ports: list[str]) -> list[str]:
    """Return the names of programs whose words have the folder or one of the ports in them."""
    running = []
    for _, line in processes.told("cmdline"):
        program, *words = line.decode("utf-8", "replace").split("\0")
        if any(word.rpartition(":")[2] in ports or word.startswith(f"{folder}/") for word in words):
            running.append(Path(program).name)
    return sorted(running)


@pytest.mark.parametrize("ends", [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_servers_end_with_the_run(tmp_path: Path, ends: signal.Signals | None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)], cwd=REPOSITORY, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as run:  # fmt: skip
        assert run.stdin
        assert run.stdout
        ports = run.stdout.readline().decode().split()
        assert names(tmp_path, ports) == ["chronyd", "memcached", "openssl"]
        if ends is None:
            run.stdin.close()
        else:
            run.send_signal(ends)
        run.wait(60)
    assert wait_until(lambda: not names(tmp_path, ports), 60)
