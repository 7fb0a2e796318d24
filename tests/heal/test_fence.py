"""The gate `fence`: a host that is not known to be out of service gets no successor, and only `replace` asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.heal.gates import Limits
from infratest.heal.healing import heal
from infratest.heal.records import note
from infratest.model import Report
from infratest.remedies.base import Replacing
from infratest.store.directory import StateDir
from tests.worlds.heal_world import World, closed, events, make_result, make_rule, result_id, run

REPLACE = make_rule(do=(("replace", {"keep-old": "1h"}),))
STARTING = "it is starting by its provider's word, which is not stopped: have it stopped there, or wait until it runs"


@dataclass
class Provided:
    """What replaces a host, as the engine sees it; what it was asked is in `asked`."""

    world: World
    fence: tuple[bool, str] = (True, "its provider says that it is stopped")
    problem: str = ""
    asked: list[object] = field(default_factory=list)
    seconds: float = 0.0

    def fenced(self, deadline: Deadline) -> tuple[bool, str]:
        self.asked.append("fenced")
        return self.fence

    def replace(
        self, keep: float, arrived: Callable[[], None], proven: Callable[[float], str], deadline: Deadline
    ) -> str:
        self.asked.append(("replace", keep))
        self.seconds = deadline.seconds
        if self.problem:
            raise ProviderError(self.problem)
        if self.world.helps:
            self.world.sick.discard("web-1")
        why = proven(deadline.left)
        if why:
            raise ProviderError(f"its successor is no better: {why}; the old one is in its place again, started")
        return "another host was made in its place"

    def put_back(self, deadline: Deadline) -> str:
        self.asked.append("put back")
        return "web-1 is itself again"

    def of(self, name: str) -> Replacing:
        return Replacing(fenced=self.fenced, replace=self.replace, put_back=self.put_back)


def test_one_that_is_out_of_service_is_replaced_and_that_is_on_record(world: World, state: StateDir) -> None:
    provided = Provided(world)
    (record,) = heal(world.report(), [REPLACE], state, world.means(replacing=provided.of), history={})
    assert (record.verified, record.remedy, provided.asked[-1]) == (True, "replace", ("replace", 3600.0))
    assert [one.reason for one in record.gates if one.name == "fence"] == [provided.fence[1]]


def test_one_that_may_be_in_service_is_refused_and_said_what_to_do(world: World, state: StateDir) -> None:
    provided = Provided(world, fence=(False, STARTING))
    (record,) = heal(world.report(), [REPLACE], state, world.means(replacing=provided.of), history={})
    assert (record.outcome, closed(record), set(provided.asked)) == ("refused", ["fence"], {"fenced"})
    assert note([record]) == [f"not healed: {STARTING}"]
    assert events(state) == ["refused"]


def test_with_too_little_time_left_nothing_is_stopped(world: World, state: StateDir) -> None:
    provided = Provided(world)
    means = world.means(replacing=provided.of, deadline=Deadline(50))
    (record,) = heal(world.report(), [REPLACE], state, means, history={})
    assert (record.outcome, closed(record), provided.asked) == ("refused", ["time"], [])
    assert record.reason.endswith(
        " of this run are left, and it is begun with 60 s at least; give it more with --timeout"
    )


def test_where_the_time_of_its_rung_is_more_than_there_is_nothing_is_made(world: World, state: StateDir) -> None:
    provided = Provided(world)
    rule, world.limits = replace(REPLACE, settles=(300.0,)), Limits(settle=10.0)
    means = world.means(replacing=provided.of, deadline=Deadline(400))
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert (record.outcome, closed(record), provided.asked) == ("refused", ["time"], [])
    assert "it is begun with 422.5 s at least" in record.reason
    means = replace(means, deadline=Deadline(430))
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert record.verified
    world.sick.add("web-1")
    world.now += 60
    hours = replace(REPLACE, name="hours", settles=(7200.0,))
    (record,) = heal(world.report(), [hours], state, world.means(replacing=provided.of), history={})
    assert (record.verified, provided.seconds) == (True, 1800 + 7200)


def test_a_person_does_not_open_it(world: World, state: StateDir) -> None:
    provided = Provided(world, fence=(False, STARTING))
    rule = make_rule(do=REPLACE.do, mode="propose")
    (record,) = heal(world.report(), [rule], state, world.means(replacing=provided.of), history={})
    assert (record.outcome, closed(record)) == ("refused", ["fence", "mode"])


def test_without_a_provider_that_can_tell_nothing_is_done(world: World, state: StateDir) -> None:
    (record,) = run(world, state, REPLACE)
    assert (record.outcome, closed(record)) == ("refused", ["fence"])
    assert record.reason == "nothing here can tell whether it is out of service"


def test_only_the_rung_that_replaces_asks_for_it(world: World, state: StateDir) -> None:
    world.helps = False
    provided = Provided(world, fence=(False, STARTING))
    ladder = make_rule(do=(("provision", {}), *REPLACE.do))
    first, second = heal(world.report(), [ladder], state, world.means(replacing=provided.of), history={})
    assert (first.outcome, first.remedy, closed(first)) == ("tried", "provision", [])
    assert (second.outcome, second.remedy, closed(second)) == ("refused", "replace", ["fence"])


def test_each_try_counts_for_the_budget(world: World, state: StateDir) -> None:
    provided = Provided(world, problem="create web-1: no room")
    rule = make_rule(do=REPLACE.do, tries=2, per=3600.0)
    outcomes = []
    for _ in range(4):
        world.now += 600
        means = world.means(replacing=provided.of)
        outcomes += [one.outcome for one in heal(world.report(), [rule], state, means, history={})]
    assert outcomes == ["tried", "tried", "refused", "refused"]
    assert provided.asked.count(("replace", 3600.0)) == 2


def test_a_successor_that_is_no_better_is_told_as_no_help(world: World, state: StateDir) -> None:
    world.helps = False
    provided = Provided(world)
    (record,) = heal(world.report(), [REPLACE], state, world.means(replacing=provided.of), history={})
    assert (record.verified, record.ending) == (False, "failed")
    assert record.error.startswith("replace web-1: its successor is no better: port 80 is not listening; the old one")


@pytest.mark.parametrize("worse", [False, True])
def test_a_neighbour_that_is_worse_has_the_old_one_put_back(world: World, state: StateDir, worse: bool) -> None:
    provided, beside = Provided(world), result_id("web-1", "beside")

    def rerun(ids: list[str]) -> Report:
        made = world.rerun([id for id in ids if id != beside])
        broken = worse and "web-1" not in world.sick and "put back" not in provided.asked
        more = [make_result("critical" if broken else "ok", id=beside)] if beside in ids else []
        found: Report = made.changed(results=[*made.results, *more])
        return found

    means = world.means(replacing=provided.of, rerun=rerun, neighbours=lambda rule: [beside])
    rule = make_rule(do=REPLACE.do, neighbours="@web")
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert ("put back" in provided.asked) is worse
    assert record.undone == ("undone, web-1 is itself again" if worse else "")
    assert record.verified is not worse


@pytest.mark.parametrize("neighbours", ["", "@web"])
def test_time_is_kept_for_the_undo_where_a_neighbour_may_be_worse(
    world: World, state: StateDir, neighbours: str
) -> None:
    provided, beside = Provided(world), result_id("web-1", "beside")

    def rerun(ids: list[str]) -> Report:
        made = world.rerun([id for id in ids if id != beside])
        found: Report = made.changed(results=[*made.results, make_result("ok", id=beside)])
        return found

    world.limits = replace(world.limits, settle=10.0)
    rule = make_rule(do=REPLACE.do, neighbours=neighbours)
    means = world.means(replacing=provided.of, rerun=rerun, neighbours=lambda rule: [beside], deadline=Deadline(100))
    (record,) = heal(world.report(), [rule], state, means, history={})
    if neighbours:  # 60 s of replace's own and 60 s for two looks and the undo are more than there are
        assert (record.outcome, closed(record), provided.asked) == ("refused", ["time"], [])
        assert "it is begun with 120 s at least" in record.reason
        means = replace(means, deadline=Deadline(200))
        (record,) = heal(world.report(), [rule], state, means, history={})
        assert record.verified
        assert 130 < provided.seconds < 140
    else:
        assert record.verified
        assert 90 < provided.seconds < 100
