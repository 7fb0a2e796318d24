"""What checks of packages and units see in facts; the words are those that someone reads at night."""

from __future__ import annotations

import pytest

from infratest.checks.packages import PackageInstalled, PackageVersion
from infratest.checks.services import UnitEnabled, UnitExists, UnitMasked, UnitRunning
from infratest.facts.base import Need
from infratest.found import Package, Unit

ABSENT = Package(manager="dpkg", installed=False)
REMOVED = Package(manager="dpkg", installed=False, version="1.22.1-9", state="config-files, deinstall")
NGINX = Package(manager="dpkg", installed=True, version="1:1.22.1-9+deb12u1", state="installed")


def package(check, found):
    return check.observe({Need("package", (check.name,)): found})


@pytest.mark.parametrize(
    "found, holds, saw",
    [
        (ABSENT, False, 'the package "nginx" is not installed (known to dpkg as: unknown)'),
        (REMOVED, False, 'the package "nginx" is not installed (known to dpkg as: config-files, deinstall)'),
        (NGINX, True, 'the package "nginx" is installed in version 1:1.22.1-9+deb12u1'),
    ],
)
def test_installed(found, holds, saw):
    seen = package(PackageInstalled("nginx"), found)
    assert (seen.holds, seen.saw, seen.number, seen.absent) == (holds, saw, None, False)


@pytest.mark.parametrize(
    "installed, version, holds",
    [
        ("1:1.22.1-9+deb12u1", "1:1.22.1-9+deb12u1", True),
        ("1:1.22.1-9+deb12u1", "1.22.1-9+deb12u1", True),
        ("1:1.22.1-9+deb12u1", "1.22.1", True),
        ("1:1.22.1-9+deb12u1", "1.22", False),
        ("1:1.22.1-9+deb12u1", "1.22.1-9", False),
        ("1:1.22.1-9+deb12u1", "", False),
        ("1.24.0", "1.24.0", True),
        ("1.2-rc1-3", "1.2-rc1", True),
        ("1.36.1-r15", "1.36.1", True),
    ],
)
def test_version_is_exact_but_may_leave_out_what_the_distribution_added(installed, version, holds):
    found = Package(manager="x", installed=True, version=installed, state="installed")
    seen = package(PackageVersion("nginx", version), found)
    assert (seen.holds, seen.saw) == (holds, f'the package "nginx" has version {installed}')


def test_version_of_a_package_that_is_only_known():
    seen = package(PackageVersion("nginx", "1.22.1"), REMOVED)
    assert (seen.holds, seen.absent) == (False, True)  # neither it nor its negation is met


def unit(load="loaded", active="inactive", sub="dead", file="disabled", links=False):
    return Unit(id="nginx.service", load=load, active=active, sub=sub, file=file, boot_links=links)


GONE = unit(load="not-found", file="")
ABSENCE = 'the service "nginx" does not exist: systemd knows no unit nginx.service'


@pytest.mark.parametrize(
    "check, found, holds, saw",
    [
        (UnitRunning, unit(active="active", sub="running"), True, 'the service "nginx" is active (running)'),
        (UnitRunning, unit(active="active", sub="exited"), True, 'the service "nginx" is active (exited)'),
        (UnitRunning, unit(active="reloading", sub="reload"), True, 'the service "nginx" is reloading (reload)'),
        (UnitRunning, unit(active="activating", sub="start-pre"), False, "is activating (start-pre)"),
        (UnitRunning, unit(active="activating", sub="auto-restart"), False, "is activating (auto-restart)"),
        (UnitRunning, unit(active="failed", sub="failed"), False, 'the service "nginx" is failed (failed)'),
        (UnitRunning, unit(load="masked", file="masked"), False, "is inactive (dead) and masked: it cannot be started"),
        (
            UnitRunning,
            unit(load="masked", active="active", sub="running"),
            True,
            'the service "nginx" is active (running)',
        ),
        (UnitRunning, GONE, False, ABSENCE),
        (UnitRunning, unit(load="not-found", active="active", sub="running", file=""), True, "is active (running)"),
        (UnitEnabled, unit(file="enabled"), True, 'the service "nginx" is enabled'),
        (UnitEnabled, unit(file="enabled-runtime"), True, "enabled-runtime"),
        (UnitEnabled, unit(file="static"), True, "static"),
        (UnitEnabled, unit(file="alias"), True, "alias"),
        (UnitEnabled, unit(file="indirect"), True, "indirect"),
        (UnitEnabled, unit(file="disabled"), False, 'the service "nginx" is disabled'),
        (UnitEnabled, unit(file="linked"), False, "linked"),
        (UnitEnabled, unit(load="masked", file="masked"), False, "masked"),
        (UnitEnabled, unit(file="transient"), False, "transient"),
        (UnitEnabled, unit(file="generated", links=True), True, "a System V script with links in a runlevel"),
        (UnitEnabled, unit(file="generated"), False, "a System V script with no links in a runlevel"),
        (UnitEnabled, unit(file="disabled", links=True), False, "disabled"),
        (UnitEnabled, GONE, False, ABSENCE),
        (UnitMasked, unit(load="masked", file="masked"), True, 'the service "nginx" is masked (masked)'),
        (UnitMasked, unit(file="enabled"), False, 'the service "nginx" is not masked (enabled)'),
        (UnitMasked, GONE, False, ABSENCE),
        (UnitExists, unit(), True, "exists"),
        (UnitExists, unit(load="masked"), True, "exists (unit nginx.service, masked)"),
        (UnitExists, GONE, False, ABSENCE),
    ],
)
def test_units(check, found, holds, saw):
    seen = check("nginx").observe({Need("service", ("nginx.service",)): found})
    assert seen.holds is holds
    assert saw in seen.saw


def test_a_unit_is_asked_by_its_full_name():
    assert UnitRunning("nginx").needs() == (Need("service", ("nginx.service",)),)
    assert UnitRunning("nginx.socket").needs() == (Need("service", ("nginx.socket",)),)
    assert UnitRunning("backup", ".timer").needs() == (Need("service", ("backup.timer",)),)
    assert UnitRunning("php8.2-fpm").needs() == (Need("service", ("php8.2-fpm.service",)),)
