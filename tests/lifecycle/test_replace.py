"""A host replaced by another one: never two in one place, the old one never lost, wherever it fails or is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.hosts import GONE
from infratest.lifecycle import aside
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.halt import halt
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import find, reap
from infratest.lifecycle.removal import leftovers
from infratest.lifecycle.replace import put_back, replace
from infratest.lifecycle.strays import find as find_strays
from infratest.lifecycle.strays import lines
from infratest.lifecycle.suspend import suspend
from infratest.lifecycle.up import up
from infratest.providers.base import Context, HostSpec, Resource
from infratest.providers.fake import Fake, Options
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir
from tests.lifecycle.struck import Points

SPECS = (HostSpec(name="db"), HostSpec(name="web", after=("db",)))
DAY = 86400.0


class Place:
    """A folder with a stack, its state directory and the fake's world, in which db and web are up."""

    def __init__(self, folder: Path, made: bool = True) -> None:
        self.folder = folder
        if made:
            up(self.life())

    def life(self, provider: str = "fake", **faults: Any) -> Lifecycle:
        options = {"world": "world", **faults} if provider in ("fake", "simulator") else {}
        stack = StackFile(
            name="shop", path=self.folder / "stack.yaml", folder=self.folder, env="", provider=provider,
            provider_options=options, hosts=SPECS,
        )  # fmt: skip
        return Lifecycle(stack, StateDir(self.folder / "state"))

    def hosts(self) -> dict[str, tuple[str, str]]:
        """Name -> id and state of each host that is there. Two of one name are an error."""
        ones = [json.loads(path.read_text()) for path in (self.folder / "world").glob("host-*.json")]
        found = {one["name"]: (one["id"], one["state"]) for one in ones}
        assert len(found) == len(ones), ones
        return found

    def id(self, name: str = "web") -> str:
        return self.hosts()[name][0]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def well(seconds: float) -> str:
    return ""


def replaced(life: Lifecycle, keep: float = DAY, proven: Callable[[float], str] = well) -> str:
    return replace(life, "web", keep, lambda: None, proven)


def test_another_host_is_made_and_the_old_one_is_kept_stopped(place: Place) -> None:
    old, others = place.id(), place.hosts()["db"]
    assert replaced(place.life()) == "another host was made in its place; the old one is kept as web~old, stopped"
    there = place.hosts()
    assert (there["web~old"], there["web"][1], there["db"]) == ((old, "stopped"), "running", others)
    life = place.life()
    assert not reap(life).removed
    assert {one.name for one in life.journal.live().values() if one.kind == "host"} == {"db", "web", "web~old"}
    (line,) = lines(find_strays(life), life.stack, life.command)
    remove = life.command("destroy", "--host", "web~old")
    assert line == f"web~old is what web was before a heal replaced it, stopped and kept; `{remove}` removes it"


def test_the_old_one_is_stopped_before_there_is_another(place: Place) -> None:
    seen = []

    class Watching(Fake):
        def create(self, request: Any, deadline: Deadline) -> Resource:
            seen.append(place.hosts())
            return super().create(request, deadline)

    life = place.life()
    life.provider = Watching(
        Options(world="world"), Context(folder=place.folder, state=life.state.path, stack="shop", env="")
    )
    replaced(life)
    assert [{name: state for name, (_, state) in one.items()} for one in seen] == [
        {"db": "running", "web~old": "stopped"}
    ]


def test_a_host_that_does_not_stop_has_no_successor(place: Place) -> None:
    class Unstoppable(Fake):
        def halt(self, resource: Resource, deadline: Deadline) -> None:
            """It says that it was done."""

    before, life = place.hosts(), place.life()
    life.provider = Unstoppable(
        Options(world="world"), Context(folder=place.folder, state=life.state.path, stack="shop", env="")
    )
    with pytest.raises(
        ProviderError, match="was to stop, and is running by its provider's word: nothing is made in its place"
    ):
        replaced(life)
    assert place.hosts() == before


@pytest.mark.parametrize(
    "faults",
    [
        {"fail": ("halt web",)}, {"lose": ("halt web",)}, {"fail": ("rename web",)}, {"lose": ("rename web",)},
        {"fail": ("create web",)}, {"lose": ("create web",)},
    ],
)  # fmt: skip
def test_where_it_fails_the_old_one_is_in_its_place_again(place: Place, faults: dict[str, Any]) -> None:
    before = place.hosts()
    with pytest.raises(ProviderError, match="the old one is in its place again, started"):
        replaced(place.life(**faults))
    assert place.hosts() == before
    assert not find(place.life())


@pytest.mark.parametrize("state", ["running", "stopped", "paused"])
def test_a_successor_that_is_no_better_goes_again(place: Place, state: str) -> None:
    if state != "running":
        (halt if state == "stopped" else suspend)(place.life(), ["web"])
    old = place.id()
    words = "stopped as it was" if state == "stopped" else "started"
    with pytest.raises(
        ProviderError, match=f"its successor is no better: port 80 is silent; the old one .* again, {words}"
    ):
        replaced(place.life(), proven=lambda seconds: "port 80 is silent")
    after = "stopped" if state == "stopped" else "running"
    assert place.hosts()["web"] == (old, after)
    assert set(place.hosts()) == {"web", "db"}


def test_who_looks_at_the_successor_leaves_time_for_putting_the_old_one_back(place: Place) -> None:
    given, limit = [0.0], Deadline(100.0, lambda: 0.0)
    life = place.life()
    life = Lifecycle(life.stack, life.state, deadline=limit)
    replaced(life, proven=lambda seconds: given.append(seconds) or "")
    assert 0 < given[-1] <= 80  # of 100 s, a fifth is kept


def test_a_host_that_cannot_be_put_back_is_put_back_by_up(place: Place) -> None:
    old = place.id()
    with pytest.raises(ProviderError, match=r"the old one is not in its place again: .*; `infratest up` finishes it"):
        replaced(place.life(fail=("rename web~old",)), proven=lambda seconds: "no")
    assert place.hosts()["web~old"] == (old, "stopped")
    up(place.life())
    assert place.hosts()["web"] == (old, "running")
    assert set(place.hosts()) == {"web", "db"}


def test_what_is_kept_stands_in_the_way_of_the_next_until_its_time_is_over(place: Place) -> None:
    first = place.id()
    replaced(place.life())
    second = place.id()
    with pytest.raises(
        UserError, match="web~old, in whose place web stands, is kept still, for 24 h more: `infratest heal undo`"
    ):
        replaced(place.life())
    life = place.life()
    life.journal.aside(first, "web", life.clock.time())
    (doomed,) = find(place.life())
    assert (doomed.resource.id, doomed.reason.startswith("it was web before that was replaced")) == (first, True)
    replaced(place.life())
    assert place.id("web~old") == second
    assert first not in {id for id, _ in place.hosts().values()}


def test_the_old_one_is_put_back(place: Place) -> None:
    old = place.id()
    replaced(place.life())
    words = "its successor was removed, and what was kept as web~old is web again, started"
    assert put_back(place.life(), "web") == words
    assert place.hosts()["web"] == (old, "running")
    assert set(place.hosts()) == {"web", "db"}
    assert not find(place.life())
    with pytest.raises(ProviderError, match="nothing is kept of a host that was web before"):
        put_back(place.life(), "web")


def test_a_host_that_is_gone_has_a_successor_and_nothing_to_keep(place: Place) -> None:
    (place.folder / "world" / f"{place.id()}.json").unlink()
    assert replaced(place.life()) == "another host was made in its place; there was none to keep"
    assert place.hosts()["web"][1] == "running"


def test_destroy_removes_what_is_kept_with_the_rest(place: Place) -> None:
    replaced(place.life())
    destroy(place.life(), ["web~old"])
    assert set(place.hosts()) == {"web", "db"}
    replaced(place.life())
    destroy(place.life())
    assert place.hosts() == {}
    assert not (place.folder / "state" / "journal.jsonl").exists()


def fenced(place: Place, provider: str = "fake", **faults: Any) -> tuple[bool, str]:
    return aside.fenced(place.life(provider, **faults), SPECS[1], Deadline(20))


def test_only_its_providers_word_says_that_a_host_is_out_of_service(place: Place) -> None:
    assert fenced(place) == (
        True,
        "it is running by its provider's word, and has no successor before that says stopped",
    )
    halt(place.life(), ["web"])
    assert fenced(place) == (True, "its provider says that it is stopped")
    passed, words = fenced(place, fail=("hosts",))
    assert (passed, words.startswith("whether web is out of service is not known: ")) == (False, True)
    (place.folder / "world" / f"{place.id()}.json").unlink()
    assert fenced(place) == (True, "its provider says that it is gone")


@pytest.mark.parametrize("provider", ["local", "existing"])
def test_where_nobody_can_tell_it_is_refused_and_said_what_to_do(tmp_path: Path, provider: str) -> None:
    passed, words = fenced(Place(tmp_path, made=False), provider)
    said = f"provider {provider} cannot stop a host and keep it beside another one of its name"
    assert (passed, words) == (False, f"{said}: take power-cycle, or a hook that fences it, or replace it by hand")
    with pytest.raises(UserError, match=said):
        replaced(Place(tmp_path, made=False).life(provider))


def test_a_host_in_error_is_not_known_to_be_stopped(tmp_path: Path) -> None:
    place = Place(tmp_path, made=False)
    with pytest.raises(InfratestError):
        up(place.life("simulator", error=["first web"]))
    life = place.life("simulator", error=["web"])
    life.provider.create(life.provider.requests(SPECS, life.lease())[0][0], Deadline(60, life.clock.monotonic))
    life.provider.create(life.provider.requests(SPECS, life.lease())[1][1], Deadline(60, life.clock.monotonic))
    life.clock.sleep(30)
    passed, words = aside.fenced(life, SPECS[1], Deadline(60, life.clock.monotonic))
    assert not passed
    assert "which is not stopped: have it stopped there, or wait until it runs" in words


def test_where_listings_lag_there_is_one_of_each_all_the_same(tmp_path: Path) -> None:
    place = Place(tmp_path, made=False)
    options = {"lag": 5.0, "seed": 3}
    up(place.life("simulator", **options))
    old = {one.name: one.id for one in place.life("simulator", **options).made(Deadline(60))}["web"]
    replaced(place.life("simulator", **options))
    life = place.life("simulator", **options)
    made = {one.name: one.id for one in life.made(Deadline(60, life.clock.monotonic))}
    assert (set(made), made["web~old"]) == ({"db", "web", "web~old"}, old)
    put_back(place.life("simulator", **options), "web")
    life = place.life("simulator", **options)
    assert {one.name: one.id for one in life.made(Deadline(60, life.clock.monotonic))}["web"] == old


# Killed


def killed(place: Place, work: Callable[[Lifecycle], object], point: str) -> list[str]:
    """Do the work in a process of its own, which is killed at a point; return the points that it has passed."""
    log, child = place.folder / "points", os.fork()
    if child == 0:
        points = Points(point, signal.SIGKILL, str(log))
        threading.setprofile(points.watch)
        sys.setprofile(points.watch)
        work(place.life())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (point != "-"), point
    return log.read_text().splitlines()


def copied(place: Place, folder: Path) -> Place:
    shutil.copytree(place.folder, folder)
    return Place(folder, made=False)


def fails_at_the_end(life: Lifecycle) -> None:
    with pytest.raises(ProviderError):
        replaced(life, proven=lambda seconds: "no")


def undone(life: Lifecycle) -> str:
    return put_back(life, "web")


@pytest.mark.parametrize("work", [replaced, fails_at_the_end, undone])
def test_killed_anywhere_nothing_is_lost_and_up_finishes_it(
    place: Place, tmp_path_factory: pytest.TempPathFactory, work: Callable[[Lifecycle], object]
) -> None:
    old = place.id()
    if work is undone:
        replaced(place.life())
    scratch = tmp_path_factory.mktemp("killed")
    points = killed(copied(place, scratch / "whole"), work, "-")
    if work is fails_at_the_end:  # until then it does what `replaced` does
        points = points[next(n for n, point in enumerate(points) if "record back" in point) :]
    assert len(points) > 15
    for number, point in enumerate(points):
        here = copied(place, scratch / str(number))
        killed(here, work, point)
        there = {id: (name, state) for name, (id, state) in here.hosts().items()}
        alone = [name for name, (_, state) in here.hosts().items() if name != "db" and state == "running"]
        assert len(alone) < 2, (point, there)
        assert old in there, (point, there)
        if number % 2:
            reap(here.life())
        up(here.life())
        after, life = here.hosts(), here.life()
        assert after["web"][1] == "running", (point, after)
        assert after["web"][0] == old or after["web~old"] == (old, "stopped"), (point, after)
        assert not leftovers(life.provider.existing(Deadline(20)), life.state.id, life.journal.live()), point
        assert life.hosts(["web"])[0].state != GONE
        assert {one.name for one in life.journal.live().values() if one.kind == "host"} == set(after), point
        if "web~old" in after:
            put_back(here.life(), "web")
            assert here.hosts()["web"] == (old, "running"), point
