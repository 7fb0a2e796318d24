"""Hosts that come and go while a monitor runs: new ones are watched, lost ones critical, destroyed ones let go."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from tests.worlds.monitor_world import World, until, world
from tests.worlds.small_project import run, write
from tests.worlds.sshd import running_sshd

MONITOR = """\
monitor:
  interval: 1s
  retry: 1s
  attempts: 2
  stale: 100
  flap: off
  receivers:
    oncall: {{webhook: {{url: "http://127.0.0.1:{port}/"}}}}
  tell: [{{when: "label.team=web and state=critical", to: oncall}}]
"""
CLOUD = """\
stack: shop
provider: {{name: simulator, world: world, transport: {{otherwise: run}}}}
hosts: {{web: {{count: 3, labels: {{team: web}}}}}}
"""
LISTED = """\
stack: shop
provider: {{name: existing, from: [{{ssh-config: hosts}}]}}
"""
FEATURE = """\
Feature: f
  Scenario: there
    Then the file "{there}" exists
  Scenario: second
    Given the host "web-2"
    Then the file "{there}" exists
"""


def seen(shop: World, id: str) -> str:
    """Return the state of a result and its reason; empty where it is not watched, or well."""
    found = [each for each in shop.answer("status")["results"] if each["id"] == id]
    return f"{found[0]['state']} {found[0]['reason']}" if found else ""


def watched(shop: World) -> set[str]:
    return {each["id"] for each in shop.answer("due")}


def there(name: str) -> str:
    return f"features/x.feature#there@{name}"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def cloud(shop: World) -> World:
    stack = (CLOUD + MONITOR).format(port=shop.endpoint.port)
    write(shop.folder, {"stack.yaml": stack, "features/x.feature": FEATURE.format(there=shop.there)})
    made = run(shop.folder, "infratest", "up")
    assert made.returncode == 0, made.stderr
    return shop


@pytest.mark.timeout(600)
def test_one_that_vanished_is_critical_and_one_that_we_destroyed_is_gone(cloud: World):
    process = cloud.begin()
    until(lambda: cloud.run("status")[0] == 0, "all is well")
    cloud.there.unlink()
    until(lambda: "critical" in seen(cloud, there("web-3")), "a problem on the third host")
    until(lambda: ("problem", "critical", there("web-3")) in cloud.notices(), "that it is told")

    assert run(cloud.folder, "infratest", "destroy", "--host", "web-3").returncode == 0
    until(lambda: ("recovery", "ok", there("web-3")) in cloud.notices(), "that it is told as gone")
    (told,) = [
        notice["reason"]
        for each in list(cloud.endpoint.requests)
        for notice in json.loads(each.body)["notices"]
        if notice["kind"] == "recovery"
    ]
    assert told == "it was destroyed from here, by the journal"
    assert there("web-3") not in watched(cloud)
    cloud.there.touch()
    until(lambda: cloud.run("status")[0] == 0, "what is left is well")
    process.send_signal(signal.SIGHUP)
    sleep(1)
    assert cloud.run("status")[0] == 0, "it was destroyed all the same"

    cloud.endpoint.forget()
    path = cloud.folder / "world" / "world.json"
    contents = json.loads(path.read_text())
    (lost,) = [key for key, item in contents["items"].items() if item["name"] == "web-2"]
    del contents["items"][lost]
    path.write_text(json.dumps(contents))
    until(lambda: seen(cloud, "reachable@web-2").startswith("critical web-2"), "that it is critical")
    until(lambda: ("problem", "critical", "reachable@web-2") in cloud.notices(), "that it is told")
    assert ("problem", "critical", "features/x.feature#second@web-2") not in cloud.notices(), "its cause alone"

    assert run(cloud.folder, "infratest", "up").returncode == 0
    until(lambda: there("web-3") in watched(cloud), "the third is made anew, and watched")
    until(lambda: ("recovery", "ok", "reachable@web-2") in cloud.notices(), "the second is there again")
    until(lambda: cloud.run("status")[0] == 0, "all is well")
    happened = cloud.run("events", "--kind", "lifecycle")[1]
    assert "of web-3: it was destroyed from here" in happened
    assert "of web-2: it is gone, and was not destroyed from here" in happened
    assert "of web-3: a new host" in happened


def test_a_provider_that_fails_delays_no_look_and_loses_no_host(cloud: World):
    cloud.begin()
    until(lambda: cloud.run("status")[0] == 0, "all is well")
    path = cloud.folder / "world" / "world.json"
    kept = path.read_text()
    path.write_text("{")
    until(lambda: "which hosts there are could not be asked" in cloud.log, "that it is told")
    cloud.there.unlink()
    until(lambda: "critical" in seen(cloud, there("web-1")), "what is looked at all the same")
    cloud.there.touch()
    until(lambda: cloud.run("status")[0] == 0, "all is well, and the hosts are known for a while")
    assert there("web-3") in watched(cloud)
    path.write_text(kept)


def test_all_that_was_watched_is_destroyed_and_that_is_not_green(cloud: World):
    cloud.begin()
    until(lambda: cloud.run("status")[0] == 0, "all is well")
    assert run(cloud.folder, "infratest", "destroy").returncode == 0
    until(lambda: "nothing is watched" in seen(cloud, "monitor#hosts@-"), "that nothing is watched")
    assert cloud.run("status")[0] == 3


@pytest.mark.timeout(600)
def test_an_inventory_names_a_new_host_and_forgets_it(shop: World):
    stack = (LISTED + MONITOR).format(port=shop.endpoint.port).replace("label.team=web and ", "")
    feature = FEATURE.format(there=shop.there).partition("  Scenario: second")[0]
    write(shop.folder, {"stack.yaml": stack, "features/x.feature": feature})
    with running_sshd(shop.folder / "sshd") as server:

        def listed(*names: str) -> None:
            (shop.folder / "hosts").write_text("".join(
                f"Host {name}\n  HostName {server.address}\n  Port {server.port}\n  User {server.user}\n"
                f"  IdentityFile {server.key}\n  IdentityAgent none\n  UserKnownHostsFile {server.known_hosts}\n"
                for name in names
            ))  # fmt: skip

        listed("web-1")
        process = shop.begin()
        until(lambda: shop.run("status")[0] == 0, "all is well")
        assert watched(shop) == {there("web-1")}
        listed("web-1", "web-2")
        until(lambda: there("web-2") in watched(shop), "the new one")
        until(lambda: shop.run("status")[0] == 0, "it is well")
        listed("web-1")
        until(lambda: "no inventory names it any longer" in seen(shop, "reachable@web-2"), "that it vanished")
        assert shop.run("problems")[0] == 2
        until(lambda: ("problem", "critical", "reachable@web-2") in shop.notices(), "that it is told")
        process.send_signal(signal.SIGHUP)
        until(lambda: there("web-2") not in watched(shop), "somebody says that it is right")
        until(lambda: shop.run("status")[0] == 0, "all is well")
