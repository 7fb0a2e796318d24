"""Which unit a sentence about a service asks for."""

from __future__ import annotations

from infratest.steps.service import UnitEnabled, UnitRunning

from infratest.facts.base import Need


def test_a_unit_is_asked_by_its_full_name():
    assert UnitEnabled("nginx@").needs() == (Need("unit-file", ("nginx@.service",)),)
    assert UnitRunning("nginx").needs() == (Need("service", ("nginx.service",)),)
    assert UnitRunning("nginx.socket").needs() == (Need("service", ("nginx.socket",)),)
    assert UnitRunning("backup", ".timer").needs() == (Need("service", ("backup.timer",)),)
    assert UnitRunning("php8.2-fpm").needs() == (Need("service", ("php8.2-fpm.service",)),)
