"""Killed at any call of VBoxManage, a run leaves nothing that `infratest reap` leaves; and nothing foreign is touched.

On the real VBoxManage. Every call of a run is a point before and one after, with the records of the journal between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.snapshot import save
from infratest.lifecycle.up import up
from infratest.providers import _host_ports
from infratest.store.journal import Journal
from tests.lifecycle.killed import SIGKILLED, Kills, Scene
from tests.worlds.virtualbox import LOOKS, VirtualBoxWorld, virtualbox_world

pytestmark = pytest.mark.timeout(3600)

STACK = "stack: kill\nprovider: virtualbox\nhosts: {{web: {{image: {image}, memory: 64MiB}}}}\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[VirtualBoxWorld]:
    """A registry with a machine of the user's own, and a stack of another state directory that is up."""
    with virtualbox_world(tmp_path_factory.mktemp("kill") / "world", guest="sshd") as world:
        world.empty_disk()
        world.vbox("createvm", "--name", "theirs", "--register")
        world.vbox("setextradata", "global", "theirs", "kept")
        foreign = scene(world, "foreign", is_up=True)
        before = foreign.life().hosts()
        yield world
        assert foreign.life().hosts() == before
        destroy(foreign.life())
        assert [name for name in world.machines() if not name.startswith("infratest-image-")] == ["theirs"]
        assert "Key: theirs, Value: kept" in world.vbox("getextradata", "global", "enumerate")
        assert "infratest/machine/" not in world.vbox("getextradata", "global", "enumerate")


def scene(world: VirtualBoxWorld, name: str, is_up: bool) -> Scene:
    folder = world.folder / name
    folder.mkdir()
    (folder / "stack.yaml").write_text(STACK.format(image=world.folder / "empty.vdi"))
    made = Scene(folder)
    if is_up:
        up(made.life())
    return made


def prepared(world: VirtualBoxWorld, name: str, verb: str) -> Scene:
    made = scene(world, name, is_up=verb != "up")
    if verb in ("snapshot restore kept", "snapshot delete kept"):
        save(made.life(), "kept")
    return made


VERBS = ("up", "destroy", "halt", "snapshot save kept", "snapshot restore kept", "snapshot delete kept")


@pytest.mark.machines
@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_every_call(world, verb):
    at_calls(world, verb, step=1)


def test_killed_in_short_at_some_points_of_up(world):
    at_calls(world, "up", step=20)


def at_calls(world: VirtualBoxWorld, verb: str, step: int) -> None:
    name = f"{verb.replace(' ', '-')}-{step}"
    whole = prepared(world, f"{name}-whole", verb)
    world.calls()
    whole.command(verb)
    calls = world.calls()
    destroy(whole.life())
    points = list(points_of(calls))[::step]
    print(f"\n{verb}: killed at {len(points)} points")
    kills = Kills("virtualbox (power played)", verb, lambda: of_others(world))
    before = kills.begin()
    for moment, kind, number, call in points:
        point = f"{moment} {kind} {number}, {call[:80]}"
        struck = prepared(world, f"{name}-{moment}-{kind}-{number}", verb)
        world.calls()
        (world.folder / "strike").write_text(f"{moment} {kind} {number}\n")
        try:
            status, words = struck.run(verb, "SIGKILL", "-")
        finally:
            (world.folder / "strike").unlink()
        if status == 0 and kind == "look":  # this time it was faster, and did not wait as long
            assert sum(is_look(call) for call in world.calls()) < number, point
        else:
            assert status == SIGKILLED, (point, status, words)
        id = struck.id
        kills.reaped(struck, point, before)
        assert Journal(struck.state).records() == [], point
        assert list((world.folder / "vms").glob(f"infratest-kill-web-{id[:8]}*")) == [], point


def points_of(calls: list[str]) -> Iterator[tuple[str, str, int, str]]:
    """Yield the moments before and after each call: the looks of a run are counted apart from its changes."""
    numbers = {"look": 0, "change": 0}
    for call in calls:
        kind = "look" if is_look(call) else "change"
        numbers[kind] += 1
        for moment in ("before", "after"):
            yield moment, kind, numbers[kind], call


def is_look(call: str) -> bool:
    return call.split(" ", 1)[0] in LOOKS


def of_others(world: VirtualBoxWorld) -> dict[str, str]:
    """Return all machines, each with its ports where it has some on record, as they are beside one that is struck."""
    extra = world.vbox("getextradata", "global", "enumerate")
    ports = {uuid: _host_ports.allotted(uuid) for uuid in re.findall("Key: infratest/machine/([0-9a-f-]+),", extra)}
    found = dict.fromkeys(world.machines(), "registered")
    return found | {f"record of {uuid}": str(sorted(each.items())) for uuid, each in ports.items()}
