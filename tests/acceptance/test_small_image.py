"""Features on a host that has a shell and nothing else that they know: what cannot be known is unknown, in words."""

from __future__ import annotations

import pytest

from tests.worlds.registry import SERVICE, small_root

pytestmark = pytest.mark.hosts

STACK = f"""
stack: small
provider: container
hosts:
  web: {{image: small.tar, command: "{" ".join(SERVICE)}"}}
"""


@pytest.fixture(scope="module")
def small(new_project):
    return new_project(STACK, {"small.tar": small_root()})


def states(report):
    return {one["scenario"]: (one["state"], [step["reason"] for step in one["steps"]][-1]) for one in report["results"]}


def test_what_is_there_is_known_and_what_nobody_can_say_is_unknown(small):
    report = small.test(
        """
Feature: small
  Scenario: what every host can say
    Then the process "httpd" is running
    And port 80 is listening
    And the file "/etc/os-release" contains "ID=small"
    And the file "/etc/nowhere" does not exist
    And the user "root" exists
    And the mount "/" exists
    And the disk "/" is less than 100 % full
    And the memory is less than 100 % used
    And "http://{host.address}/" answers 200
  Scenario: a service
    Then the service "nginx" is running
  Scenario: no service
    Then the service "nginx" is not running
  Scenario: a package
    Then the package "nginx" is installed
  Scenario: no package
    Then the package "nginx" is not installed
"""
    )
    services = (
        "service could not be read: services are known on systemd, OpenRC, SysV init and runit alone, and process 1 of "
        "this host is httpd"
    )
    packages = (
        "package could not be read: no package manager with a database that is known here (dpkg, rpm, apk, pacman)"
    )
    assert states(report) == {
        "what every host can say": ("ok", ""),
        "a service": ("unknown", services),
        "no service": ("unknown", services),
        "a package": ("unknown", packages),
        "no package": ("unknown", packages),
    }
    assert report["exit"] == 3
