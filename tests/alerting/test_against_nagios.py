"""Soft and hard as `advance` has them, against the real Nagios 4: the same results fed to both."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import pytest

from infratest.alerting.moments import Moment
from infratest.alerting.policy import Attempts, Policy
from infratest.alerting.status import Look, advance, begun
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING
from infratest.testing.waiting import wait_until
from tests.worlds.monitoring_tools import LONG, nagios, status

NUMBERS = {OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3}
STATES = {str(number): state for state, number in NUMBERS.items()}
#: Results in a row, and after how many failures one is hard.
Story = tuple[tuple[str, ...], int]


def by_nagios(folder: Path, stories: list[Story]) -> list[list[str]]:
    """Return the hard state after each result of each story, by Nagios: a passive service for each."""
    services = [
        "define service {\n    host_name h\n    check_command infratest-validation\n    active_checks_enabled 0\n"
        f"    service_description s{place}\n    max_check_attempts {attempts}\n    check_interval 1\n"
        "    retry_interval 1\n}\n"
        for place, (_, attempts) in enumerate(stories)
    ]
    host = "define host {\n    host_name h\n    address 127.0.0.1\n    max_check_attempts 1\n}\n"
    hard: list[list[str]] = [[] for _ in stories]
    with nagios(folder, {"all.cfg": host + "".join(services)}) as running:
        for step in range(max(len(results) for results, _ in stories)):
            fed = {place: results[step] for place, (results, _) in enumerate(stories) if step < len(results)}
            for place, state in fed.items():
                running.command("PROCESS_SERVICE_CHECK_RESULT", "h", f"s{place}", str(NUMBERS[state]), f"step {step}")
            assert wait_until(lambda fed=fed, step=step: _arrived(running.folder, fed, step), LONG)
            for place, about in _services(running.folder).items():
                if place in fed:
                    hard[place].append(_hard(about))
    return hard


def _arrived(folder: Path, fed: dict[int, str], step: int) -> bool:
    found = _services(folder)
    return all(found.get(place, {}).get("plugin_output") == f"step {step}" for place in fed)


def _services(folder: Path) -> dict[int, dict[str, str]]:
    blocks = status(folder / "status.dat")
    return {int(about["service_description"][1:]): about for kind, about in blocks if kind == "servicestatus"}


def _hard(about: dict[str, str]) -> str:
    return STATES[about["current_state" if about["state_type"] == "1" else "last_hard_state"]]


def by_us(story: Story) -> list[str]:
    """Return the hard state after each result, by `advance`."""
    results, attempts = story
    policy = Policy(attempts=Attempts(attempts, attempts), flap=None)
    now, hard = begun(Moment(0.0, 0.0)), []
    for step, state in enumerate(results, 1):
        now = advance(now, Look(Moment(float(step), float(step)), state), policy)
        hard.append(now.state)
    return hard


@pytest.mark.timeout(600)
def test_what_is_known_is_soft_and_hard_as_nagios_has_it(tmp_path):
    known = (OK, WARNING, CRITICAL)
    stories: list[Story] = [(results, 2) for results in product(known, repeat=4)]
    random = Random(7)
    stories += [(tuple(random.choices(known, k=12)), random.randint(1, 4)) for _ in range(120)]
    for story, hard in zip(stories, by_nagios(tmp_path, stories), strict=True):
        assert by_us(story) == hard, story


#: What docs/exports.md lists: to Nagios not to know is a failure as another one.
DIFFERENT: list[tuple[Story, list[str], list[str]]] = [
    (((CRITICAL, UNKNOWN, CRITICAL), 3), [OK, OK, CRITICAL], [OK, OK, OK]),
    (((CRITICAL, CRITICAL, UNKNOWN), 2), [OK, CRITICAL, UNKNOWN], [OK, CRITICAL, CRITICAL]),
    (((UNKNOWN, CRITICAL), 2), [OK, CRITICAL], [OK, OK]),
    (((CRITICAL, UNKNOWN, CRITICAL, CRITICAL), 2), [OK, UNKNOWN, CRITICAL, CRITICAL], [OK, OK, CRITICAL, CRITICAL]),
]


@pytest.mark.timeout(600)
def test_what_is_not_known_neither_confirms_nor_heals_here(tmp_path):
    assert by_nagios(tmp_path, [story for story, _, _ in DIFFERENT]) == [theirs for _, theirs, _ in DIFFERENT]
    assert [by_us(story) for story, _, _ in DIFFERENT] == [ours for _, _, ours in DIFFERENT]
