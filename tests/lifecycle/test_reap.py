"""What the reaper removes, and what it never touches, on the fake provider with several owners in one world."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import StateError
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import find, reap
from infratest.lifecycle.status import status
from infratest.lifecycle.up import up
from infratest.providers.base import HostSpec, Lease
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from infratest.store.records import DONE

HOUR = 3600
SPECS = (HostSpec(name="db"),)


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("INFRATEST_OWNER", "me@here")
    return World(tmp_path)


class World:
    """One world, in which several state directories make things."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def life(self, state="mine", production=False, **options) -> Lifecycle:
        stack = StackFile(
            name="shop",
            path=self.folder / "stack.yaml",
            folder=self.folder,
            provider="fake",
            provider_options={"world": "world", **options},
            production=production,
            hosts=SPECS,
        )
        return Lifecycle(stack, StateDir(self.folder / state))

    def put(self, name, owner, state_id, expires, directory="", **more) -> None:
        fields = {"stack": "shop", "env": "", "directory": str(directory)} | more
        lease = Lease(owner=owner, state_id=state_id, expires=int(expires), **fields)
        provider = self.life().provider
        request = provider.requests([HostSpec(name=name)], lease)[1][0]
        provider.create(request, Deadline(10))

    def names(self) -> set[str]:
        return {json.loads(path.read_text())["name"] for path in (self.folder / "world").glob("*.json")}


def removed(reaped):
    assert reaped.left == ()
    return {one.resource.name for one in reaped.removed}


def test_only_this_state_directory_and_only_what_is_not_live(world):
    up(world.life())
    world.put("orphan", "me@here", world.life().state.id, time.time() + HOUR)
    world.put("other-state", "me@here", "0123", time.time() + HOUR)
    world.put("other-owner", "jane@there", "4567", time.time() - HOUR)
    assert [one.resource.name for one in find(world.life())] == ["orphan"]
    assert removed(reap(world.life())) == {"orphan"}
    assert world.names() == {"shop", "db", "other-state", "other-owner"}
    assert removed(reap(world.life())) == set()


def test_a_damaged_journal_makes_nothing_left_over(world):
    up(world.life())
    path = world.life().state.path / "journal.jsonl"
    first, rest = path.read_text().split("\n", 1)
    path.write_text(f"{first[:-1]}#}}\n{rest}")
    for verb in (find, reap, status, up):
        with pytest.raises(StateError, match=r"journal\.jsonl:1 is damaged"):
            verb(world.life())
    assert world.names() == {"shop", "db"}
    path.write_text(f"{first}\n" + path.read_text().split("\n", 1)[1])
    assert [host.state for host in up(world.life())] == ["running"]
    assert removed(reap(world.life())) == set()


def test_a_lease_in_a_damaged_journal_has_not_expired(world):
    other = StateDir(world.folder / "other")
    world.put("renewed", "me@here", other.id, time.time() - HOUR, directory=other.path)
    other.append("journal.jsonl", {"what": "lease", "time": 1, "stack": "shop", "env": "", "expires": 1})
    (other.path / "journal.jsonl").write_text("damaged\n")
    assert removed(reap(world.life(), expired=True)) == set()
    (other.path / "journal.jsonl").write_text("")
    assert removed(reap(world.life(), expired=True)) == {"renewed"}


def test_expired_is_this_owners_and_another_only_by_name(world):
    world.put("mine-old", "me@here", "0123", time.time() - HOUR)
    world.put("mine-new", "me@here", "0123", time.time() + HOUR)
    world.put("jane-old", "jane@there", "4567", time.time() - HOUR)
    world.put("jane-new", "jane@there", "4567", time.time() + HOUR)
    assert removed(reap(world.life(), expired=True)) == {"mine-old"}
    assert world.names() == {"mine-new", "jane-old", "jane-new"}
    assert removed(reap(world.life(), of_owner="jane@there")) == {"jane-old"}
    assert world.names() == {"mine-new", "jane-new"}


def test_a_lease_that_its_own_journal_renewed_has_not_expired(world):
    other = StateDir(world.folder / "other")
    world.put("renewed", "me@here", other.id, time.time() - HOUR, directory=other.path)
    Journal(other).lease("shop", "", int(time.time()) + HOUR)
    world.put("not-renewed", "me@here", "gone", time.time() - HOUR, directory=world.folder / "gone")
    assert removed(reap(world.life(), expired=True)) == {"not-renewed"}
    assert world.names() == {"renewed"}


def test_a_directory_that_is_another_states_now_renews_nothing(world):
    other = StateDir(world.folder / "other")
    assert other.id
    world.put("old", "me@here", "before", time.time() - HOUR, directory=other.path)
    Journal(other).lease("shop", "", int(time.time()) + HOUR)
    assert removed(reap(world.life(), expired=True)) == {"old"}


@pytest.mark.parametrize("production, left", [(False, set()), (True, {"shop", "db"})])
def test_its_own_expired_stack_goes_but_for_production(world, production, left):
    life = world.life(production=production)
    up(life)
    life.journal.lease("shop", "", int(time.time()) - HOUR)
    for path in (world.folder / "world").glob("*.json"):
        one = json.loads(path.read_text())
        one["labels"]["infratest.expires"] = str(int(time.time()) - HOUR)
        path.write_text(json.dumps(one))
    reap(world.life(production=production))
    assert world.names() == {"shop", "db"}
    reap(world.life(production=production), expired=True)
    assert world.names() == left


def test_production_of_another_environment_or_state_directory_is_never_too_old(world):
    mine = world.life().state.id
    world.put("mine-prod", "me@here", mine, time.time() - HOUR, env="prod", production=True)
    world.put("other-prod", "me@here", "0123", time.time() - HOUR, production=True)
    world.put("other-dev", "me@here", "0123", time.time() - HOUR)
    held = world.life()
    operation = held.journal.begin("up", "shop", "prod")
    for one in held.provider.existing(Deadline(10)):
        if one.name == "mine-prod":
            operation.made(one)
    operation.end(DONE)
    assert removed(reap(world.life(), expired=True)) == {"other-dev"}
    assert world.names() == {"mine-prod", "other-prod"}


def test_labels_that_are_no_lease_are_left_alone(world):
    world.put("odd", "me@here", "0123", 0)
    path = next((world.folder / "world").glob("host-*.json"))
    one = json.loads(path.read_text())
    one["labels"]["infratest.expires"] = "soon"
    path.write_text(json.dumps(one))
    assert removed(reap(world.life(), expired=True)) == set()
    assert world.names() == {"odd"}


def test_what_cannot_be_removed_is_named_and_the_rest_goes(world):
    id = world.life().state.id
    world.put("one", "me@here", id, 0)
    world.put("two", "me@here", id, 0)
    done = reap(world.life(fail=["destroy one"]))
    assert {each.resource.name for each in done.removed} == {"two"}
    assert len(done.left) == 1
    assert "destroy one: refused" in done.left[0]
    assert world.names() == {"one"}
    assert removed(reap(world.life())) == {"one"}


def test_open_faults_are_taken_back_on_the_host(world, tmp_path):
    run = {"otherwise": "run"}
    up(world.life(transport=run))
    fault = tmp_path / "fault"
    fault.write_text("full")
    journal = world.life().journal
    journal.undo_asked("db", f"rm {fault}", "u1", "shop", "")
    journal.undo_asked("db", "exit 3", "u2", "shop", "")
    journal.undo_asked("gone-host", "true", "u3", "shop", "")
    journal.undo_asked("db", "true", "u4", "other", "")
    done = reap(world.life(transport=run))
    assert not fault.exists()
    assert [undo.id for undo in done.undone] == ["u3", "u1"]
    assert len(done.left) == 1
    assert "exit 3" in done.left[0]
    assert [undo.id for undo in journal.open_undos()] == ["u4", "u2"]
    assert world.names() == {"shop", "db"}
