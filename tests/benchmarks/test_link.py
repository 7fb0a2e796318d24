"""The link delays by its round-trip time, hosts behind it answer, and a run that was killed leaves nothing for long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.environment import ran
from benchmarks.hosts import hosts
from benchmarks.link import FAR, link
from benchmarks.namespaces import FOLDER, PREFIX, namespaces, space, sweep
from benchmarks.processes import ended, staying
from benchmarks.server import connect_seconds, keys, servers
from infratest.testing.waiting import wait_until

ROOT = Path(__file__).parents[2]
LISTEN = "import socket, signal; s = socket.socket(); s.bind(('0.0.0.0', 7)); s.listen(); signal.pause()"
KILLED = """
import sys
sys.path.append(sys.argv[1])
from benchmarks.link import link
with link(10) as way:
    print(way.far, flush=True)
    sys.stdin.read()
"""


def listening(namespace):
    until = time.monotonic() + 10
    while ":7 " not in ran("ip", "netns", "exec", namespace, "ss", "-Hltn") and time.monotonic() < until:
        time.sleep(0.02)


def test_a_connect_takes_one_round_trip():
    with link(0) as way, ended([]) as processes:
        processes.append(staying([sys.executable, "-I", "-S", "-c", LISTEN], way.far))
        listening(way.far)
        for rtt in (20, 100, 50):
            way.delay(rtt)
            # The quickest of some: a machine that is busy is late, a link is never early.
            took = min(connect_seconds(way.near, FAR, 7) for _ in range(5)) * 1000
            assert rtt <= took < rtt * 1.5


def test_hosts_behind_the_link_let_us_in_and_their_cpu_is_counted():
    known = keys()
    with hosts(3, 10) as there:
        known.know(there.addresses)
        before = there.cpu()
        for address in there.addresses:
            words = ["ip", "netns", "exec", there.way.near, "ssh", "-F", str(known.config), address]
            assert ran(*words, "n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done; echo $HOME").strip() == str(
                known.folder / "home"
            )
        assert there.cpu() >= before + 0.1
        names = there.names
    assert not any((FOLDER / name).exists() for name in names)


def test_what_a_connection_leaves_behind_is_counted_as_the_servers_own():
    known = keys()
    burns = "n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done"
    with link(0) as way, servers([(way.far, FAR)], way.near) as (server,):
        known.know([FAR])
        before = server.cpu()
        words = ["ip", "netns", "exec", way.near, "ssh", "-F", str(known.config), FAR]
        ran(*words, f"sh -c '{burns}' >/dev/null 2>&1 </dev/null &")
        assert server.cpu() >= before + 0.1


def test_no_packet_leaves_for_an_address_that_is_not_there():
    with link(0) as way:
        done = subprocess.run(
            ["ip", "netns", "exec", way.near, "ip", "route", "get", "192.0.2.1"], capture_output=True, text=True
        )
    assert "No route to host" in done.stderr  # at once, by the route `unreachable default`


def test_what_a_killed_run_left_is_swept_away():
    words = [sys.executable, "-c", KILLED, str(ROOT)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    far = process.stdout.readline().strip()
    assert far.startswith(PREFIX)
    inside = subprocess.Popen(["ip", "netns", "exec", far, "sleep", "600"])
    try:
        wait_until(lambda: space(inside.pid) == (FOLDER / far).stat().st_ino)  # `ip` goes in before it becomes `sleep`
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert far in sweep()
        assert inside.wait(60) == -signal.SIGKILL
    finally:
        inside.kill()
    assert not (FOLDER / far).exists()


def test_what_a_living_run_has_is_left_alone():
    with namespaces(f"{PREFIX}{os.getpid()}-{started_of_this()}-mine"):
        assert sweep() == []


def started_of_this():
    return Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]


@pytest.fixture(autouse=True)
def _as_root():
    assert os.geteuid() == 0, "network namespaces are made by root: run these tests as root"
