"""Hosts of every image that comes with the package, side by side in one stack: they boot, and are what they say.

An image that nobody has made yet takes a minute to make: `./run test` has one of each distribution, and
`./run test-machines` has the others.
"""

from __future__ import annotations

import pytest

from infratest.images.recipe import names

pytestmark = pytest.mark.hosts

#: What each says of itself in os-release: written here by hand.
RELEASES = {
    "debian-11": ("debian", "11", "bullseye"),
    "debian-12": ("debian", "12", "bookworm"),
    "debian-13": ("debian", "13", "trixie"),
    "ubuntu-22.04": ("ubuntu", "22.04", "jammy"),
    "ubuntu-24.04": ("ubuntu", "24.04", "noble"),
}


OTHERS = ("debian-11", "debian-13", "ubuntu-22.04")
COMMON = [name for name in RELEASES if name not in OTHERS]


def label(name):
    return name.replace(".", "-")


def stack_of(chosen, new_project):
    hosts = "".join(
        f"  {label(name)}: {{image: {name}, user: {'root' if name.startswith('debian') else 'deploy'}, "
        f"sudo: {str(not name.startswith('debian')).lower()}, provision: [{{shell: nginx.sh}}]}}\n"
        for name in chosen
    )
    return new_project(f"stack: images\nprovider: container\nhosts:\n{hosts}")


@pytest.fixture(scope="module")
def common(new_project):
    return stack_of(COMMON, new_project)


@pytest.fixture(scope="module")
def others(new_project):
    return stack_of(OTHERS, new_project)


def test_every_recipe_is_looked_at_here():
    assert names() == sorted(RELEASES)


@pytest.mark.parametrize("name", COMMON)
def test_a_host_of_an_image_boots_and_is_what_it_says(common, name):
    looked_at(common, name)


@pytest.mark.machines
@pytest.mark.parametrize("name", OTHERS)
def test_a_host_of_another_image_boots_and_is_what_it_says(others, name):
    looked_at(others, name)


def looked_at(mixed, name):
    distribution, version, codename = RELEASES[name]
    report = mixed.test(
        f"""
Feature: images
  Background:
    Given the host "{label(name)}"
  Scenario: it is what it says
    Then the file "/etc/os-release" contains "ID={distribution}"
    And the file "/etc/os-release" contains "VERSION_ID=\\"{version}\\""
    And the file "/etc/os-release" contains "VERSION_CODENAME={codename}"
  Scenario: systemd is whole
    Then the command "systemctl is-system-running" as root prints exactly "running" within 30 s
    And the command "systemctl --failed --no-legend --plain" prints exactly ""
  Scenario: it has a key of its own, and no password lets anybody in
    Then the service "ssh" is running
    And the service "ssh" is enabled
    And the process "sshd" has exactly 1 instances
    And the file "/etc/ssh/ssh_host_ed25519_key" has mode "0600"
    And the command "sshd -T" as root prints "passwordauthentication no"
  Scenario: packages come from the distribution's own archive
    Then the package "nginx-light" is installed
    And the service "nginx" is running
    And "http://{{host.address}}/" answers 200
"""
    )
    wrong = [f"{one['id']}: {step['reason']}" for one in report["results"] for step in one["steps"] if step["reason"]]
    assert [one["state"] for one in report["results"]] == ["ok"] * 4, wrong
