"""The record of what tests asked: whole, private and bounded, or nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from infratest.pytest_plugin.record import FILE, LARGEST, LONGEST, MOST, Entry, Record
from infratest.store.directory import StateDir

KNOWN = {"a": Entry({"/far": ["test -e x", "stat é"]}), "b": Entry({"/far": ["id root"]}, ends=True)}


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path / "state")
    Record(state).save(KNOWN)
    return state


def test_what_is_kept_is_known_again(state):
    assert Record(state).load() == KNOWN
    Record(state).save({"a": Entry({"/far": ["test -e y"]}), "c": Entry({"/near": ["id"]})})
    assert Record(state).load() == {
        "b": KNOWN["b"],
        "a": Entry({"/far": ["test -e y"]}),
        "c": Entry({"/near": ["id"]}),
    }


def test_a_test_that_asks_nothing_any_more_is_forgotten(state):
    Record(state).save({"a": Entry()})
    assert Record(state).load() == {"b": KNOWN["b"]}


def test_it_is_private(state):
    path = state.path / FILE
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("fault", ["file's owner", "folder's owner", "file's mode", "folder's mode", "link", "absent"])
def test_what_another_could_have_written_is_not_read(state, fault):
    path = state.path / FILE
    place = path.parent if fault.startswith("folder") else path
    if fault.endswith("owner"):
        os.chown(place, 65534, 65534)
    elif fault.endswith("mode"):
        place.chmod(place.stat().st_mode | 0o020)
    else:
        path.rename(path.with_name("elsewhere"))
    if fault == "link":
        path.symlink_to("elsewhere")
    assert Record(state).load() == {}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_another_versions_is_not_read(state, place):
    path = state.path / FILE
    held = json.loads(path.read_text())
    held["versions"][place] = "0"
    path.write_text(json.dumps(held))
    assert Record(state).load() == {}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "\xff", '{"versions": 1}', '{"tests": {}}', "[" * 100000, " " * (LARGEST + 1)]
)
def test_what_is_broken_is_not_read(state, text):
    (state.path / FILE).write_text(text, "latin-1")
    assert Record(state).load() == {}


@pytest.mark.parametrize("entry", ["1", '{"asked": 1, "ends": false}', '{"asked": {"h": 1}, "ends": 0}', "{}"])
def test_entries_that_are_broken_are_not_read(state, entry):
    path = state.path / FILE
    held = json.loads(path.read_text())
    held["tests"]["a"] = json.loads(entry)
    path.write_text(json.dumps(held))
    assert Record(state).load() == {}


def test_every_cut_is_no_record(state):
    path = state.path / FILE
    data = path.read_bytes()
    for length in range(len(data) - 1):
        path.write_bytes(data[:length])
        assert Record(state).load() == {}


def test_it_is_bounded(state):
    entry = Entry()
    for number in range(MOST + 10):
        entry.ask("/far", f"test -e {number}")
    entry.ask("/near", "x" * (LONGEST + 1))
    assert len(entry.asked["/far"]) == MOST
    assert entry.asked["/near"] == []
    long = Entry({"/far": ["é" * 4000] * 60})
    for number in range(3):
        Record(state).save({f"{number}": long})
    assert (state.path / FILE).stat().st_size <= LARGEST
    assert Record(state).load() == {"2": long}  # the newest are kept
    Record(state).save({"3": Entry({"/far": ["x" * 4000] * 1000})})
    assert Record(state).load() == {}


def test_where_nothing_can_be_written_nothing_is_lost(tmp_path):
    (tmp_path / "state").write_text("in the way")
    Record(StateDir(tmp_path / "state")).save(KNOWN)
    assert Record(StateDir(tmp_path / "state")).load() == {}
