"""Limits are held as they are written, and what was found ends up in the table."""

from __future__ import annotations

import json

import pytest

from benchmarks import mix, table
from benchmarks.figures import Figure, Must, Outcome


@pytest.mark.parametrize(
    "limit, got, least, met, verdict",
    [
        (2.5, 2.5, False, True, "met"),
        (2.5, 5.0, False, False, "**not met**, 2.0 x off"),
        (15, 15, True, True, "met"),
        (15, 5, True, False, "**not met**, 3.0 x off"),
        (0, 0, False, True, "met"),
        (0, 2, False, False, "**not met**: 2 s"),
    ],
)
def test_a_limit(limit, got, least, met, verdict):
    must = Must(what="x", limit=limit, got=got, unit="s", least=least)
    assert must.met is met
    assert must.verdict == verdict


def test_what_was_found_is_kept_beside_what_was_known(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    monkeypatch.setattr(table, "RESULTS", tmp_path / "results.json")
    outcome = Outcome(
        figures=[Figure(setting="1 check", name="ours", rounds=3, cpu=12.34, more={"target ms": 250.0})],
        musts=[Must(what="cold", limit=1, got=2, unit="s")], missing=["goss"], notes=["as it was"],
    )  # fmt: skip
    text = table.keep("one", "One", outcome, 5.0)
    assert "| 1 check | ours | 3 | 12.3 | 250 |" in text
    assert "- Not to be had here: goss" in text
    table.keep("two", "Two", Outcome(), 1.0)
    assert sorted(json.loads((tmp_path / "results.json").read_text())) == ["one", "two"]


def test_a_hundred_checks_in_every_language():
    found = mix.checks(mix.COUNTS, range(1001, 1009))
    assert len(found) == len(set(found)) == 100
    assert mix.feature(found, 5).count("Scenario:") == 20
    assert mix.feature(found, 1).count("    Then ") == 100
    assert mix.testinfra(found).count("def test_") == 100
    assert mix.serverspec(found).count("describe") == 100
    assert len([check for check in found if check.said(mix.SHELL)]) == 100
    compile(mix.testinfra(found), "test_mix.py", "exec")


def test_twenty_checks():
    assert len(mix.checks(mix.TWENTY, [22])) == 20
