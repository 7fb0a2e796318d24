"""The table of orphans has what the kills saw, and names a provider whose kills were not run."""

from __future__ import annotations

import pytest

from benchmarks import table
from benchmarks.cases import orphans
from benchmarks.problem import BenchError


def kill(verb: str, **seen: object) -> dict[str, object]:
    nothing = {"state lost": False, "orphans": [], "duplicates": [], "foreign": []}
    return {"provider": "simulator", "verb": verb, "point": "before record end #1", **nothing, **seen}


def test_a_row_has_what_the_kills_of_its_verb_saw():
    records = [
        kill("up"),
        kill("up", orphans=["host db host-1", "network kill network-1"]),
        kill("up", foreign=["host-7"], **{"state lost": True}),
        kill("snapshot save kept", duplicates=["host db"]),
    ]
    rows = orphans._rows("simulator", records)
    assert [(row.setting, row.name) for row in rows] == [("simulator", "up"), ("simulator", "snapshot save")]
    up, save = (row.more for row in rows)
    assert (up["kills"], up["state lost"], up["orphans"], up["duplicates"], up["foreign"]) == (3, 1, 2, 0, 1)
    assert (save["kills"], save["state lost"], save["orphans"], save["duplicates"], save["foreign"]) == (1, 0, 0, 1, 0)


def test_a_provider_that_is_not_run_keeps_its_rows_and_one_that_never_was_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    monkeypatch.setattr(table, "RESULTS", tmp_path / "results.json")
    first = orphans.composed({"simulator": orphans._rows("simulator", [kill("up")])}, [])
    text = table.keep("orphans", orphans.TITLE, first, 1.0)
    assert "| simulator | up | 1 | 1 | 0 | 0 | 0 | 0 |" in text
    assert "| qemu | all (not run yet) | 0 |" in text
    second = orphans.composed({"qemu": [row.__class__(**{**vars(row), "setting": "qemu"})
                                        for row in orphans._rows("simulator", [kill("halt")])]}, [])  # fmt: skip
    text = table.keep("orphans", orphans.TITLE, second, 1.0)
    assert "| simulator | up | 1 | 1 | 0 | 0 | 0 | 0 |" in text
    assert "| qemu | halt | 1 | 1 | 0 | 0 | 0 | 0 |" in text
    assert "not run yet" in text


def test_a_provider_that_is_not_there_is_told():
    with pytest.raises(BenchError, match="no provider is named vmware: there are container, simulator"):
        orphans.run(only=["vmware"])
