"""Two healers with a state directory each, as an HA pair of pollers: the healing mark keeps one of them off."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import TransportError, Unreachable
from infratest.heal import proposals
from infratest.heal.healing import heal
from infratest.heal.mark import Mark, healer
from infratest.heal.proposals import Approval
from infratest.heal.records import HealRecord, note
from infratest.hosts import Host
from infratest.project.outlook import other_monitors
from infratest.remedies.base import Power
from infratest.stack.monitor import Alive, Monitor, StorePlace
from infratest.store.directory import StateDir
from infratest.transports.base import Transport
from tests.worlds.heal_world import World, closed, make_result, make_rule, open_local
from tests.worlds.monitor_world import until

HOST = Host(name="web-1", groups=("web",), transport="local")


@pytest.fixture
def way() -> Iterator[Transport]:
    transport = open_local(HOST, Deadline(5))
    yield transport
    transport.close()


def mark(way: Transport | None, folder: Path, healer: str, name: str = "shop prod web-1") -> Mark:
    return Mark(way, HOST, name, "mend-web", healer, str(folder))


def take(one: Mark, seconds: float = 60.0, wait: float = 0.0) -> Any:
    return one.take(seconds, lambda: 5.0, Deadline(wait))


def test_one_of_two_has_it_and_the_other_is_told_who(way: Transport, tmp_path: Path) -> None:
    one, two = mark(way, tmp_path, "aaaa"), mark(way, tmp_path, "bbbb")
    assert take(one).held == ""
    told = take(two).held
    assert told.startswith("web-1 is being healed by ")
    assert "rule mend-web" in told
    assert take(mark(way, tmp_path, "bbbb", "shop prod web-2")).held == ""
    one.give_back(Deadline(5))
    then = take(two)
    assert (then.held, then.waited) == ("", True)  # the other has healed since we looked: look again


def test_who_takes_it_in_the_midst_of_its_giving_back_knows_that_another_has_healed(
    way: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "ln"
    slow.parent.mkdir()
    slow.write_text(SLOW_LN.format(folder=tmp_path, ln=shutil.which("ln")))
    slow.chmod(0o755)
    one, two = mark(way, tmp_path, "aaaa"), mark(way, tmp_path, "bbbb")
    assert take(one).held == ""
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    giving = threading.Thread(target=one.give_back, args=(Deadline(20),))
    giving.start()
    until(lambda: (tmp_path / "waits").exists(), "the end is being written down")
    here = open_local(HOST, Deadline(5))
    told = mark(here, tmp_path, "bbbb").take(60.0, lambda: 5.0, Deadline(0.0))
    (tmp_path / "go").touch()
    giving.join(20)
    assert told.held.startswith("web-1 is being healed by ")
    assert (take(two).held, take(two).waited) == ("", True)
    here.close()


#: The first that asks for a link waits with it.
SLOW_LN = """#!/bin/sh
if mkdir {folder}/waits 2>/dev/null; then while [ ! -e {folder}/go ]; do sleep 0.05; done; fi
exec {ln} "$@"
"""


def test_one_whose_end_has_passed_is_in_nobodys_way(way: Transport, tmp_path: Path) -> None:
    assert take(mark(way, tmp_path, "aaaa"), seconds=-40.0).held == ""
    assert take(mark(way, tmp_path, "bbbb")).held == ""


def test_one_of_another_boot_is_in_nobodys_way(way: Transport, tmp_path: Path) -> None:
    (tmp_path / "infratest").mkdir()
    (tmp_path / "infratest" / "healing-shop_prod_web_1").symlink_to("another-boot 99999999 jane process 1 rule x aaaa")
    assert take(mark(way, tmp_path, "bbbb")).held == ""


def test_our_own_of_a_killed_run_is_taken_over(way: Transport, tmp_path: Path) -> None:
    take(mark(way, tmp_path, "aaaa"))
    assert take(mark(way, tmp_path, "aaaa")).held == ""


def test_of_many_at_once_one_has_it(tmp_path: Path) -> None:
    (tmp_path / "infratest").mkdir()
    (tmp_path / "infratest" / "healing-shop_prod_web_1").symlink_to("another-boot 1 jane process 1 rule x aaaa")
    answers: list[str] = []

    def one(number: int) -> None:
        transport = open_local(HOST, Deadline(20))
        answers.append(take(mark(transport, tmp_path, f"healer{number}")).held)
        transport.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(bool(answer) for answer in answers) == [False] + [True] * 11


def test_where_none_can_be_put_it_is_told(way: Transport, tmp_path: Path) -> None:
    (tmp_path / "infratest").write_text("in the way")
    assert "infratest" in take(mark(way, tmp_path, "aaaa")).problem
    assert take(mark(None, tmp_path, "aaaa")).problem == "web-1 cannot be connected to"


def test_two_state_directories_heal_one_fault_once(world: World, tmp_path: Path) -> None:
    begun, go_on, found = threading.Event(), threading.Event(), list[HealRecord]()

    def first_act(name: str) -> None:
        begun.set()
        go_on.wait(20)

    world.on_act = first_act
    world.now = time.time()
    report, rule = world.report(), make_rule()

    def poller(name: str) -> None:
        found.extend(heal(report, [rule], StateDir(tmp_path / name), world.means(clock=time.time), history={}))

    one, two = (threading.Thread(target=poller, args=(name,)) for name in ("one", "two"))
    one.start()
    assert begun.wait(20)
    two.start()
    go_on.set()
    one.join(30)
    two.join(30)
    assert len(world.acts) == 1
    assert sorted(record.ending for record in found) == ["healed", "recovered"]


@pytest.mark.parametrize(
    ("seen", "ending", "closed_by"),
    [
        ({"state": "unknown", "reason": "login refused"}, "refused", ["qualify", "confirm"]),
        ({"state": "unknown", "blocked_by": "reachable@web-1"}, "refused", ["qualify", "confirm"]),
        ({"state": "warning"}, "refused", ["qualify", "confirm"]),
        ({"state": "critical"}, "failed", []),
    ],
)
def test_what_is_seen_once_another_healer_has_ended_is_asked_of_every_gate(
    world: World, state: StateDir, tmp_path: Path, seen: dict[str, str], ending: str, closed_by: list[str]
) -> None:
    report = world.report()
    world.look = lambda host: make_result(host=host, **seen)
    transport = open_local(HOST, Deadline(5))
    other = mark(transport, tmp_path, "cccc")
    take(other)
    other.give_back(Deadline(5))
    transport.close()
    (record,) = heal(report, [make_rule()], state, world.means(), history={})
    assert (record.ending, closed(record)) == (ending, closed_by)
    assert bool(world.acts) == (ending == "failed")
    assert record.after is not None
    assert record.after.state == seen["state"]  # the report shows what was seen last


def test_who_waits_in_vain_is_told_by_whom_it_is_healed(world: World, state: StateDir, tmp_path: Path) -> None:
    transport = open_local(HOST, Deadline(5))
    take(mark(transport, tmp_path, "cccc"))
    (record,) = heal(world.report(), [make_rule()], state, world.means(deadline=Deadline(2.0)), history={})
    transport.close()
    assert closed(record) == ["healing mark"]
    assert note([record])[0].startswith("not healed: web-1 is being healed by ")
    assert world.acts == []


PEER = "the monitor at https://west.example:9917 (`alive: peer`)"


def unreachable(host: Host, deadline: Deadline) -> Transport:
    raise Unreachable("no route to host")


def test_where_none_can_be_put_and_another_monitor_may_heal_a_person_decides(world: World, state: StateDir) -> None:
    def once() -> HealRecord:
        world.now += 60
        means = world.means(open_transport=unreachable, others=PEER)
        (record,) = heal(world.report(), [make_rule()], state, means, history={})
        return record

    record = once()
    assert (record.outcome, closed(record), world.acts) == ("proposed", ["healing mark"], [])
    why = "no healing mark could be put on it: web-1 cannot be connected to"
    assert record.reason == f"{why}, and {PEER} may heal it too: a person decides"
    approval = Approval(by="alice(1000)@desk", time=world.now)
    proposals.approve(state, "shop/prod", record.proposal, approval, None, 1, frozenset())
    record = once()
    assert (record.verified, len(world.acts)) == (True, 1)
    assert record.gates[-1].reason.endswith("; approved by alice(1000)@desk")


def test_where_none_can_be_put_and_nobody_else_is_known_of_it_goes_on(world: World, state: StateDir) -> None:
    means = world.means(open_transport=unreachable)
    (record,) = heal(world.report(), [make_rule()], state, means, history={})
    assert (record.verified, len(world.acts)) == (True, 1)
    assert record.gates[-1].reason.endswith("cannot be connected to; no other monitor is known of")


def test_what_its_provider_does_for_us_alone_needs_none(world: World, state: StateDir) -> None:
    done: list[str] = []
    power = Power(
        halt=lambda deadline: done.append("halt"),
        start=lambda deadline: done.append("start"),
        state=lambda deadline: "stopped",
    )
    ways = iter([unreachable])

    def way(host: Host, deadline: Deadline) -> Transport:
        return next(ways, open_local)(host, deadline)

    means = world.means(open_transport=way, others=PEER, power=lambda name: power)
    (record,) = heal(world.report(), [make_rule(do=(("power-cycle", {}),))], state, means, history={})
    assert (done, record.error) == (["halt", "start"], "")
    assert "; its provider does this for nobody but who has made it, and that is locked here" in record.gates[-1].reason


def test_a_copied_state_directory_does_not_take_the_mark_of_the_one_it_is_from(
    way: Transport, state: StateDir, tmp_path: Path
) -> None:
    mine = healer(state)
    shutil.copytree(state.path, tmp_path / "copy", copy_function=shutil.copy2)
    copy = StateDir(tmp_path / "copy")
    assert copy.id == state.id
    assert take(mark(way, tmp_path, mine)).held == ""
    assert take(mark(way, tmp_path, healer(copy))).held.startswith("web-1 is being healed by ")
    assert healer(StateDir(state.path)) == mine
    assert take(mark(way, tmp_path, mine)).held == ""  # as after a kill


def test_the_engine_marks_as_this_directory(world: World, state: StateDir, tmp_path: Path) -> None:
    seen: list[str] = []
    world.on_act = lambda name: seen.extend(links(tmp_path).values())
    (record,) = heal(world.report(), [make_rule()], state, world.means(), history={})
    assert (record.verified, [one.split()[-1] for one in seen]) == (True, [healer(state)])


def links(folder: Path) -> dict[str, str]:
    return {one.name: str(one.readlink()) for one in (folder / "infratest").iterdir()}


def test_it_follows_to_the_host_as_it_is_since_a_boot(way: Transport, tmp_path: Path) -> None:
    one = Mark(way, HOST, "shop prod web-1", "mend-web", "aaaa", str(tmp_path), lambda limit: open_local(HOST, limit))
    take(one)
    (tmp_path / "infratest" / "healing-shop_prod_web_1").unlink()  # a boot empties the folder
    since = open_local(HOST, Deadline(5))
    one.follow(since)
    since.close()
    assert take(mark(way, tmp_path, "bbbb")).held.startswith("web-1 is being healed by ")
    one.give_back(Deadline(5))
    assert list(links(tmp_path)) == ["healing-shop_prod_web_1.last"]


def test_it_follows_where_none_could_be_put_before(way: Transport, tmp_path: Path) -> None:
    one = Mark(None, HOST, "shop prod web-1", "mend-web", "aaaa", str(tmp_path), lambda limit: open_local(HOST, limit))
    assert take(one).problem
    one.follow(way)
    assert take(mark(way, tmp_path, "bbbb")).held
    one.give_back(Deadline(5))
    assert take(mark(way, tmp_path, "bbbb")).held == ""


def test_one_of_another_is_not_taken_by_following(way: Transport, tmp_path: Path) -> None:
    one = Mark(None, HOST, "shop prod web-1", "mend-web", "aaaa", str(tmp_path), lambda limit: open_local(HOST, limit))
    take(one)
    take(mark(way, tmp_path, "bbbb"))
    one.follow(way)
    one.give_back(Deadline(5))
    assert links(tmp_path)["healing-shop_prod_web_1"].endswith(" bbbb")


@pytest.mark.parametrize(
    ("monitor", "words"),
    [
        (None, ""),
        (Monitor(), ""),
        (Monitor(alive=Alive(ping="https://cries.example/")), ""),
        (Monitor(alive=Alive(peer="https://west.example:9917")), PEER),
        (Monitor(alive=Alive(peer="https://west.example:9917"), store=StorePlace(url="postgresql://m@db/m")), PEER),
        (Monitor(store=StorePlace(url="postgresql://m@db/m")), "another one on the same PostgreSQL (`store: url`)"),
    ],
)
def test_who_else_may_heal_is_known_by_the_stack_file(monitor: Monitor | None, words: str) -> None:
    assert other_monitors(monitor) == words


def settles(one: Mark, seconds: float = 60.0) -> Mark:
    """Take it, and act: what was done has so many seconds to take effect."""
    assert take(one).held == ""
    one.settles(seconds)
    one.keep(Deadline(5))
    return one


def asked(one: Mark, result: str = "shop@web-1") -> str:
    """Return what holds up one who would act by the rule."""
    return str(one.take(60.0, lambda: 5.0, Deadline(0.0), result).held)


def test_that_it_has_yet_to_take_effect_is_there_at_once_and_until_it_is_known_what_came_of_it(
    way: Transport, tmp_path: Path
) -> None:
    one = settles(mark(way, tmp_path, "aaaa"))
    (tmp_path / "infratest" / "healing-shop_prod_web_1").unlink()  # its end has come
    assert " s more to take effect" in asked(mark(way, tmp_path, "bbbb"))
    one.give_back(Deadline(5))
    assert " s more to take effect" in asked(mark(way, tmp_path, "bbbb"))
    take(mark(way, tmp_path, "cccc"))  # for an undo, which does not wait for it
    mark(way, tmp_path, "cccc").settled(Deadline(5))
    assert "healing-shop_prod_web_1.settles-mend_web" in links(tmp_path)
    mark(way, tmp_path, "aaaa").settled(Deadline(5))  # a later check
    assert "healing-shop_prod_web_1.settles-mend_web" not in links(tmp_path)


def test_what_it_has_helped_may_be_healed_anew_and_what_else_fails_on_the_host_waits(
    way: Transport, tmp_path: Path
) -> None:
    one = settles(mark(way, tmp_path, "aaaa"))
    one.helped("shop@web-1")
    one.give_back(Deadline(5))
    told = asked(mark(way, tmp_path, "bbbb"), "beside@web-1")
    assert re.fullmatch(
        r"what \S+ process \d+ rule mend-web aaaa has done to web-1 has \d+ s more to take effect", told
    )
    assert asked(mark(way, tmp_path, "bbbb"), "shop@web-1") == ""


#: A disk that is full for what takes effect, until there is room.
FULL = """#!/bin/sh
case "$*" in *.settles-*) [ -e {folder}/room ] || {{ echo "No space left on device" >&2; exit 1; }} ;; esac
exec {ln} "$@"
"""


def test_what_could_not_be_put_on_a_full_disk_is_put_later_and_takes_nothing_away(
    way: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "bin" / "ln"
    full.parent.mkdir()
    full.write_text(FULL.format(folder=tmp_path, ln=shutil.which("ln")))
    full.chmod(0o755)
    monkeypatch.setenv("PATH", f"{full.parent}:{os.environ['PATH']}")
    one = settles(mark(way, tmp_path, "aaaa"))
    assert list(links(tmp_path)) == ["healing-shop_prod_web_1"]
    (tmp_path / "room").touch()
    one.give_back(Deadline(5))
    (tmp_path / "room").unlink()
    assert " s more to take effect" in asked(mark(way, tmp_path, "bbbb"))
    again = settles(mark(way, tmp_path, "aaaa"), 600.0)
    again.give_back(Deadline(5))
    assert " s more to take effect" in asked(mark(way, tmp_path, "bbbb"))


class Ended:
    """A connection that a boot has ended."""

    def run(self, *about: object, **more: object) -> object:
        raise Unreachable("the connection has ended")

    def close(self) -> None:
        pass


def test_what_has_yet_to_take_effect_is_put_on_the_host_as_it_is_since_a_boot(way: Transport, tmp_path: Path) -> None:
    opened: list[Transport] = []

    def again(limit: Deadline) -> Transport:
        opened.append(open_local(HOST, limit))
        return opened[-1]

    one = Mark(way, HOST, "shop prod web-1", "mend-web", "aaaa", str(tmp_path), again)
    take(one)
    (tmp_path / "infratest" / "healing-shop_prod_web_1").unlink()
    one._transport = Ended()  # type: ignore[assignment]
    one.settles(60.0)
    one.keep(Deadline(5))
    assert " s more to take effect" in asked(mark(way, tmp_path, "bbbb"))
    one.give_back(Deadline(5))
    assert len(opened) == 1  # one is enough for both


def test_it_is_put_anew_for_what_is_done_after_its_end(way: Transport, tmp_path: Path) -> None:
    one = mark(way, tmp_path, "aaaa")
    take(one, 0.0)
    assert one.renew(60.0, Deadline(0.0)) == ""
    (link,) = links(tmp_path).values()
    assert int(link.split()[1]) >= float(Path("/proc/uptime").read_text().split()[0]) + 60.0
    (tmp_path / "infratest" / "healing-shop_prod_web_1").unlink()
    take(mark(way, tmp_path, "bbbb"))
    assert one.renew(900.0, Deadline(0.0)).startswith("web-1 is being healed by ")


@pytest.mark.parametrize("follows", [False, True])
def test_a_mark_of_which_nothing_was_done_leaves_what_has_yet_to_take_effect(
    way: Transport, tmp_path: Path, follows: bool
) -> None:
    settles(mark(way, tmp_path, "aaaa")).give_back(Deadline(5))
    again = mark(way, tmp_path, "aaaa")  # as for another failure there
    assert take(again).held == ""
    if follows:  # cut off in an act that has had the host boot
        again._again = lambda limit: open_local(HOST, limit)
        again.follow(way, 60.0)
    again.give_back(Deadline(5))
    assert " s more to take effect" in asked(mark(way, tmp_path, "bbbb"))
    other = mark(way, tmp_path, "aaaa")
    assert take(other).held == ""
    other.settles(0.0)
    other.give_back(Deadline(5))
    assert asked(mark(way, tmp_path, "bbbb")) == ""


class Slow:
    """A connection on which one command takes too long."""

    def __init__(self, way: Transport) -> None:
        self.way, self.slow = way, True

    def run(self, *about: Any, **more: Any) -> Any:
        if self.slow:
            self.slow = False
            raise TransportError("it took too long")
        return self.way.run(*about, **more)

    def close(self) -> None:
        pass


def test_a_connection_that_was_slow_once_is_good_enough_where_no_other_comes_about(
    way: Transport, tmp_path: Path
) -> None:
    def again(limit: Deadline) -> Transport:
        raise Unreachable("no route to host")

    one = Mark(way, HOST, "shop prod web-1", "mend-web", "aaaa", str(tmp_path), again)
    assert take(one).held == ""
    one.settles(60.0)
    one._transport = Slow(way)  # type: ignore[assignment]
    one.keep(Deadline(5))
    one.give_back(Deadline(5))
    assert "healing-shop_prod_web_1" not in links(tmp_path)
    assert " s more to take effect" in asked(mark(way, tmp_path, "bbbb"))
