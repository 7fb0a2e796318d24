"""Faults on real hosts: each is there while its scenario lasts and gone after it, none is in this machine itself."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

import pytest

from tests.acceptance.conftest import Project

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(3600)]

STACK = """
stack: faults
provider: {provider}
hosts:
  web: {{memory: 256MiB, {more}provision: [{{shell: small.sh}}]}}
  db: {{}}
"""
#: A disk of a size of its own, a file, and a service that answers.
SMALL = b"""#!/bin/sh
set -e
mkdir -p /srv/small
mountpoint -q /srv/small || mount -t tmpfs -o size=32m tmpfs /srv/small
printf 'one\\n' >/srv/app.conf
chmod 0640 /srv/app.conf
printf '[Service]\\nExecStart=/usr/local/bin/worker infinity\\n' >/etc/systemd/system/worker.service
cp /bin/sleep /usr/local/bin/worker
systemctl daemon-reload
systemctl start worker
"""
SCENARIO = '  Scenario: {name}\n    Given the host "web"\n    When {fault}\n    Then {seen}\n'
#: Fault -> what is so while it lasts, and not after it.
FAULTS = {
    'the disk "/srv/small" is filled to 90 %': 'the disk "/srv/small" is more than 85 % full',
    "the memory is filled to 80 %": "the memory is more than 70 % used",
    "all processors are kept busy": 'the command "ps -Ao args | grep ^sh.-c.ech[o] | wc -l" prints a number at least 2',
    'the file "/srv/app.conf" is removed': 'the file "/srv/app.conf" does not exist',
    'the file "/srv/app.conf" is emptied': 'the file "/srv/app.conf" is at most 0 B in size',
    'the file "/srv/app.conf" is given mode "0666"': 'the file "/srv/app.conf" has mode "0666"',
    'the name "db" is not resolved': 'the name "db" does not resolve from the host',
    'the process "worker" is paused': 'the command "ps -o stat= -C worker" prints "T"',
    'the service "worker" is slowed to 5 % of a processor':
        'the property "CPUQuotaPerSecUSec" of the unit "worker.service" is "50ms"',
    'traffic from "web" to "db:22" is dropped': 'the address "db:22" is not reachable from the host',
    'traffic to "db" is dropped': 'the address "db:22" is not reachable from the host',
}  # fmt: skip
#: What a host has for itself only where it is a machine of its own.
OF_MACHINES = {
    "the clock is moved forward by 2 h": 'the command "date +%s" prints a number at least {soon}',
    "traffic is delayed by 300 ms": 'the command "tc qdisc" prints "delay 300ms"',
    "20 % of traffic is lost": 'the command "tc qdisc" prints "loss 20%"',
}
REFUSED = {
    "the clock is moved forward by 2 h": "the clock of db is that of the machine infratest runs on",
    'the disk "/" is filled to 99 %': "takes its room from the machine infratest runs on",
    "the memory is filled to 90 %": "give the host `memory:`",
    "all processors are kept busy": "give the host `cpus:`",
}


def states(project: Project, faults: dict[str, str], *words: str) -> dict[str, tuple[str, str]]:
    scenarios = [
        SCENARIO.format(name=number, fault=one, seen=seen) for number, (one, seen) in enumerate(faults.items())
    ]
    report = project.test("Feature: faults\n" + "".join(scenarios), *words)
    assert not report.get("problem"), report["problem"]
    found = {one["scenario"]: (one["state"], one["reason"]) for one in report["results"]}
    return {fault: found[str(number)] for number, fault in enumerate(faults)}


def each_is_there_and_gone(project: Project, faults: dict[str, str]) -> None:
    assert states(project, faults) == dict.fromkeys(faults, ("ok", ""))
    lines = [f"    Then {seen}\n" for seen in faults.values()]
    scenarios = [f'  Scenario: {number}\n    Given the host "web"\n{line}' for number, line in enumerate(lines)]
    report = project.test("Feature: after\n" + "".join(scenarios))
    after = {one["scenario"]: one["state"] for one in report["results"]}
    assert after == dict.fromkeys(map(str, range(len(faults))), "critical"), report["results"]
    ask = "cat /srv/app.conf; stat -c %a /srv/app.conf; ls -A /srv /run | grep -c infratest-; true"
    left = project.good("run", "web", ask).splitlines()
    assert [line.rpartition("| ")[2] for line in left] == ["one", "640", "0"]
    noted = project.journal()
    assert sum(1 for one in noted if one.get("what") == "undo-asked") == len(faults)


@pytest.fixture(scope="module")
def walled(new_project: Callable[..., Project]) -> Project:
    return new_project(STACK.format(provider="container", more="cpus: 0.5, "), {"small.sh": SMALL})


def test_each_fault_is_there_while_its_scenario_lasts(walled: Project) -> None:
    each_is_there_and_gone(walled, FAULTS)


def test_a_fault_in_what_is_shared_with_this_machine_is_refused_before_anything_is_done(walled: Project) -> None:
    clock, room = time.time() - time.monotonic(), shutil.disk_usage("/").free
    text = "Feature: refused\n"
    for number, fault in enumerate(REFUSED):
        text += (
            f'  Scenario: {number}\n    Given the host "db"\n    When the command "touch /srv/first-{number}" is run\n'
        )
        text += f'    When {fault}\n    Then the host runs "debian"\n'
    report = walled.test(text)
    found = {one["scenario"]: one for one in report["results"]}
    for number, (fault, words) in enumerate(REFUSED.items()):
        assert found[str(number)]["state"] == "unknown"
        assert f"nothing was done: {fault!r} on db: " in found[str(number)]["reason"]
        assert words in found[str(number)]["reason"]
    assert walled.good("run", "db", "ls -A /srv | grep -c first; true").split()[-1] == "0"
    assert abs(time.time() - time.monotonic() - clock) < 60
    assert shutil.disk_usage("/").free > room - 2**30


@pytest.mark.machines
def test_a_machine_has_a_clock_and_a_disk_of_its_own(new_project: Callable[..., Project]) -> None:
    soon = str(round(time.time()) + 3600)
    faults = {fault: seen.format(soon=soon) for fault, seen in OF_MACHINES.items()}
    faults['the disk "/" is filled to 95 %'] = 'the disk "/" is more than 90 % full'
    project = new_project(STACK.format(provider="qemu", more=""), {"small.sh": SMALL})
    each_is_there_and_gone(project, {**FAULTS, **faults})
