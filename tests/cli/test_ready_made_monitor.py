"""`infratest check @infratest-monitor` on real monitors: one that is well, and ones that are ill in each way."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds.monitor_world import World, until, world
from tests.worlds.notice_servers import Reply
from tests.worlds.small_project import run


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def states(shop: World, *words: str) -> dict[str, str]:
    """Return the state of each sentence, and the exit status."""
    done = run(shop.folder, "infratest", "check", "@infratest-monitor", "--format", "json", *words)
    report = json.loads(done.stdout)
    found = {step["text"]: step["state"] for one in report["results"] for step in one["steps"]}
    return found | {"exit": str(done.returncode)}


ALIVE, CYCLE = "the monitor is alive", "the last cycle of the monitor is less than 60 s old, warning 30 s"
RECEIVERS = "the monitor reaches every receiver"


@pytest.mark.timeout(600)
def test_each_way_of_being_ill_is_seen(shop: World):
    process = shop.begin()
    until(lambda: shop.run("status")[0] == 0, "all is well")
    well = states(shop)
    assert (set(well.values()), len(well)) == ({"ok", "0"}, 8)

    shop.endpoint.reply = Reply(500)
    shop.there.unlink()
    until(lambda: states(shop)[RECEIVERS] == "critical", "its receiver refuses")
    assert states(shop)[ALIVE] == "ok"
    shop.endpoint.reply = Reply(200)
    until(lambda: states(shop)[RECEIVERS] == "ok", "it takes it")

    process.send_signal(signal.SIGSTOP)
    stopped = states(shop)
    assert (stopped[ALIVE], stopped[CYCLE], stopped["exit"]) == ("critical", "unknown", "2")
    process.send_signal(signal.SIGCONT)
    until(lambda: states(shop)[ALIVE] == "ok", "it goes on")

    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = states(shop)
    assert (killed[ALIVE], killed[RECEIVERS], killed["exit"]) == ("critical", "unknown", "2")


def test_the_monitor_of_another_environment_is_none_of_ours(shop: World):
    stack = shop.folder / "stack.yaml"
    stack.write_text(stack.read_text() + "environments: {dev: {}, prod: {}}\n")
    shop.start("run", "--env", "dev")
    until(lambda: shop.run("due", "--env", "dev")[0] == 0, "it answers")
    assert states(shop, "--env", "dev")[ALIVE] == "ok"
    other = states(shop, "--env", "prod")
    assert (other[ALIVE], other["exit"]) == ("unknown", "3")


def test_it_watches_itself_and_its_plugin_is_a_line(shop: World):
    stack = shop.folder / "stack.yaml"
    stack.write_text(stack.read_text() + 'features: [features, "@infratest-monitor"]\n')
    shop.begin()
    until(lambda: shop.run("status")[0] == 0, "all is well")
    assert "@infratest-monitor#it-runs@-" in shop.run("due")[1]
    done = run(shop.folder, "check_infratest", "@infratest-monitor")
    assert done.returncode == 0, done.stdout
    assert re.match(r"INFRATEST OK - shop: 5 scenarios ok \| .*'monitor cycle'=[\d.e-]+s;30;60;0", done.stdout)
