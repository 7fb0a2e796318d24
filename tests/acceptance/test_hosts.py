"""Features on real hosts: real systemd, sshd and nginx, as root and by sudo, at their addresses and by endpoints."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.hosts


def states(report):
    return {result["id"].partition("#")[2] or result["id"]: result["state"] for result in report["results"]}


def reasons(report):
    return "\n".join(step["reason"] for result in report["results"] for step in result["steps"])


def test_services_packages_and_ports_of_both_kinds_of_login(pair):
    report = pair.test(
        """
Feature: hosts
  Scenario: nginx
    Then the package "nginx-light" is installed
    And the package "apache2" is not installed
    And the service "nginx" is running
    And the service "nginx" is enabled
    And the service "systemd-resolved" is masked
    And the service "nonexistent" does not exist
    And port 80 is listening
    And port 81 is not listening
    And the process "nginx" has at least 2 instances
    And the process "sshd" has exactly 1 instances
    And the process "sh" is not running
    And the file "/etc/shadow" is owned by "root"
    And the file "/etc/shadow" contains "root:"
    And the mount "/" exists
    And "http://{host.address}/" answers 200 in less than 2 s
    And "http://127.0.0.1/" answers 200 from the host
    And the command "id -un" exits 0
  Scenario: who asks
    Given the host "user"
    Then the command "id -un" prints exactly "deploy"
    And the command "id -un" as root prints exactly "root"
  Scenario: one host from the other
    Given the host "root"
    Then "http://{host.address}/" answers 200 from "user"
    And "http://{host.user.address}/" answers 200 from every host in "all"
"""
    )
    assert set(states(report).values()) == {"ok"}, reasons(report)
    assert report["cost"]["logins"] == 2
    # Two trips to the host with sudo: what is asked as the login user, and what is asked as root.
    assert report["cost"]["round_trips"] == 3


def test_the_memory_of_a_host_is_what_its_stack_file_says(pair):
    report = pair.test(
        """
Feature: memory
  Scenario: limited
    Given the host "root"
    Then the memory has less than 256 MiB available
    And the memory has at least 16 MiB available
    And the memory is less than 90 % used
  Scenario: told
    Given the host "root"
    Then the memory has more than 256 MiB available
"""
    )
    assert states(report) == {"limited@root": "ok", "told@root": "critical"}, reasons(report)
    assert "of 256 MiB available, the limit of its control group" in reasons(report)


def test_logins_are_counted_as_sshd_counts_them(pair):
    def accepted():
        words = "journalctl -u ssh --no-pager | grep -c 'Accepted publickey' || true"
        return int(pair.good("run", "root", words).rsplit(maxsplit=1)[-1])

    before = accepted()
    report = pair.test('Feature: f\n  Scenario: s\n    Given the host "root"\n    Then the user "root" exists')
    assert report["cost"]["logins"] == 1
    # The second look is a login too.
    assert accepted() - before == 2


def test_an_act_is_undone_when_its_scenario_ends(pair):
    report = pair.test(
        """
Feature: acts
  Scenario: stopped and undone
    Given the host "root"
    When the service "nginx" is stopped
    Then the service "nginx" is not running
    And port 80 is not listening
    And "http://{host.address}/" does not answer
  Scenario: only on one
    When the service "nginx" is stopped on "user"
    Then the service "nginx" is running on exactly one host
"""
    )
    assert set(states(report).values()) == {"ok"}, reasons(report)
    after = pair.test('Feature: f\n  Scenario: s\n    Then the service "nginx" is running within 5 s')
    assert set(states(after).values()) == {"ok"}
    records = pair.journal()
    asked = [record["id"] for record in records if record["what"] == "undo-asked"]
    assert len(asked) >= 2
    assert sorted(asked) == sorted(record["id"] for record in records if record["what"] == "undo-done")


def test_a_fault_whose_run_was_killed_is_undone_by_reap(pair):
    (pair.folder / "fault.feature").write_text(
        """
Feature: f
  Scenario: s
    Given the host "root"
    When the service "nginx" is stopped
    Then the service "nginx" is running within 60 s
""",
        encoding="utf-8",
    )
    command = [str(Path(sys.executable).with_name("infratest")), "test", "fault.feature"]
    going = subprocess.Popen(command, cwd=pair.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while pair.run("run", "root", "systemctl is-active nginx").returncode == 0:
            assert time.monotonic() < end, "nginx was never stopped"
    finally:
        going.kill()
        going.wait()
    pair.good("reap")
    pair.good("run", "root", "systemctl is-active nginx")


def test_a_killed_process_and_a_restart(pair):
    report = pair.test(
        """
Feature: acts
  Scenario: killed
    Given the host "root"
    When the process "nginx" is killed
    Then the process "nginx" is not running within 5 s
    And the service "nginx" is not running within 5 s
    When the service "nginx" is restarted
    Then the service "nginx" is running within 5 s
    And "http://{host.address}/" answers 200 within 5 s
"""
    )
    assert states(report) == {"killed@-": "ok"}, reasons(report)


def test_a_reboot_is_waited_for_and_what_is_enabled_comes_back(pair):
    report = pair.test(
        """
Feature: acts
  Scenario: rebooted
    Given the host "root"
    When the command "touch /run/before" is run
    Then the file "/run/before" exists
    When the host is rebooted
    Then the file "/run/before" does not exist
    And the service "nginx" is running within 20 s
"""
    )
    assert states(report) == {"rebooted@-": "ok"}, reasons(report)


def test_a_host_that_is_halted_blocks_its_results_and_comes_back(pair):
    pair.good("halt", "--host", "user")
    feature = 'Feature: f\n  Scenario: s\n    Then the user "root" exists'
    report = pair.test(feature)
    assert states(report) == {"reachable@user": "critical", "s@root": "ok", "s@user": "unknown"}
    assert report["counts"]["blocked"] == 1
    pair.good("up")
    assert set(states(pair.test(feature)).values()) == {"ok"}


def test_sudo_that_is_not_asked_for_cannot_read_what_only_root_may(pair):
    report = pair.test(
        """
Feature: f
  Scenario: s
    Given the host "user"
    Then the command "cat /etc/shadow" exits 0
"""
    )
    assert states(report) == {"s@user": "critical"}


def test_ready_made_features_hold_on_a_real_host(pair):
    done = pair.run("check", "@linux-baseline")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("INFRATEST OK - pair ")


def test_endpoints_stand_for_addresses_that_are_not_routed(new_project):
    project = new_project(
        """
stack: published
provider: {name: container, endpoints: published}
hosts:
  web: {ports: [80], provision: [{shell: nginx.sh}]}
"""
    )
    report = project.test(
        """
Feature: f
  Scenario: declared
    Then "http://{host.address}/" answers 200
    And "http://{host.address}/" contains "nginx"
  Scenario: not declared
    Then "http://{host.address}:8080/" answers 200
  Scenario: from the host itself
    Then "http://{host.address}/" answers 200 from the host
"""
    )
    assert states(report) == {"declared@web": "ok", "not-declared@web": "unknown", "from-the-host-itself@web": "ok"}
    assert "add it to `ports:`" in reasons(report)
