"""People told of what a heal has made worse: when they are told again, what that may take, and what it sets off."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import HealError, SendError, StateError
from infratest.heal import telling, verifying
from infratest.heal.audit import Audit
from infratest.heal.means import Pager
from infratest.heal.records import note
from infratest.model import Result
from infratest.store.directory import StateDir
from tests.heal.test_collect_and_neighbours import SHOP, Killed, Waiting
from tests.worlds.heal_world import World, result_id

ID = result_id("web-1")


@dataclass
class Post:
    """Who is told, unless they are away; each try to tell somebody, with the seconds that it may take."""

    away: bool = True
    named: bool = True
    tries: list[float] = field(default_factory=list)
    told: list[Result] = field(default_factory=list)

    @property
    def pager(self) -> Pager:
        return Pager(receivers=self.receivers, deliver=self.deliver)

    def receivers(self, to: object) -> list[str]:
        if not self.named:
            raise HealError("`tell:` names nobody for every result: name receivers, as `page: oncall`")
        return ["oncall"]

    def deliver(self, result: Result, name: str, deadline: Deadline) -> str:
        self.tries.append(deadline.left)
        if self.away:
            raise SendError("503")
        self.told.append(result)
        return ""


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def waiting(world: World, state: StateDir) -> Waiting:
    """A heal that has made a neighbour worse, seen by nobody yet; what it was for is well by now."""
    made = Waiting(world, state)
    world.sick = set()
    return made


def left(waiting: Waiting) -> dict[str, Any]:
    return verifying.pending(waiting.state, "shop/prod")


def test_people_are_told_again_once_a_minute_and_that_is_no_news(waiting: Waiting, post: Post) -> None:
    (first,) = waiting.heal(3601.0, page=post.pager)
    assert (first.worse, first.known) == ((SHOP,), False)
    assert [waiting.heal(1.0, page=post.pager) for _ in range(59)] == [[]] * 59
    (again,) = waiting.heal(1.0, page=post.pager)
    assert (again.known, len(post.tries)) == (True, 2)
    assert note([again])[0].endswith("; page: nobody could be told: page: oncall: 503")
    post.away = False
    waiting.heal(60.0, page=post.pager)
    assert (len(post.told), left(waiting)) == (1, {})


def test_where_the_stack_file_names_nobody_there_is_nobody_to_tell(waiting: Waiting, post: Post) -> None:
    post.named = False
    (record,) = waiting.heal(3601.0, page=post.pager)
    assert record.paged.startswith("nobody could be told: page: `tell:` names nobody")
    assert (waiting.heal(60.0, page=post.pager), left(waiting)) == ([], {})


def test_all_that_is_told_again_in_one_run_has_one_time(
    waiting: Waiting, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting.heal(3601.0, page=post.pager)
    (one,) = left(waiting).values()
    for number in range(3):  # more of them, each for another result
        verifying.keep(waiting.state, "shop/prod", result_id("web-1", f"other-{number}"), replace(one, told=number))
    gone = [0.0]
    monkeypatch.setattr(telling, "Deadline", lambda seconds: Deadline(seconds, lambda: gone[0]))

    def hangs(result: Result, name: str, deadline: Deadline) -> str:
        gone[0] += 15.0
        post.tries.append(gone[0])
        raise SendError("no answer")

    post.tries.clear()
    waiting.heal(60.0, page=Pager(receivers=lambda to: ["oncall"], deliver=hangs))
    assert post.tries == [15.0, 30.0], "the third is told another time"
    told = {id: one.told for id, one in left(waiting).items()}
    assert sorted(told.values())[:2] == [2.0, waiting.world.now - 60.0], "those that were told last wait"


def test_a_clock_that_was_set_back_has_nobody_told_for_ever(waiting: Waiting, post: Post) -> None:
    waiting.heal(3601.0, page=post.pager)
    waiting.heal(-86400.0, page=post.pager)
    assert (len(post.tries), left(waiting)) == (2, {})


def test_the_hour_is_one_of_telling_and_not_of_the_heal(waiting: Waiting, post: Post) -> None:
    """What has found it was killed before it told anybody, and the next check came hours later."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telling, "paged", killed)
        with pytest.raises(Killed):
            waiting.heal(3601.0, page=post.pager)
    (first,) = waiting.heal(5 * 3600.0, page=post.pager)
    assert (first.known, len(left(waiting))) == (False, 1)
    waiting.heal(3599.0, page=post.pager)
    assert (len(post.tries), len(left(waiting))) == (2, 1)
    waiting.heal(60.0, page=post.pager)
    assert (len(post.tries), left(waiting)) == (3, {})


def killed(*about: object) -> None:
    raise Killed


def test_what_it_has_cost_its_rule_it_costs_once_whatever_the_clock_says(waiting: Waiting, post: Post) -> None:
    waiting.heal(3601.0, page=post.pager)
    for _ in range(3):  # a grant of a clock that is behind is older than the loss, and meant all the same
        waiting.heal(60.0, page=post.pager, granted=lambda rule: waiting.world.now - 86400.0)
    assert len(waiting.lost) == 1


@pytest.mark.parametrize("gone", ["rule", "host"])
def test_people_are_told_although_the_rule_or_the_host_is_gone_by_then(
    waiting: Waiting, post: Post, state: StateDir, gone: str
) -> None:
    waiting.heal(3601.0, page=post.pager)
    post.away = False
    if gone == "rule":
        waiting.rule = replace(waiting.rule, name="another")
    else:
        waiting.world.hosts = {}
    (record,) = waiting.heal(60.0, page=post.pager)
    assert (record.paged, left(waiting)) == ("oncall was told", {})
    assert post.told[0].reason.endswith(f"healing is at its end: hook touch done made {SHOP} worse: undone, as before")


@pytest.mark.parametrize("late", [False, True])
def test_what_names_the_undo_is_told_although_the_result_is_red_still(waiting: Waiting, post: Post, late: bool) -> None:
    """Nothing is tried again for it, and nobody is told of that instead."""
    waiting.world.sick = {"web-1"}
    short = Deadline(9.0, lambda: 0.0)  # no undo is begun with so little
    records = waiting.heal(3601.0, deadline=short, page=post.pager)
    command = f"infratest heal undo {waiting.state.read('heal.jsonl')[0]['try']}"
    assert [one.outcome for one in records] == ["tried", "refused"]
    (line,) = note(records)
    assert line.startswith(f"hook touch done made {SHOP} worse, now CRITICAL: not undone, ")
    assert f"`{command}` does; given up; page: nobody could be told" in line
    assert len(post.tries) == 1, "one that cannot be reached is not tried twice in a run"
    waiting.heal(3601.0 if late else 1.0, deadline=short, page=post.pager)
    post.away = False
    (line,) = note(waiting.heal(60.0, deadline=short, page=post.pager))
    assert line.endswith("page: oncall was told")
    assert [f"made {SHOP} worse: not undone, " in one.reason for one in post.told] == [True]
    assert [f"`{command}` does" in one.reason for one in post.told] == [True]
    (line,) = note(waiting.heal(60.0, deadline=short, page=post.pager))
    assert line == f"not healed: given up in this problem: hook touch done made {SHOP} worse"


def test_what_it_has_made_worse_is_undone_although_the_loss_could_not_be_written_down(waiting: Waiting) -> None:
    full = StateError("the disk is full")

    def lost(rule: object, why: str) -> None:
        raise full

    with pytest.raises(StateError):
        waiting.heal(3601.0, lost=lost)
    assert not waiting.done.exists()
    waiting.heal(60.0)
    assert len(waiting.lost) == 1


def test_who_was_told_is_known_until_all_are_although_a_new_file_of_the_audit_was_begun(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, away = list[str](), [True]

    def deliver(result: Result, name: str, deadline: Deadline) -> str:
        if name == "chat" and away[0]:
            raise SendError("503")
        told.append(name)
        return ""

    pager = Pager(receivers=lambda to: ["oncall", "chat"], deliver=deliver)
    waiting.heal(3601.0, page=pager)
    monkeypatch.setenv("INFRATEST_KEEP_SIZE", "1KiB")
    waiting.heal(60.0, page=pager)
    assert (waiting.state.path / "heal.1.jsonl").exists()
    away[0] = False
    waiting.heal(60.0, page=pager)
    assert (told, left(waiting)) == (["oncall", "chat"], {})


def test_a_drill_overwrites_nothing_that_people_are_yet_to_be_told(
    waiting: Waiting, post: Post, state: StateDir
) -> None:
    waiting.heal(3601.0, page=post.pager)
    noted = left(waiting)
    waiting.world.sick = {"web-1"}
    (record,) = waiting.heal(3600.0, page=post.pager, drilled="mend-web")
    assert (record.outcome, left(waiting), len(post.tries)) == ("refused", noted, 1)
    assert record.reason == "people are yet to be told what hook touch done has made worse"


def test_what_a_drill_does_after_it_says_nothing_of_a_heal_that_waits(waiting: Waiting, state: StateDir) -> None:
    """What is red in a drill is so on purpose."""
    waiting.done.unlink()
    waiting.world.sick, waiting.rule = {"web-1"}, replace(waiting.rule, settles=(), do=(("provision", {}),))
    waiting.heal(3601.0, drilled="mend-web")
    first, second = Audit(state, "shop/prod", waiting.world.now, looking=True).tries
    assert [(one.drill, one.gone, one.failed(waiting.world.now)) for one in (first, second)] == [
        (False, True, True),
        (True, False, False),
    ]
    assert waiting.lost == []
