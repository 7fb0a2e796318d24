"""DESIGN's table of states, as data, and the order of states."""

from __future__ import annotations

from itertools import permutations

import pytest

from infratest import errors
from infratest.states import EXIT, HAPPENED, WORST_FIRST, failed, worst

TABLE = {
    "met": ("ok", 0),
    "outside the warning threshold": ("warning", 1),
    "not met in a scenario tagged warning": ("warning", 1),
    "not met": ("critical", 2),
    "subject refuses, is absent or passes its limit": ("critical", 2),
    "host cannot be reached": ("critical", 2),
    "way in fails": ("unknown", 3),
    "answer not readable": ("unknown", 3),
    "own deadline": ("unknown", 3),
    "plugin's bug": ("unknown", 3),
    "undefined step, parse or import error": ("unknown", 3),
    "nothing selected, no steps, everything skipped or waived": ("unknown", 3),
    "stale result": ("unknown", 3),
    "wrong use": ("unknown", 3),
    "skipped": ("skipped", 3),
    "a failure with a valid waiver": ("waived", 3),
    "an expired or unused waiver": ("critical", 2),
}

ERRORS = {
    "InfratestError": "unknown", "UserError": "unknown", "StackFileError": "unknown", "FeatureError": "unknown",
    "NoFeature": "unknown", "NothingSelected": "unknown",
    "UnknownName": "unknown", "NotInThisVersion": "unknown", "StateError": "unknown", "ProviderError": "unknown",
    "TransportError": "unknown", "Unreachable": "critical", "AccessRefused": "unknown", "HostKeyRefused": "unknown",
    "ConnectionLost": "unknown", "DeadlineExceeded": "unknown", "FactError": "unknown", "HealError": "unknown",
    "SendError": "unknown", "ActError": "unknown", "InventoryError": "unknown", "NoShell": "unknown",
    "NotInstalled": "unknown", "SecretInFeature": "unknown", "NotKept": "unknown", "StoreDamaged": "unknown",
    "LeaseLost": "unknown", "InUse": "unknown", "Ended": "unknown", "NoStore": "unknown",
}  # fmt: skip


def test_the_table():
    assert {what: (state, EXIT[state]) for what, state in HAPPENED.items()} == TABLE


def test_every_error_has_its_state():
    found = {
        name: value.state
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.InfratestError)
    }
    assert found == ERRORS


@pytest.mark.parametrize(
    "states, expected",
    [
        ([], "unknown"),
        (["skipped"], "unknown"),
        (["ok"], "ok"),
        (["ok", "skipped"], "ok"),
        (["waived"], "unknown"),
        (["waived", "skipped"], "unknown"),
        (["ok", "waived"], "ok"),
        (["warning", "waived"], "warning"),
        (["unknown", "waived", "ok"], "unknown"),
        (["ok", "warning"], "warning"),
        (["warning", "unknown"], "unknown"),
        (["unknown", "critical"], "critical"),
        (["ok", "warning", "unknown", "critical", "skipped"], "critical"),
        (["ok", "OK"], "unknown"),
        (["ok", ""], "unknown"),
    ],
)
def test_worst(states, expected):
    for order in permutations(states):
        assert worst(order) == expected


def test_worst_first():
    assert WORST_FIRST == ("critical", "unknown", "warning", "ok", "waived", "skipped")


@pytest.mark.parametrize("severity, state", [("warning", "warning"), ("critical", "critical"), ("", "critical")])
def test_failed(severity, state):
    assert failed(severity) == state
