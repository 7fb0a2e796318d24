"""What was on a host before it was provisioned: kept once in its life, anew for another machine, never guessed."""

from __future__ import annotations

import json

import pytest

from infratest.deadline import Deadline
from infratest.errors import InfratestError, StateError
from infratest.hosts import Host
from infratest.learn.baseline import read, record
from infratest.learn.inventory import KINDS
from infratest.store.directory import StateDir

HERE = Host(name="web", transport="local")


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Where this machine is kept, as machine `a`."""
    made = StateDir(tmp_path_factory.mktemp("kept") / "state")
    record(made, "shop/dev", HERE, "a", 0.0, Deadline(60))
    return made


def test_this_machine_is_kept_with_all_that_can_be_seen_of_it(state):
    kept = read(state, "shop/dev", "web")
    assert kept.id == "a"
    assert {*kept.inventory.kinds, *kept.inventory.unknown} == set(KINDS)
    assert "root" in kept.inventory.kinds["users"]
    # Where much is to be read and others are at work, files may be among what is not known.
    shadow = kept.inventory.kinds.get("files", {}).get("/etc/shadow", {})
    assert set(shadow) <= {"kind", "mode", "owner", "group"}
    assert (state.path / "facts" / "shop@dev" / "before-web.json").stat().st_mode & 0o777 == 0o600
    assert read(state, "shop/prod", "web") is None


def test_it_stays_while_the_host_lives(state):
    before = read(state, "shop/dev", "web")
    record(state, "shop/dev", HERE, "a", before.time - 1, Deadline(60))
    assert read(state, "shop/dev", "web") == before


@pytest.mark.parametrize("id, begun", [("b", 0.0), ("a", 1e12)], ids=["another machine", "begun anew"])
def test_of_another_machine_it_is_asked_anew(state, id, begun):
    nowhere = Host(name="web", transport="ssh", address="", routed=False)
    with pytest.raises(InfratestError):
        record(state, "shop/dev", nowhere, id, begun, Deadline(5))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}', '{"schema": 1, "id": "a", "time": 1}'])
def test_what_this_version_cannot_read_is_nothing(tmp_path, text):
    state = StateDir(tmp_path / "state")
    state.write("facts/shop/before-web.json", text)
    assert read(state, "shop", "web") is None


def test_what_may_not_be_read_is_told(tmp_path):
    state = StateDir(tmp_path / "state")
    (state.path / "facts" / "shop" / "before-web.json").mkdir(parents=True)
    with pytest.raises(StateError, match=r"before-web\.json"):
        read(state, "shop", "web")


def test_a_kept_file_is_as_json_has_it(state):
    content = json.loads((state.path / "facts" / "shop@dev" / "before-web.json").read_text())
    assert content["schema"] == 1
    assert set(content) == {"schema", "id", "time", "kinds", "unknown", "unseen"}
