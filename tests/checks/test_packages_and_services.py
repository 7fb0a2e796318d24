"""What checks of packages and units see in facts; the words are those that someone reads at night."""

from __future__ import annotations

import pytest
from infratest.steps.package import PackageInstalled, PackageVersion
from infratest.steps.service import UnitEnabled, UnitExists, UnitMasked, UnitRunning

from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.facts.package import Package
from infratest.facts.service import Unit
from infratest.facts.unit_file import UnitFile

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


def unit(load="loaded", active="inactive", sub="dead", **more):
    return Unit(id="nginx.service", load=load, active=active, sub=sub, **more)


GONE = unit(load="not-found")
BROKEN = unit(load="bad-setting", error="Unit nginx.service has a bad unit file setting.")
ABSENCE = 'the service "nginx" does not exist: systemd knows no unit nginx.service'


@pytest.mark.parametrize(
    "check, found, holds, saw",
    [
        (UnitRunning, unit(active="active", sub="running"), True, 'the service "nginx" is active (running)'),
        (UnitRunning, unit(active="active", sub="exited"), True, 'the service "nginx" is active (exited)'),
        (UnitRunning, unit(active="reloading", sub="reload"), True, 'the service "nginx" is reloading (reload)'),
        (UnitRunning, unit(active="refreshing", sub="running"), True, 'the service "nginx" is refreshing (running)'),
        (UnitRunning, unit(active="activating", sub="start-pre"), False, "is activating (start-pre)"),
        (UnitRunning, unit(active="activating", sub="auto-restart"), False, "is activating (auto-restart)"),
        (UnitRunning, unit(active="failed", sub="failed"), False, 'the service "nginx" is failed (failed)'),
        (UnitRunning, unit(load="masked"), False, "is inactive (dead) and masked: it cannot be started"),
        (
            UnitRunning,
            unit(load="masked", active="active", sub="running"),
            True,
            'the service "nginx" is active (running)',
        ),
        (UnitRunning, GONE, False, ABSENCE),
        (UnitRunning, unit(load="not-found", active="active", sub="running"), True, "is active (running)"),
        (
            UnitRunning,
            BROKEN,
            False,
            "is inactive (dead); its file could not be loaded (bad-setting): Unit nginx.service",
        ),
        (UnitRunning, unit(load="error"), False, "could not be loaded (error): see systemctl status nginx.service"),
        (UnitRunning, unit(active="active", sub="waiting", next=True), True, "is active (waiting)"),
        (UnitRunning, unit(active="active", sub="running", next=False), True, "is active (running)"),
        (UnitRunning, unit(active="active", sub="elapsed", next=True), True, "is active (elapsed)"),
        (
            UnitRunning,
            unit(active="active", sub="elapsed", next=False),
            False,
            "active (elapsed) and has no next moment",
        ),
        (UnitExists, BROKEN, True, "exists (unit nginx.service, bad-setting); its file could not be loaded"),
        (UnitMasked, unit(load="masked"), True, 'the service "nginx" is masked'),
        (UnitMasked, unit(), False, 'the service "nginx" is not masked (loaded)'),
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


@pytest.mark.parametrize(
    "state, enabled, saw",
    [
        ("enabled", True, 'the service "nginx" is enabled'),
        ("generated", True, 'the service "nginx" is generated'),
        ("disabled", False, 'the service "nginx" is disabled'),
        ("", False, 'the service "nginx" is not enabled: systemd finds no file of the unit nginx.service'),
    ],
)
def test_what_systemctl_says_of_its_files_decides_whether_a_unit_is_enabled(state, enabled, saw):
    facts = {Need("unit-file", ("nginx.service",)): UnitFile(state, enabled)}
    seen = UnitEnabled("nginx").observe(facts)
    assert (seen.holds, seen.saw) == (enabled, saw)


def test_what_systemctl_cannot_say_of_a_unit_is_unknown():
    facts = {Need("unit-file", ("nginx.service",)): UnitFile("", enabled=False, problem="Failed to connect to bus")}
    with pytest.raises(FactError, match="could not tell: Failed to connect to bus"):
        UnitEnabled("nginx").observe(facts)


def test_a_unit_is_asked_by_its_full_name():
    assert UnitEnabled("nginx@").needs() == (Need("unit-file", ("nginx@.service",)),)
    assert UnitRunning("nginx").needs() == (Need("service", ("nginx.service",)),)
    assert UnitRunning("nginx.socket").needs() == (Need("service", ("nginx.socket",)),)
    assert UnitRunning("backup", ".timer").needs() == (Need("service", ("backup.timer",)),)
    assert UnitRunning("php8.2-fpm").needs() == (Need("service", ("php8.2-fpm.service",)),)
