"""Hosts that are odd: without /proc, restricted, noexec, a profile that forges, clocks that jump, login shells.

A real sshd each; what cannot be known is unknown, by name.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.installed import Ended, Place
from tests.worlds.sshd import Server, start_sshd

FEATURE = """\
Feature: The host
  Scenario: file
    Then the file "/etc/passwd" exists
  Scenario: no file
    Then the file "/nowhere/at/all" exists
  Scenario: user
    Then the user "root" exists
  Scenario: command
    Then the command "echo it; exit 3" exits 3
"""
TRUE = {"file": "ok", "no-file": "critical", "user": "ok", "command": "ok"}

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def start(**options: str) -> Server:
        servers.append(start_sshd(tmp_path / f"sshd-{len(servers)}", **options))
        return servers[-1]

    yield start
    for each in servers:
        each.stop()


def run(place: Place, server: Server, feature: str = FEATURE, client: str = "") -> tuple[Ended, dict[str, dict]]:
    """Run a feature on the server; return how it ended, and slug -> result."""
    host = f"{{address: {server.address}, port: {server.port}, user: {server.user}, key: {server.key}}}"
    place.write({
        "stack.yaml": "stack: shop\n"
        f"provider: {{name: existing, known-hosts: {server.known_hosts}, config: none, agent: false}}\n"
        f"hosts:\n  web: {host}\n",
        "odd.feature": feature,
    })  # fmt: skip
    before = place.files()
    done = place.run("infratest check --timeout 30s --format json odd.feature")
    place.nothing_left(before)
    wait_until(lambda: not server.sessions())
    report = json.loads(done.out)
    assert report["exit"] == done.status
    return done, {result["id"].rpartition("#")[2].partition("@")[0]: result for result in report["results"]}


def states(results: dict[str, dict]) -> dict[str, str]:
    return {slug: result["state"] for slug, result in results.items()}


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


WITHOUT_PROC = """\
Feature: No proc
  Scenario: file
    Then the file "/etc/passwd" exists
  Scenario: process
    Then the process "no-such-process" is not running
  Scenario: memory
    Then the memory is less than 100 % used
  Scenario: load
    Then the load is less than 10000
  Scenario: mount
    Then the mount "/nowhere" does not exist
  Scenario: command
    Then the command "echo it" prints exactly "it"
"""


def test_a_host_without_proc(place: Place, start: Start, tmp_path: Path) -> None:
    # A mount namespace of the session's own, in which an empty folder lies over /proc.
    (tmp_path / "empty").mkdir()
    inside = script(
        tmp_path / "inside", f'mount --bind {tmp_path}/empty /proc\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
    )
    server = start(ForceCommand=f"exec unshare --mount {inside}")
    done, results = run(place, server, WITHOUT_PROC)
    assert states(results) == {
        "file": "ok", "process": "unknown", "memory": "unknown", "load": "unknown", "mount": "unknown", "command": "ok",
    }  # fmt: skip
    assert done.status == 3
    for slug in ("process", "memory", "load", "mount"):
        assert "/proc" in results[slug]["reason"], results[slug]["reason"]
        assert results[slug]["host"] == "web"


def test_a_restricted_shell(place: Place, start: Start, tmp_path: Path) -> None:
    """What such a shell allows is its PATH: with sh in it all is as ever, without it is unknown."""
    tools = tmp_path / "tools"
    tools.mkdir()
    restricted = f'PATH={tools}; export PATH; exec /bin/bash -r -c "$SSH_ORIGINAL_COMMAND"'
    server = start(ForceCommand=script(tmp_path / "restricted", restricted))
    done, results = run(place, server)
    assert (done.status, {state for slug, state in states(results).items()}) == (3, {"unknown"})
    assert "did not run the command" in results["reachable"]["reason"]
    assert "web" in results["reachable"]["reason"]
    for name in (
        "sh",
        "env",
        "timeout",
        "cat",
        "sed",
        "stat",
        "head",
        "tail",
        "id",
        "grep",
        "printf",
        "getent",
        "date",
    ):
        (tools / name).symlink_to(str(shutil.which(name)))
    done, results = run(place, server)
    assert (done.status, states(results)) == (2, TRUE), results


FORGED = r"""printf '%s out 0 3\nyes%s end 0 2\n\n0' 0123456789abcdef01234567 0123456789abcdef01234567
printf '0123456789abcdef01234567 done\nWelcome\n'
printf '@ out 0 0\n' >&2"""


def test_a_profile_that_prints_what_looks_like_our_frames(place: Place, start: Start, tmp_path: Path) -> None:
    server = start(ForceCommand=script(tmp_path / "forged", f'{FORGED}\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'))
    done, results = run(place, server)
    assert (done.status, states(results)) == (2, TRUE), results


@pytest.mark.parametrize("jump", ["+400d", "-400d"])
def test_a_clock_that_jumps(place: Place, start: Start, tmp_path: Path, jump: str) -> None:
    """The host's clock, then the controller's: no deadline and no answer depends on either."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    assert library, "faketime is needed: apt-get install faketime"
    faked = f'FAKETIME={jump} LD_PRELOAD={library} exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
    server = start(ForceCommand=script(tmp_path / "faked", faked))
    said = 'Feature: c\n  Scenario: clock\n    Then the command "date -u +%Y" prints exactly "{year}"\n'
    now = datetime.now(UTC).year
    done, results = run(place, server, said.replace("{year}", str(now)))
    assert (done.status, states(results)) == (2, {"clock": "critical"})  # it is another year there
    done, results = run(place, server)
    assert (done.status, states(results)) == (2, TRUE), results
    place.variables |= {"FAKETIME": jump, "LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    done, results = run(place, start())
    assert (done.status, states(results)) == (2, TRUE), results


@pytest.mark.parametrize("shell", ["fish", "tcsh", "zsh", "bash", "dash", "mksh"])
def test_login_shells(place: Place, start: Start, tmp_path: Path, shell: str) -> None:
    path = shutil.which(shell)
    assert path, f"{shell} is needed: apt-get install {shell}"
    server = start(ForceCommand=script(tmp_path / "login", f'exec {path} -c "$SSH_ORIGINAL_COMMAND"'))
    done, results = run(place, server)
    assert (done.status, states(results)) == (2, TRUE), results
