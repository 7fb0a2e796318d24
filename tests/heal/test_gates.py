"""Each gate, one row a case: what is changed from a situation in which healing is allowed, and what it says then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infratest.heal.gates import GATES, Answer, Changes, Seen, Situation, Try, gates, refusals, waiting_time
from infratest.heal.ladder import rung_due
from infratest.stack.declared import Proof
from infratest.stack.freeze import Freeze
from infratest.store.failures import Row
from tests.worlds.heal_world import NOON, make_hosts, make_result, make_rule, result_id

MINUTE, HOUR = 60.0, 3600.0
NAMES = tuple(f"web-{number}" for number in range(1, 11))


def history(sick: int, of: int = 10, age: float = 30.0) -> dict[str, Seen]:
    return {
        result_id(name): Seen(host=name, state="critical" if index < sick else "ok", time=NOON - age)
        for index, name in enumerate(NAMES[:of])
    }


def tried(*ago: float, rule: str = "mend-web", host: str = "web-1", ended: bool = True) -> tuple[Try, ...]:
    return tuple(Try(rule=rule, host=host, time=NOON - t, until=NOON - t + MINUTE, ended=ended) for t in ago)


def under_way(*ago: float, **about: Any) -> tuple[Try, ...]:
    """Return heals of another host of which nobody has seen yet whether they helped."""
    return tuple(replace(one, verifying=one.ended) for one in tried(*ago, **{"host": "web-2"} | about))


TOGETHER = {"together": 1, "confirm": 2}
#: Heals of what was removed since: whether they have helped nobody will know.
GONE = tuple(replace(one, gone=True) for one in tried(30 * MINUTE, 20 * MINUTE, 1))
ALLOWED = Situation(
    now=NOON,
    looked=NOON - 5,
    row=Row(state="critical", failures=2, since=NOON - 65, last=NOON - 5),
    hosts=make_hosts(*NAMES),
    history=history(1),
    trust=("auto", "granted by alice(1000)@desk"),
    proof=(True, "proven on dev by drill killed-nginx"),
)
RULE = make_rule(confirm=2, at_most=0.3)
#: What a drill has left behind, which counts in that drill alone.
DRILLED = tuple(replace(one, drill=True) for one in tried(50 * MINUTE, 40 * MINUTE, 9))
PROVEN = make_rule(proof=Proof(drill="killed-nginx"))
#: The moment is a Friday, 08:00 in UTC.
FROZEN = make_rule(freeze=(Freeze(window="Fri 07:59 - Fri 08:01"),))
THAWED = make_rule(freeze=(Freeze(window="Fri 07:00 - Fri 09:00 Europe/Berlin"), Freeze(file="deploying")))
AFTER = make_rule(freeze=(Freeze(provisioned=600.0),))
RESULT = make_result("critical")


def closed(rule: Any = RULE, result: Any = RESULT, **situation: Any) -> list[Answer]:
    return refusals(gates(rule, result, replace(ALLOWED, **situation)))


def test_all_gates_are_open_and_each_says_why() -> None:
    answers = gates(RULE, RESULT, ALLOWED)
    assert [answer.name for answer in answers] == list(GATES)
    assert all(answer.passed and answer.reason for answer in answers)


@pytest.mark.parametrize(
    "changes, gate, words",
    [
        ({"result": make_result("unknown")}, "qualify", "unknown"),
        ({"result": make_result("skipped")}, "qualify", "the result is skipped, the rule is for critical"),
        ({"result": make_result("ok")}, "qualify", "the result is ok"),
        ({"result": make_result("warning")}, "qualify", "the result is warning, the rule is for critical"),
        ({"result": make_result("unknown", blocked_by="a#b@web-1")}, "qualify", "blocked by a#b@web-1"),
        ({"result": make_result("critical", blocked_by="a#b@web-1")}, "qualify", "blocked by a#b@web-1"),
        ({"rule": make_rule(when_state="unknown"), "result": make_result("unknown")}, "qualify", "never healed"),
        ({"looked": NOON - 10 * MINUTE - 1}, "fresh", "stale: seen 10 min ago, at most 10 min is allowed"),
        ({"looked": NOON + 2 * MINUTE}, "fresh", "in the future"),
        ({"row": ALLOWED.row.changed(last=NOON - 1)}, "fresh", "looked at again"),
        ({"hosts": {}}, "target", "no host to act on: the stack has none"),
        (
            {"result": make_result("critical", host="-")},
            "target",
            "no host to act on: the result is of the whole stack",
        ),
        ({"result": make_result("critical", host="web-99")}, "target", "web-99 is none of the stack"),
        ({"unseen": ("db-1", "web-2")}, "seen", "others were not looked at since it failed: db-1, web-2"),
        ({"row": ALLOWED.row.changed(failures=1)}, "confirm", "failure 1 in a row, 2 confirm"),
        ({"row": Row(state="warning", failures=9)}, "confirm", "failure 0 in a row"),
        ({"row": Row(), "rule": make_rule(confirm=0)}, "confirm", "failure 0 in a row, 1 confirm"),
        ({"paused": NOON + HOUR}, "pause", "paused until 2027-01-15 09:00:00 UTC"),
        ({"history": history(4)}, "blast radius", "4 of 10 sick (web-1, web-2, web-3, web-4), at most 3 may be"),
        ({"history": {}}, "blast radius", "no stored result younger than 60 min"),
        ({"history": history(1, of=9)}, "blast radius", "of web-10: check the whole group"),
        ({"history": history(1, age=HOUR + 1)}, "blast radius", "no stored result younger than"),
        ({"history": history(1, age=-2 * MINUTE)}, "blast radius", "no stored result younger than"),
        ({"tries": tried(30, ended=False)}, "concurrency", "no end is on record"),
        ({"tries": tried(30, rule="other", ended=False)}, "concurrency", "rule other began on web-1"),
        (
            {"rule": make_rule(**TOGETHER), "begun": under_way(12.4)},
            "together",
            "1 heal of mend-web is not verified yet (web-2, since 12 s); at most 1 together",
        ),
        (
            {
                "rule": make_rule(confirm=2, together=2),
                "begun": under_way(90) + under_way(7, host="web-3", ended=False),
            },
            "together",
            "2 heals of mend-web are not verified yet (web-2, since 90 s; web-3, since 7 s); at most 2 together",
        ),
        ({"rule": make_rule(**TOGETHER), "begun": under_way(HOUR + MINUTE - 1)}, "together", "since 61 min"),
        ({"rule": make_rule(**TOGETHER), "begun": under_way(MINUTE - 1, ended=False)}, "together", "since 59 s"),
        (
            {"rule": make_rule(**TOGETHER), "begun": [replace(*under_way(HOUR, ended=False), alive=True)]},
            "together",
            "1 heal of mend-web is not verified yet (web-2, since 60 min)",
        ),
        ({"tries": tried(50 * MINUTE, 40 * MINUTE, 30 * MINUTE)}, "budget", "3 of 3 tries in 60 min are used on web-1"),
        ({"rule": make_rule(confirm=2, tries=0)}, "budget", "0 of 0 tries"),
        ({"settling": NOON + MINUTE}, "settling", "what was done has until 2027-01-15 08:01:00 UTC to take effect"),
        ({"tries": DRILLED, "drilled": "mend-web"}, "budget", "3 of 3 tries in 60 min are used on web-1"),
        ({"tries": DRILLED, "drilled": "mend-web"}, "wait", "settling after try 3"),
        (
            {"rule": make_rule(confirm=2, confirm_of=3), "row": ALLOWED.row.changed(looks="c..c")},
            "confirm",
            "failed in 1 of the newest 3 looks, 2 confirm",
        ),
        (
            {"rule": make_rule(confirm=2, confirm_of=3), "row": ALLOWED.row.changed(looks="ww.c")},
            "confirm",
            "failed in 1 of the newest 3 looks, 2 confirm",
        ),
        (
            {
                "rule": make_rule(group=(2, HOUR)),
                "tries": tried(50 * MINUTE, host="web-2") + tried(20 * MINUTE, host="web-3"),
            },
            "group budget",
            "2 of 2 acts in 60 min are used on group web",
        ),
        ({"tries": tried(9)}, "wait", "settling after try 1"),
        ({"tries": tried(100, 19)}, "wait", "settling after try 2"),
        ({"left": 0.0}, "time", "the time of this run is over"),
        ({"left": 59.0, "least": 60.0}, "time", "59 s of this run are left, and it is begun with 60 s at least"),
        ({"rule": make_rule(mode="observe")}, "mode", "never acts"),
        ({"rule": make_rule(mode="propose")}, "mode", "propose: it waits for a person's approval"),
        ({"suppressed": "left alone: downtime 'move' by ann"}, "suppressed", "left alone: downtime 'move' by ann"),
        ({"rule": make_rule(keep=(10, "web"))}, "floor", "9 other hosts of group web are known to be well, 10 must"),
        ({"rule": make_rule(keep=(8, "web")), "history": history(3)}, "floor", "7 other hosts of group web"),
        ({"rule": make_rule(keep=(9, "web")), "history": history(1, of=9)}, "floor", "8 other hosts of group web"),
        ({"witness": (False, "no witness answers: it is us")}, "witness", "no witness answers: it is us"),
        ({"changes": Changes(locks=("somebody deploys",))}, "change", "it asks first: somebody deploys"),
        ({"changes": Changes(drifted=("a drifted", "b drifted"))}, "change", "it asks first: a drifted; b drifted"),
        ({"rule": FROZEN}, "change", "the freeze 'Fri 07:59 - Fri 08:01' is in force"),
        (
            {"rule": AFTER, "changes": Changes(provisioned=NOON - 599)},
            "change",
            "web-1 was provisioned at 2027-01-15 07:50:01 UTC, less than 10 min ago",
        ),
        (
            {"rule": AFTER, "changes": Changes(provisioned=NOON - 40), "tries": tried(41, rule="x")},
            "change",
            "less than",
        ),
        ({"production": True}, "proof", "unproven: on production a rule acts by itself with a `proof:` alone"),
        ({"rule": PROVEN, "proof": (False, "was changed: an image")}, "proof", "was changed: an image"),
        ({"trust": ("propose", "nothing was granted")}, "trust", "trusted to propose, not to act by itself: nothing"),
        ({"trust": ("observe", "the ledger does not hold")}, "trust", "trusted to observe alone: the ledger does not"),
        ({"trust": ("observe", "broken"), "approved": "bob"}, "trust", "trusted to observe alone: broken"),
        ({"trust": ("nonsense", "broken"), "approved": "bob"}, "trust", "trusted to observe alone: broken"),
        ({"rule": make_rule(mode="observe"), "approved": "bob"}, "mode", "never acts"),
        ({"rule": make_rule(mode="observe"), "drilled": "another"}, "mode", "never acts"),
    ],
)
def test_a_gate_refuses(changes: dict[str, Any], gate: str, words: str) -> None:
    reasons = {answer.name: answer.reason for answer in closed(**changes)}
    assert words in reasons[gate]
    assert all(reasons.values())


@pytest.mark.parametrize(
    "changes",
    [
        {
            "rule": make_rule(when_state="warning"),
            "result": make_result("warning"),
            "row": Row(state="warning", failures=1),
        },
        {"looked": NOON - 10 * MINUTE, "row": ALLOWED.row.changed(last=NOON - 10 * MINUTE)},
        {"paused": NOON - 1},
        {"history": history(3)},
        {"rule": make_rule(at_most=0.0)},
        {"tries": tried(2 * HOUR, HOUR, 40 * MINUTE, 30 * MINUTE)},
        {"tries": tried(30 * MINUTE, 20 * MINUTE, 10 * MINUTE, host="web-2")},
        {"tries": tried(30 * MINUTE, 20 * MINUTE, 10 * MINUTE, rule="other")},
        {"tries": tried(61, ended=False)},
        {"tries": GONE},
        {"begun": under_way(9)},
        {"rule": make_rule(**TOGETHER), "begun": under_way(9, host="web-1") + under_way(9, rule="other")},
        {"rule": make_rule(**TOGETHER), "begun": under_way(9, host="web-99") + tried(9, host="web-2")},
        {"rule": make_rule(**TOGETHER), "begun": under_way(HOUR + MINUTE) + under_way(MINUTE, ended=False)},
        {"rule": make_rule(confirm=2, together=2), "begun": under_way(9, 8)},
        {"tries": tried(10)},
        {"tries": tried(100, 20)},
        {"tries": tried(1), "climbing": True},
        {"tries": DRILLED},
        {"rule": make_rule(keep=(9, "web"))},
        {"rule": PROVEN, "production": True},
        {"rule": make_rule(mode="propose"), "approved": "bob", "trust": ("propose", "nothing was granted")},
        {"rule": PROVEN, "proof": (False, "stale"), "trust": ("propose", "lost"), "approved": "bob"},
        {"rule": FROZEN, "approved": "bob"},
        {"suppressed": "left alone: downtime 'drill' by ann", "drilled": "mend-web"},
        {"rule": FROZEN, "drilled": "mend-web", "changes": Changes(locks=("somebody deploys",))},
        {"rule": THAWED},
        {"rule": AFTER, "changes": Changes(provisioned=NOON - 600)},
        {"rule": AFTER, "changes": Changes(provisioned=NOON - 40), "tries": tried(41)},
        {"rule": make_rule(mode="observe"), "drilled": "mend-web", "trust": ("observe", ""), "production": True},
    ],
)
def test_a_gate_stays_open(changes: dict[str, Any]) -> None:
    assert closed(**changes) == []


def test_what_was_for_something_that_is_gone_raises_no_rung_for_others() -> None:
    rule = make_rule(do=(("provision", {}), ("fake", {})))
    assert rung_due(rule, "web-1", tried(MINUTE), NOON - HOUR) == 1
    assert rung_due(rule, "web-1", GONE, NOON - HOUR) == 0


@pytest.mark.parametrize(
    "hosts, at_most, sick, passed",
    [
        (1, 0.3, 1, True),  # one host may always be healed
        (2, 0.3, 1, True),
        (2, 0.3, 2, False),
        (2, 0.0, 1, True),
        (3, 0.34, 1, True),
        (3, 0.34, 2, False),
        (10, 0.3, 3, True),  # 0.3 * 10 is 3 however the machine rounds
        (10, 0.3, 4, False),
        (10, 0.7, 7, True),
        (10, 1.0, 10, True),
    ],
)
def test_blast_radius_counts_hosts_of_the_group(hosts: int, at_most: float, sick: int, passed: bool) -> None:
    everywhere = make_hosts(*NAMES[:hosts]) | make_hosts("db", groups=("data",))
    found = closed(make_rule(at_most=at_most), hosts=everywhere, history=history(sick, of=hosts))
    assert (found == []) is passed


def test_every_group_of_the_host_must_hold() -> None:
    hosts = make_hosts("web-1", groups=("web", "all")) | make_hosts("db-1", "db-2", "db-3", groups=("all",))
    sick = {name: Seen(host=name, state="critical", time=NOON) for name in ("web-1", "db-1")}
    well = {name: Seen(host=name, state="ok", time=NOON) for name in ("db-2", "db-3")}
    (answer,) = closed(hosts=hosts, history=sick | well)
    assert answer.reason == "group all: 2 of 4 sick (db-1, web-1), at most 1 may be"


def test_a_host_in_no_group_is_judged_with_the_whole_stack() -> None:
    hosts = make_hosts("web-1", "b", "c", groups=())
    seen = {name: Seen(host=name, state="unknown", time=NOON) for name in hosts}
    (answer,) = closed(hosts=hosts, history=seen)
    assert answer.reason == "the stack: 3 of 3 sick (b, c, web-1), at most 1 may be"


@pytest.mark.parametrize("other", [{"state": "unknown"}, {"state": "ok", "blocked": True}, {"state": "critical"}])
def test_what_is_not_known_of_a_neighbour_counts_as_sick(other: dict[str, Any]) -> None:
    hosts = make_hosts("web-1", "web-2")
    seen = {"a": Seen(host="web-1", state="critical", time=NOON), "b": Seen(host="web-2", time=NOON, **other)}
    assert [answer.name for answer in closed(hosts=hosts, history=seen)] == ["blast radius"]


@pytest.mark.parametrize(
    "per, tries, used, seconds",
    [(3600, 3, 1, 10), (3600, 3, 2, 20), (3600, 10, 7, 360), (36, 3, 1, 0.1), (36, 1, 999, 36)],
)
def test_the_wait_doubles_up_to_an_even_share(per: float, tries: int, used: int, seconds: float) -> None:
    assert waiting_time(make_rule(per=float(per), tries=tries), used) == pytest.approx(seconds)
