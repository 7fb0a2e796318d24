"""What lists of a host come to as sentences."""

from __future__ import annotations

from infratest.facts.unit_list import ListedUnit, UnitList
from infratest.learn.subjects import UNITS, sentences


def test_timers_that_run_or_will_at_the_next_boot_and_services_that_are_masked_are_learned():
    units = (
        ListedUnit("apt-daily.timer", "enabled", "waiting"), ListedUnit("backup.timer", "enabled"),
        ListedUnit("at-once.timer", "static", "running"), ListedUnit("once.timer", "disabled", "elapsed"),
        ListedUnit("run-u7.timer", "transient", "waiting"), ListedUnit("logrotate@.timer", "enabled"),
        ListedUnit("telnet.service", "masked"), ListedUnit("cups.socket", "masked"),
    )  # fmt: skip
    values = {UNITS: UnitList("systemd", units)}
    assert sentences("timers", values) == [
        'the timer "apt-daily" is running', 'the timer "at-once" is running', 'the timer "apt-daily" is enabled',
        'the timer "backup" is enabled',
    ]  # fmt: skip
    assert sentences("services", values) == ['the service "telnet" is masked']
    assert sentences("timers", {}) == []
