"""`infratest monitor run --heal`, as its user runs it: what it finds is healed, unless people want it left alone."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds.monitor_world import THERE, World, until, world
from tests.worlds.small_project import run

#: `{do}` is the remedy's command, `{mode}` the rule's. The stack's name is its own: marks lie on this machine.
HEALS = """\
heal:
  put-it-there:
    when: {{tags: "@web", state: critical}}
    confirm: 2
    do: [{{run: "{do}"}}]
    mode: {mode}
"""


@pytest.fixture
def shop() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="mh-") as folder, world(Path(folder)) as made:
        yield made


def heals(shop: World, mode: str = "auto", do: str = "") -> None:
    """Give the stack a rule."""
    path = shop.folder / "stack.yaml"
    words = path.read_text().replace("stack: shop", f"stack: shop-{shop.folder.name}")
    path.write_text(words + HEALS.format(do=do or f"touch {shop.there}", mode=mode))


def decided(shop: World, event: str = "") -> list[dict[str, object]]:
    """Return what the audit has."""
    path = shop.folder / ".infratest" / "heal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [one for one in lines if event in ("", one["event"])]


def closed(shop: World) -> list[str]:
    """Return the gates that refused last."""
    refused = decided(shop, "refused")
    gates = refused[-1]["gates"] if refused else []
    assert isinstance(gates, list)
    return [gate["name"] for gate in gates if not gate["passed"]]


@pytest.mark.timeout(600)
def test_what_it_finds_is_healed_once_and_told_in_history(shop: World) -> None:
    heals(shop)
    process = shop.begin(words=("run", "--heal"))
    until(lambda: shop.run("status")[0] == 0, "all is well")
    shop.there.unlink()
    until(shop.there.exists, "the remedy")
    until(lambda: [one["verified"] for one in decided(shop, "tried")] == [True], "the heal is on record")
    until(lambda: shop.run("status")[0] == 0, "it is seen to be well")
    until(lambda: "healed: run touch" in shop.run("events", "--kind", "heal")[1], "history has it")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert len(decided(shop, "tried")) == 1


@pytest.mark.timeout(600)
def test_an_acknowledgement_and_a_downtime_keep_from_it_and_their_end_does_not(shop: World) -> None:
    heals(shop)
    shop.begin(words=("run", "--heal"))
    until(lambda: shop.run("status")[0] == 0, "all is well")
    assert shop.run("downtime", "add", "move", "--host", "here", "--for", "1h", "--comment", "moving")[0] == 0
    shop.there.unlink()
    until(lambda: closed(shop) == ["suppressed"], "the gate")
    until(lambda: shop.state() == "critical", "it is hard")
    assert not shop.there.exists()
    # A check that heals, and the word of people, know of it as well.
    status, words = said(shop, "check", "--heal")
    assert status == 2
    assert "not healed: left alone: downtime 'move' by " in words
    assert shop.run("ack", THERE, "--comment", "mine")[0] == 0
    assert shop.run("downtime", "end", "move")[0] == 0
    status, words = said(shop, "check", "--heal")
    assert "not healed: left alone: acknowledged by " in words
    assert not shop.there.exists()
    assert shop.run("unack", THERE)[0] == 0
    until(shop.there.exists, "the remedy")


@pytest.mark.timeout(600)
def test_what_waits_for_a_person_is_a_warning_and_is_done_once_approved(shop: World) -> None:
    heals(shop, mode="propose")
    shop.begin(words=("run", "--heal"))
    until(lambda: shop.run("status")[0] == 0, "all is well")
    shop.there.unlink()
    until(lambda: shop.state("monitor#heals@-") == "warning", "somebody is asked")
    (proposal,) = {str(one["proposal"]) for one in decided(shop, "proposed")}
    assert proposal in shop.run("status")[1]
    assert not shop.there.exists()
    status, words = said(shop, "heal", "approve", proposal)
    assert status == 0, words
    until(shop.there.exists, "the remedy")
    until(lambda: shop.run("status")[0] == 0, "nothing waits any longer")


@pytest.mark.timeout(600)
def test_a_remedy_that_takes_long_holds_up_no_look_and_a_downtime_of_a_dead_monitor_holds(shop: World) -> None:
    begun, go = shop.folder / "begun", shop.folder / "go"
    heals(shop, do=f"touch {begun}; while ! [ -e {go} ]; do sleep 0.1; done; touch {shop.there}")
    process = shop.begin(words=("run", "--heal"))
    until(lambda: shop.run("status")[0] == 0, "all is well")
    shop.there.unlink()
    until(begun.exists, "the remedy begins")
    until(lambda: shop.state() == "critical", "it is looked at meanwhile, and hard")
    go.touch()
    until(shop.there.exists, "the remedy ends")
    until(lambda: [one["verified"] for one in decided(shop, "tried")] == [True], "once")
    assert shop.run("downtime", "add", "move", "--host", "here", "--for", "1h", "--comment", "moving")[0] == 0
    process.kill()
    process.wait()
    shop.there.unlink()
    # People are asked of once nothing else refuses: two failures, and the wait since the heal before.
    until(lambda: "left alone: downtime 'move'" in said(shop, "check", "--heal")[1], "the gate")
    assert not shop.there.exists()


def test_without_a_rule_and_with_once_it_is_refused(shop: World) -> None:
    status, _, words = shop.run("run", "--heal")
    assert status == 3
    assert "has no `heal:`, so that there is no rule to heal by" in words
    status, _, words = shop.run("run", "--heal", "--once")
    assert status == 3
    assert "`infratest check --heal` looks once and heals" in words


def said(shop: World, *words: str) -> tuple[int, str]:
    done = run(shop.folder, "infratest", *words)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr
