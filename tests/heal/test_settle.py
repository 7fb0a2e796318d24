"""`settle:` of a rung, the time that it has to take effect: within the act, and over as many checks as it takes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, repeat

from infratest.deadline import Deadline
from infratest.errors import HealError
from infratest.heal.healing import heal
from infratest.remedies.base import Replacing
from infratest.store.directory import StateDir
from tests.worlds.heal_world import World, make_report, make_result, make_rule


def test_a_successor_is_given_the_time_of_its_rung(world: World, state: StateDir) -> None:
    looks = chain(["critical", "critical"], repeat("ok"))

    def replaced(keep: float, arrived: object, proven: Callable[[], str], deadline: Deadline) -> str:
        if why := proven():
            raise HealError(f"its successor is no better: {why}")
        return "it was replaced"

    means = world.means(
        rerun=lambda ids: make_report([make_result(next(looks))]),
        replacing=lambda name: Replacing(fenced=lambda deadline: (True, "stopped"), replace=replaced),
    )
    rule = make_rule(do=(("replace", {}),), settles=(60.0,))
    (record,) = heal(world.report(), [rule], state, means, history={})
    assert (record.error, record.verified) == ("", True)
