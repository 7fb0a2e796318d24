"""The gate `one cause`: what turned red together, over more than one group, and shares something is healed nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infratest.heal.gates import GATES, Seen, Situation, gates
from infratest.heal.records import REFUSED, HealRecord, note
from infratest.hosts import Host
from infratest.store.failures import Row
from tests.heal.test_gates import ALLOWED, NOON
from tests.worlds.heal_world import make_result, make_rule, result_id

RULE = make_rule()
#: Three groups; the zone is each host's label.
HOSTS = {
    name: Host(name=name, groups=(name[:-2],), labels={"zone": zone}, transport="local")
    for name, zone in {
        "web-1": "a", "web-2": "b", "web-3": "b", "app-1": "a", "app-2": "b", "db-1": "a", "db-2": "c",
    }.items()
}  # fmt: skip


def red(*names: str, since: float = NOON - 65, **changes: Any) -> dict[str, Seen]:
    """Return these hosts as sick since then, and all others as well."""
    sick = {n: {"host": n, "state": "critical", "time": NOON - 5, "since": since} | changes for n in names}
    well = {n: {"host": n, "state": "ok", "time": NOON - 5, "since": NOON - 9000} for n in HOSTS if n not in names}
    return {result_id(name): Seen(**fields) for name, fields in (sick | well).items()}


def asked(history: dict[str, Seen], **changes: Any) -> tuple[bool, str]:
    situation: Situation = replace(ALLOWED, hosts=HOSTS, history=history, **changes)
    return GATES["one cause"](RULE, make_result("critical"), situation)


def test_a_zone_that_is_gone_is_one_problem() -> None:
    passed, reason = asked(red("web-1", "app-1"))
    assert not passed
    assert reason == (
        "one cause: 2 of 2 hosts that turned red within 60 s share label zone=a (app-1, web-1), over the groups app, "
        "web: it is one problem"
    )


@pytest.mark.parametrize(
    "history, passed",
    [
        (red("web-1"), True),
        (red("web-2", "web-3"), True),  # one group: the blast radius is for that
        (red("web-1", "app-2"), True),  # two hosts that share nothing
        (red("web-1", "app-1", "db-2", "web-2"), False),  # four at one moment
        (red("web-1") | red("app-1", since=NOON - 65 - 61), True),  # not together
        (red("web-1") | {result_id("app-1"): Seen(host="app-1", state="critical", time=NOON - 9e4, since=NOON)}, True),
    ],
)
def test_what_is_together(history: dict[str, Seen], passed: bool) -> None:
    assert asked(history)[0] is passed


def test_half_is_not_more_than_half() -> None:
    # web-1 and app-1 share a zone; app-2 and db-2 turned red apart from them and from each other.
    some = red("web-1", "app-1")
    later = {"x": Seen(host="app-2", state="critical", time=NOON - 5, since=NOON - 40),
             "y": Seen(host="db-2", state="critical", time=NOON - 5, since=NOON - 90)}  # fmt: skip
    assert asked(some | later)[0]
    del later["y"]
    assert not asked(some | later)[0]


def test_what_all_hosts_have_in_common_tells_nothing() -> None:
    same = {name: host.changed(labels={"zone": "a"}) for name, host in HOSTS.items()}
    assert asked(red("web-1", "app-2"))[0]
    situation = replace(ALLOWED, hosts=same, history=red("web-1", "app-2"))
    assert GATES["one cause"](RULE, make_result("critical"), situation)[0]


def test_the_run_that_provisioned_them_is_shared_too() -> None:
    at = {"provisioned": "2027-01-15 07:58"}
    run = {"web-1": {"image": "debian-12", **at}, "app-2": at}
    passed, reason = asked(red("web-1", "app-2"), traits=run)
    assert not passed
    assert "share provisioned 2027-01-15 07:58 (app-2, web-1)" in reason


def test_what_blocks_the_others_is_shared_and_may_itself_be_healed() -> None:
    cause = result_id("db-2", "postgres-answers")
    blocked = red("app-2", "web-2", state="unknown", blocked=cause, since=NOON - 62)
    some = {**blocked, result_id("web-1"): red("web-1")[result_id("web-1")]}
    passed, reason = asked(some)
    assert not passed
    assert f"share blocked by {cause} (app-2, web-2)" in reason
    result = make_result("critical", "db-2", id=cause)
    there = {**blocked, cause: Seen(host="db-2", state="critical", time=NOON - 5, since=NOON - 65)}
    assert GATES["one cause"](RULE, result, replace(ALLOWED, hosts=HOSTS, history=there))[0]


def test_a_moment_is_shared_from_three_hosts_on() -> None:
    three = red("web-1", "app-2", "db-2")
    passed, reason = asked(three)
    assert not passed
    assert "3 of 3 hosts that turned red within 60 s share a moment (app-2, db-2, web-1)" in reason
    apart = {
        result_id(name): Seen(host=name, state="critical", time=NOON - 5, since=NOON - 65 + 20 * at)
        for at, name in enumerate(("web-1", "app-2", "db-2"))
    }
    assert asked(apart)[0]


def test_a_result_that_nobody_has_dated_is_judged_by_its_row() -> None:
    history = red("web-1", "app-1")
    history[result_id("web-1")] = Seen(host="web-1", state="critical", time=NOON - 5)
    assert not asked(history)[0]
    assert asked(history, row=Row(state="critical", failures=2, since=NOON - 600, last=NOON - 5))[0]


def test_it_is_told_as_one_problem() -> None:
    situation = replace(ALLOWED, hosts=HOSTS, history=red("web-1", "app-1"))
    records = []
    for host in ("web-1", "app-1"):
        result = make_result("critical", host)
        answers = tuple(gates(make_rule(confirm=2), result, situation))
        records.append(
            HealRecord(time=NOON, rule=RULE, outcome=REFUSED, gates=answers, rung=0, remedy="provision", before=result)
        )
    (words,) = note(records)
    assert words.startswith("not healed: one cause: 2 of 2 hosts")
