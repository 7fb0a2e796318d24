"""Sentences about systemd units: services and timers."""

from __future__ import annotations

from infratest.checks.services import UnitEnabled, UnitExists, UnitMasked, UnitRunning
from infratest.gherkin.sentence import check

TIMER = ".timer"


@check(
    'the service "{name}" exists',
    negation='the service "{name}" does not exist',
    example='the service "nginx" exists',
)
def service_exists(name: str) -> UnitExists:
    """systemd knows the unit; a name without a suffix is a `.service`."""
    return UnitExists(name)


@check(
    'the service "{name}" is running',
    negation='the service "{name}" is not running',
    example='the service "nginx" is running',
)
def service_running(name: str) -> UnitRunning:
    """The unit is active, as `systemctl is-active` says."""
    return UnitRunning(name)


@check(
    'the service "{name}" is enabled',
    negation='the service "{name}" is not enabled',
    example='the service "nginx" is enabled',
)
def service_enabled(name: str) -> UnitEnabled:
    """The unit starts at boot, as `systemctl is-enabled` says of its files; a static unit counts as enabled."""
    return UnitEnabled(name)


@check(
    'the service "{name}" is masked',
    negation='the service "{name}" is not masked',
    example='the service "telnet" is masked',
)
def service_masked(name: str) -> UnitMasked:
    """The unit cannot be started at all."""
    return UnitMasked(name)


@check('the timer "{name}" exists', negation='the timer "{name}" does not exist', example='the timer "backup" exists')
def timer_exists(name: str) -> UnitExists:
    """systemd knows the timer."""
    return UnitExists(name, TIMER)


@check(
    'the timer "{name}" is running',
    negation='the timer "{name}" is not running',
    example='the timer "backup" is running',
)
def timer_running(name: str) -> UnitRunning:
    """The timer is active and has a next moment, or what it starts runs."""
    return UnitRunning(name, TIMER)


@check(
    'the timer "{name}" is enabled',
    negation='the timer "{name}" is not enabled',
    example='the timer "backup" is enabled',
)
def timer_enabled(name: str) -> UnitEnabled:
    """The timer starts at boot."""
    return UnitEnabled(name, TIMER)
