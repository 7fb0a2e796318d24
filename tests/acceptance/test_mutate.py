"""`infratest mutate` on a real host: what each sentence says is broken, turns red, and is whole again after it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Project

pytestmark = pytest.mark.hosts

STACK = """
stack: broken
provider: container
hosts:
  web: {memory: 256MiB, provision: [{shell: small.sh}]}
"""
#: A file, a link, an account, and a service that listens.
SMALL = rb"""#!/bin/sh
set -e
mkdir -p /srv/kept
printf 'one\n' >/srv/app.conf
chmod 0640 /srv/app.conf
printf '{"a.b": "x\\"y", "port": 80, "servers": [{"tls": true}, {"tls": true}]}' >'/srv/my app.json'
ln -sf /srv/app.conf /srv/link
id worker >/dev/null 2>&1 || useradd -r -s /usr/sbin/nologin worker
cat >/srv/serve <<'E'
use IO::Socket::INET;
$0 = "worker";
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
  while (<$client>) { last if /^\r?$/ }
  print $client "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes";
  close $client;
}
E
printf '[Service]\nExecStart=/usr/bin/perl /srv/serve\nUser=worker\n[Install]\nWantedBy=multi-user.target\n' \
  >/etc/systemd/system/worker.service
systemctl daemon-reload
systemctl enable --now worker
"""
#: One of each kind of fault; each must turn red.
KILLED = """Feature: killed
  Scenario: files
    Then the file "/srv/app.conf" exists
    And the file "/srv/app.conf" has mode "0640"
    And the file "/srv/app.conf" is owned by "root"
    And the file "/srv/app.conf" contains "one"
    And the file "/srv/app.conf" does not have the line "two"
    And the file "/srv/app.conf" is less than 1 KiB in size
    And the link "/srv/link" points to "/srv/app.conf"
    And the directory "/srv/none" does not exist

  Scenario: documents
    Then the file "/srv/my app.json" has "a\\.b" equal to "x\\"y"
    And the file "/srv/my app.json" has every "servers.*.tls" equal to "true"
    And the file "/srv/my app.json" has "port" at most 80
    And the file "/srv/my app.json" has no "debug"

  Scenario: services
    Then the service "worker" is running
    And the service "worker" is enabled
    And port 8080 is listening
    And port 8081 is not listening
    And the process "worker" runs as "worker"
    And "http://{host.address}:8080/" answers 200
    And "http://{host.address}:8080/" contains "yes"

  Scenario: accounts and packages
    Then the user "worker" has the shell "/usr/sbin/nologin"
    And the user "root" has uid 0
    And the group "worker" exists
    And the package "openssh-server" is installed
    And the package "telnetd" is not installed

  Scenario: the kernel
    Then the memory is less than 90 % used
    And the load over 15 min is less than 1000
    And the disk of "/srv/kept" is less than 100 % full
    And the sysctl "vm.swappiness" is not "7"
    And the command "hostname" prints exactly "web"
"""
#: What no fault turns red, each for another reason.
NOT_KILLED = """Feature: not killed
  Scenario: it survives
    Then the disk of "/srv/kept" is less than 200 % full

  Scenario: no fault is known
    Then the command "true && true" exits 0

  Scenario: it does not hold as things stand
    Then the file "/srv/nothing" exists

  Scenario: this one does
    Then the file "/srv/app.conf" exists
"""
#: All that a fault may have changed, in one line: files with owner, mode and size, accounts, units, rules, mounts.
STATE = (
    "cd /; { find etc srv usr/bin usr/sbin var/lib/dpkg/info ! -type d -printf '%p %u %g %m %s %l\\n' | sort; "
    "cat etc/passwd etc/group etc/shadow var/lib/dpkg/status; systemctl is-active worker; systemctl is-enabled worker; "
    "nft list tables; grep infratest proc/self/mounts; ls run var/lib | grep infratest; } | md5sum"
)


@pytest.fixture(scope="module")
def web(new_project: Callable[..., Project]) -> Project:
    return new_project(STACK, {"small.sh": SMALL})


def mutated(web: Project, feature: str) -> dict[str, Any]:
    (web.folder / "asked.feature").write_text(feature, encoding="utf-8")
    done = web.run("mutate", "asked.feature", "--format", "json")
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        pytest.fail(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    assert done.returncode == report["exit"]
    return report


def test_each_sentence_turns_red_and_the_host_is_as_it_was(web: Project) -> None:
    before = web.good("run", "web", STATE)
    report = mutated(web, KILLED)
    steps = [step for one in report["results"] for step in one["steps"]]
    assert {step["text"]: step["reason"] for step in steps if step["state"] != "ok"} == {}
    assert report["notes"] == ["mutation score 100 %: 29 of 29 sentences turned red when what they say was broken"]
    assert [step["evidence"][0]["command"] for step in steps[:2]] == [
        "/srv/app.conf is put aside",
        "mode /srv/app.conf 0642",
    ]
    assert web.good("run", "web", STATE) == before
    journal = web.journal()
    assert sum(one.get("what") == "undo-asked" for one in journal) == 29
    assert sum(one.get("what") == "undo-done" for one in journal) == 29


def test_what_does_not_turn_red_counts_against_the_score(web: Project) -> None:
    report = mutated(web, NOT_KILLED)
    states = {one["scenario"]: (one["state"], one["reason"]) for one in report["results"]}
    laid = "a full file system of 1 MiB is laid over /srv/kept"
    assert states == {
        "it survives": ("critical", f"survived: {laid}, and it still held after 8 s"),
        "no fault is known": ("unknown", "more than one program, or the shell itself, answers the command"),
        "it does not hold as things stand": (
            "unknown", 'it does not hold as things stand: the file "/srv/nothing" does not exist',
        ),
        "this one does": ("ok", ""),
    }  # fmt: skip
    assert report["exit"] == 2
    assert report["notes"] == ["mutation score 25 %: 1 of 4 sentences turned red when what they say was broken"]


def test_what_is_undefined_is_not_left_out_of_the_score(web: Project) -> None:
    feature = 'Feature: f\n  Scenario: s\n    Then the file "/srv/app.conf" exists\n'
    report = mutated(web, f'{feature}    And the fiel "/srv/app.conf" exists\n')
    ((first, second),) = [one["steps"] for one in report["results"]]
    assert (first["state"], second["state"], report["exit"]) == ("ok", "unknown", 3)
    assert "is no sentence of infratest" in second["reason"]
    assert report["notes"] == ["mutation score 50 %: 1 of 2 sentences turned red when what they say was broken"]


def test_a_run_that_dies_leaves_its_undo_to_reap(web: Project) -> None:
    """Killed while it looks at a sentence that never turns red; then `reap` takes the fault away."""
    (web.folder / "asked.feature").write_text(NOT_KILLED, encoding="utf-8")
    before = len(web.journal())
    mounts = "grep -c '^infratest' /proc/self/mounts; true"
    words = [str(Path(sys.executable).with_name("infratest")), "mutate", "asked.feature", "--scenario", "it-survives"]
    going = subprocess.Popen(words, cwd=web.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while web.good("run", "web", mounts).split()[-1] == "0":
            assert going.poll() is None
    finally:
        going.kill()
        going.wait()
    assert [one["what"] for one in web.journal()[before:] if one.get("what", "").startswith("undo")] == ["undo-asked"]
    web.good("reap")
    assert web.good("run", "web", mounts).split()[-1] == "0"
