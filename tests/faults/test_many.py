"""200 hosts of which 20 are dead and 20 hang after the login: each is told for itself, and none holds up another.

All are real sshd on addresses of the loopback net; the network is a namespace of the test's own.
"""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.installed import Place
from tests.worlds.sshd import Server, running_sshd

FEATURE = """\
Feature: Many
  Scenario: passwd is there
    Then the file "/etc/passwd" exists
    And the user "root" exists
  Scenario: nothing is there
    Then the file "/nowhere/at/all" does not exist
"""

#: Seconds that a run may take: most of it is the waiting for those that hang.
SECONDS = 20

WELL, REFUSING, SILENT, HANGING = 160, 10, 10, 20


@dataclass(frozen=True)
class Fleet:
    """A stack file of many hosts, and the servers behind it."""

    stack: str
    well: Server
    hanging: Server


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        every = {"address": "0.0.0.0", "MaxStartups": "300"}
        well = stack.enter_context(running_sshd(folder / "well", **every))
        hanging = stack.enter_context(
            running_sshd(folder / "hanging", key=well.key, ForceCommand="exec sleep 300", **every)
        )
        silent = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=0))
        for _ in range(2):  # more than it keeps: from now on nobody is answered
            full = stack.enter_context(socket.socket())
            full.setblocking(False)
            full.connect_ex(("127.0.0.1", silent.getsockname()[1]))
        closed = stack.enter_context(socket.socket())
        closed.bind(("0.0.0.0", 0))
        groups = {
            "well": (WELL, well.port),
            "refusing": (REFUSING, closed.getsockname()[1]),
            "silent": (SILENT, silent.getsockname()[1]),
            "hanging": (HANGING, hanging.port),
        }
        known = folder / "known_hosts"
        known.write_text("".join(f"[127.77.*]:{each.port} {each.host_key}\n" for each in (well, hanging)))
        yield Fleet(_stack(well, known, groups), well, hanging)


def _stack(server: Server, known: Path, groups: dict[str, tuple[int, int]]) -> str:
    lines = [f"stack: many\nprovider: {{name: existing, known-hosts: {known}, config: none, agent: false}}\nhosts:\n"]
    for at, (name, (count, port)) in enumerate(groups.items(), 1):
        lines += [
            f"  {name}-{number}: {{address: 127.77.{at}.{number}, port: {port}, user: {server.user}, "
            f"key: {server.key}, sudo: false}}\n"
            for number in range(1, count + 1)
        ]
    # The sick come first and are mixed in: whoever is asked in order meets them early.
    head, hosts = lines[0], lines[1:]
    return head + "".join(sorted(hosts, key=lambda line: line.split(":")[0][::-1]))


def group(result: dict[str, Any]) -> str:
    return str(result["host"]).partition("-")[0]


def test_each_host_is_told_for_itself(place: Place, fleet: Fleet) -> None:
    place.write({"stack.yaml": fleet.stack, "ok.feature": FEATURE})
    before = place.files()
    line = place.root / "line"
    done = place.run(f"infratest check --timeout {SECONDS}s --format json --format nagios:{line} ok.feature")
    report = json.loads(done.out)
    scenarios = [result for result in report["results"] if result["feature"]]
    hosts = {result["host"]: result for result in report["results"] if not result["feature"]}

    # Nobody held up another: all that are well were asked in full.
    assert Counter((group(result), result["state"]) for result in scenarios) == {
        ("well", "ok"): 2 * WELL,
        ("refusing", "unknown"): 2 * REFUSING,
        ("silent", "unknown"): 2 * SILENT,
        ("hanging", "unknown"): 2 * HANGING,
    }
    for result in scenarios:
        assert result["blocked_by"] == (None if group(result) == "well" else f"reachable@{result['host']}")
    # Each of the others is told once, for itself, with what is so.
    assert Counter((group(result), result["state"]) for result in hosts.values()) == {
        ("refusing", "critical"): REFUSING,
        ("silent", "critical"): SILENT,
        ("hanging", "unknown"): HANGING,
    }
    words = {
        "refusing": "connection refused",
        "silent": "no answer to TCP",
        "hanging": "logged in, and the command did",
    }
    for name, result in hosts.items():
        assert name in result["reason"]
        assert words[group(result)] in result["reason"]
    blocked = 2 * (REFUSING + SILENT + HANGING)
    assert report["counts"] == {
        "ok": 2 * WELL, "warning": 0, "critical": REFUSING + SILENT, "unknown": HANGING, "skipped": 0,
        "blocked": blocked,
        "waived": 0,
    }  # fmt: skip
    assert (report["state"], report["exit"], done.status) == ("critical", 2, 2)
    assert report["cost"] == {"logins": WELL + HANGING, "round_trips": WELL + HANGING, "commands": WELL + HANGING}
    assert (fleet.well.logins(), fleet.hanging.logins()) == (WELL, HANGING)
    said = line.read_text().splitlines()[0]
    line.unlink()
    assert said.startswith("INFRATEST CRITICAL - many 200 hosts: 20 of 400 scenarios failed, 20 unknown, 80 blocked: ")
    place.nothing_left(before)
    wait_until(lambda: not fleet.well.sessions() and not fleet.hanging.sessions(), 30)
