"""Each rule of the monitor broken on purpose: a copy of the package with one line changed does not survive.

A copy has the stories first, and where none ends otherwise, lives of the machine until one of them ends badly. A copy
that gets through has a rule that nothing holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.alerting.copies import broken, whole
from tests.alerting.machine import Life
from tests.alerting.test_stories import STORIES

LIVES = settings(
    max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True,
    report_multiple_bugs=False, phases=(Phase.generate,), database=None, print_blob=False,
)  # fmt: skip

MUTANTS = {
    name: (file, *texts)
    for file, those in tomllib.loads(Path(__file__).with_name("mutants.toml").read_text("utf-8")).items()
    for name, texts in those.items()
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_monitor_with_a_broken_rule_does_not_survive(name):
    with broken(*MUTANTS[name]) as copy:
        lives = type("Life", (Life,), {"our": copy})
        assert any(ends_badly(lambda tale=tale: tale(copy)) for tale in STORIES.values()) or ends_badly(
            lambda: run_state_machine_as_test(lives, settings=LIVES)
        ), f"nothing notices that {name}"


def test_a_copy_with_nothing_broken_survives():
    with broken("status", "Pure; called by the monitor.", "Pure.") as copy:
        assert copy.status.advance is not whole().status.advance
        for tale in STORIES.values():
            tale(copy)
        short = settings(LIVES, max_examples=20)
        run_state_machine_as_test(type("Life", (Life,), {"our": copy}), settings=short)


def ends_badly(tale: Callable[[], None]) -> bool:
    """Whether it ends with an error, of whatever kind; what the user or pytest ends is neither."""
    try:
        tale()
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - however it ends
        return True
    return False
