"""What the monitor at work is measured by: a share of values, notices that are counted, and the probes, in small."""

from __future__ import annotations

import json

import pytest

from benchmarks.monitors import percentile
from benchmarks.probes import stored, turns
from benchmarks.takeover import Told, counts


@pytest.mark.parametrize(
    "values, share, found",
    [([3, 1, 2], 0.5, 2), ([7], 0.99, 7), (range(1, 101), 0.95, 95), (range(1, 21), 0.95, 19), ([1, 2], 1.0, 2)],
)
def test_a_percentile_is_one_of_the_values(values, share, found):
    assert percentile(list(values), share) == found


@pytest.mark.parametrize(
    "told, doubled, again",
    [
        ("problem:a recovery:b problem:c", 0, 0),
        ("problem:a problem:a recovery:b", 0, 1),
        ("problem:a problem:b recovery:c", 1, 0),
        ("problem:a recovery:b problem:a recovery:c", 1, 1),
    ],
)
def test_a_notice_that_says_what_was_said_by_another_key_is_doubled(told, doubled, again):
    notices = [Told(key, kind) for kind, _, key in (each.partition(":") for each in told.split())]
    assert counts(notices) == (doubled, again)


def test_a_store_made_of_few_blocks_gives_each_series_its_own(tmp_path, monkeypatch):
    hours = 26
    for name, value in {"HOURS": hours, "MONTH": hours * 3600, "DAYS": 6, "MONTHS": 4, "COMPARED": 1}.items():
        monkeypatch.setattr(stored, name, value)
    made = stored.make(hours * 60 * 9, tmp_path / "state")
    assert (made["series"], made["numbers"]) == (9, 9 * hours * 60)
    found = stored.ask(hours * 60 * 9, tmp_path / "state")  # which ends by itself where an answer is another one
    assert {name: len(took) for name, took in found.items()} == {"day": 6, "month": 4}


def test_the_loop_of_a_monitor_looks_at_each_once_a_minute(tmp_path, capsys):
    turns.main(60, 2, tmp_path / "state")  # and ends by itself where anything is told or written otherwise
    assert 120 <= json.loads(capsys.readouterr().out)["runs"] <= 120 + 60
